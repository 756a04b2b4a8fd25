"""Steps found by name among installed packages, and sources by what their text points at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxietl.config import activate
from taxietl.config.sources import TLC
from taxietl.errors import ConfigError, SourceError, UnknownNameError
from taxietl.extract.file import File
from taxietl.extract.folder import Folder
from taxietl.extract.http import Http
from taxietl.steps import registry
from taxietl.transform.zero_passengers import DropZeroPassengers


class Packages:
    """Installs packages for one test: a module, and its entry points in their metadata."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def install(self, package: str, kind: str, points: dict[str, str], source: str = "") -> None:
        module = package.replace("-", "_")
        self.modules.append(module)
        (self.folder / f"{module}.py").write_text(source)
        metadata = self.folder / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0")
        lines = [f"{name} = {module}:{value}" for name, value in points.items()]
        (metadata / "entry_points.txt").write_text("\n".join([f"[taxietl.{kind}]", *lines]))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    """A folder on the import path."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    made = Packages(folder)
    yield made
    for module in made.modules:
        sys.modules.pop(module, None)


class TestSteps:
    def test_our_own_are_found_by_their_entry_points(self) -> None:
        assert {"folder", "file", "synthetic"} <= set(registry.names("extractors"))
        assert registry.load("transformers", "drop-zero-passengers") is DropZeroPassengers

    def test_those_of_other_packages_are_found_alike(self, packages: Packages) -> None:
        packages.install("taxi-extras", "loaders", {"sqlite": "Sqlite"}, "class Sqlite: pass")

        assert "sqlite" in registry.names("loaders")
        assert registry.load("loaders", "sqlite").__module__ == "taxi_extras"

    def test_nothing_is_imported_before_it_is_asked_for(self, packages: Packages) -> None:
        packages.install("taxi-broken", "loaders", {"broken": "Broken"}, "raise SystemExit")

        assert "broken" in registry.names("loaders")

    def test_an_unknown_name_is_told_with_a_guess(self) -> None:
        with pytest.raises(
            UnknownNameError, match="no transformer named 'drop-zero-passanger'"
        ) as error:
            registry.load("transformers", "drop-zero-passanger")
        assert "Did you mean 'drop-zero-passengers'?" in error.value.hint

    def test_two_of_one_name_are_an_error_that_names_both_packages(
        self, packages: Packages
    ) -> None:
        packages.install("taxi-one", "loaders", {"lake": "Lake"}, "class Lake: pass")
        packages.install("taxi-two", "loaders", {"lake": "Lake"}, "class Lake: pass")

        with pytest.raises(ConfigError, match="Two loaders are named 'lake'") as error:
            registry.load("loaders", "lake")
        assert error.value.hint == "Uninstall one of taxi-one, taxi-two."

    @pytest.mark.parametrize(
        ("source", "told"),
        [
            ("import a_driver_nobody_has", "ModuleNotFoundError: No module named 'a_driver"),
            ("", "AttributeError: module 'taxi_broken' has no attribute 'Lake'"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
        ],
    )
    def test_one_that_cannot_be_imported_names_its_package(
        self, packages: Packages, source: str, told: str
    ) -> None:
        packages.install("taxi-broken", "loaders", {"lake": "Lake"}, source)

        with pytest.raises(
            ConfigError, match=f"loader 'lake' of taxi-broken cannot be imported: {told}"
        ) as error:
            registry.load("loaders", "lake")
        assert "taxi-broken" in error.value.hint


class TestTransformers:
    def test_they_come_in_the_order_asked_for_with_what_the_ledger_says(
        self, packages: Packages
    ) -> None:
        packages.install("taxi-rules", "transformers", {"short": "Short"}, SHORT)

        (first, made), (second, _) = registry.transformers(["short", "drop-zero-passengers"])

        assert (first.name, first.version) == ("short", "3")
        # As JSON gives them back, or the ledger's would never equal them.
        assert first.options == {"miles": 0.1, "zones": [1, 2], "since": "2021-01-01"}
        assert type(made).__name__ == "Short"
        assert (second.name, second.version, second.options) == ("drop-zero-passengers", "1", {})

    def test_one_that_does_not_say_its_version_is_refused(self, packages: Packages) -> None:
        source = "class Rule:\n    def transform(self, batch, dataset): return batch"
        packages.install("taxi-rules", "transformers", {"rule": "Rule"}, source)

        with pytest.raises(ConfigError, match="'rule' does not say its version"):
            registry.transformers(["rule"])

    def test_one_that_cannot_be_made_is_named(self, packages: Packages) -> None:
        source = "class Rule:\n    def __init__(self, zones): pass"
        packages.install("taxi-rules", "transformers", {"rule": "Rule"}, source)

        with pytest.raises(ConfigError, match="transformer 'rule' cannot be made: TypeError"):
            registry.transformers(["rule"])

    def test_an_error_it_chose_itself_goes_through(self, packages: Packages) -> None:
        source = (
            "from taxietl.errors import SourceError\n"
            "def rule(): raise SourceError('the list of zones is gone')"
        )
        packages.install("taxi-rules", "transformers", {"rule": "rule"}, source)

        with pytest.raises(SourceError, match="the list of zones is gone"):
            registry.transformers(["rule"])


SHORT = """
from dataclasses import dataclass
from datetime import date

@dataclass(frozen=True)
class Short:
    version: str = "3"
    miles: float = 0.1
    zones: tuple = (1, 2)
    since: date = date(2021, 1, 1)

    def transform(self, batch, dataset):
        return batch
"""


@pytest.fixture
def _configured() -> Iterator[None]:
    """Settings of the test's own, and none left behind."""
    activate(None)
    yield
    activate(None)


@pytest.mark.usefixtures("_configured")
class TestSources:
    def test_a_folder_is_one(self, tmp_path: Path) -> None:
        assert registry.extractor(str(tmp_path)) == Folder(tmp_path)

    def test_a_file_is_one_whatever_its_name(self, tmp_path: Path) -> None:
        path = tmp_path / "trips"
        path.write_text("")

        assert registry.extractor(str(path)) == File(path)

    def test_a_relative_path_becomes_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        assert registry.extractor(".") == Folder(tmp_path)

    def test_the_home_folder_may_be_written_short(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "trips").mkdir()

        assert registry.extractor("~/trips") == Folder(tmp_path / "trips")

    def test_a_server_of_the_configuration_is_one_by_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = "http://example.org/{year}-{month}.csv"
        monkeypatch.setenv("TAXIETL_SOURCES__COMPANY__URL", url)
        activate(None)

        assert registry.extractor("company") == Http("company", url)
        assert registry.extractor("tlc") == Http("tlc", TLC.url)

    def test_an_address_is_one(self) -> None:
        address = "https://example.org/yellow_tripdata_2021-01.csv.gz"

        assert registry.extractor(address) == Http(address, address)

    def test_the_address_of_a_named_server_is_that_server(self) -> None:
        assert registry.extractor(TLC.url) == Http("tlc", TLC.url)

    def test_an_address_of_another_kind_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="must begin with http:// or https://"):
            registry.extractor("ftp://example.org/a.csv")

    def test_a_name_that_a_server_and_a_step_have_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TAXIETL_SOURCES__SYNTHETIC__URL", TLC.url)
        activate(None)

        with pytest.raises(ConfigError, match="Two sources are named 'synthetic'"):
            registry.extractor("synthetic")

    def test_a_name_comes_before_a_folder_of_that_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "synthetic").mkdir()

        assert type(registry.extractor("synthetic")).__name__ == "Synthetic"
        assert registry.extractor("./synthetic") == Folder(tmp_path / "synthetic")

    @pytest.mark.parametrize("name", ["folder", "file", "http"])
    def test_the_kinds_of_path_are_no_names(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        with pytest.raises(UnknownNameError, match=f"no source named '{name}'"):
            registry.extractor(name)

    @pytest.mark.parametrize("path", ["trips/2021", "trips.csv", "/nowhere", "~nobody-here/x"])
    def test_a_path_at_which_nothing_lies_is_told(
        self, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        with pytest.raises(SourceError, match=f"There is nothing at {path}"):
            registry.extractor(path)

    def test_neither_a_name_nor_a_path_is_told_with_a_guess(self) -> None:
        with pytest.raises(UnknownNameError) as error:
            registry.extractor("syntetic")
        assert "Did you mean 'synthetic'?" in error.value.hint

    @pytest.mark.parametrize("text", ["", "  "])
    def test_an_empty_text_is_not_the_current_folder(self, text: str) -> None:
        with pytest.raises(ConfigError, match="The source is empty"):
            registry.extractor(text)


def test_the_ledger_gets_no_secret_of_a_transformer(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass Looked:\n"
        "    url: str = 'a://u:hunter2@h'\n    token: str = 'hunter2'\n    hours: int = 2\n"
        "    version = '1'\n"
        "    def transform(self, batch, dataset):\n        return batch\n"
    )

    [(recorded, made)] = registry.transformers([f"{path}:Looked"])

    assert recorded.options == {"url": f"a://u:{'*' * 10}@h", "token": "*" * 10, "hours": 2}
    assert made.url == "a://u:hunter2@h"  # type: ignore[union-attr]
