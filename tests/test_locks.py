"""The locks are complete, so that nothing released later changes what is installed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
NEEDED = {
    "requirements.txt": [
        *(RUNTIME + EXTRAS["schedule"] + EXTRAS["ui"] + EXTRAS["alerts"]),
        *PROJECT["dependency-groups"]["build"],
    ],
    "requirements-dev.txt": RUNTIME + EXTRAS["dev"],
    "requirements-duckdb-1.5.txt": ["duckdb==1.5.*"],
}
LOCKS = pytest.mark.parametrize("lock", NEEDED)
MACHINES = [
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
]


def lines(lock: str) -> Iterator[str]:
    """Each package's line, its hashes with it."""
    yield from (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", "").splitlines()


def pins(lock: str) -> list[Requirement]:
    return [Requirement(line.split("--hash")[0]) for line in lines(lock)]


@LOCKS
def test_every_package_is_pinned_and_hashed(lock: str) -> None:
    for line in lines(lock):
        assert re.fullmatch(
            r"[a-z0-9._-]+==[^ ;=*]+ *(;[^@]+?)?( +--hash=sha256:[0-9a-f]{64})+ *", line
        ), line[:80]


def test_the_locks_agree() -> None:
    everything = {str(pin) for pin in pins("requirements-dev.txt")}

    assert {str(pin) for pin in pins("requirements.txt")} <= everything


@LOCKS
@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: each["sys_platform"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_a_lock_holds_all_that_is_needed(lock: str, machine: dict[str, str], python: str) -> None:
    """As a resolver would, but for packages that are not installed here."""
    environment = default_environment() | machine
    environment |= {"python_version": python, "python_full_version": f"{python}.0"}

    def applies(requirement: Requirement, extra: str = "") -> bool:
        marker = requirement.marker
        return marker is None or marker.evaluate(environment | {"extra": extra})

    locked = {canonicalize_name(pin.name): pin for pin in pins(lock) if applies(pin)}
    wanted, seen = [Requirement(each) for each in NEEDED[lock]], set[str]()
    wanted = [each for each in wanted if applies(each)]
    while wanted:
        each = wanted.pop()
        if str(each) in seen:
            continue
        seen.add(str(each))
        pin = locked.get(canonicalize_name(each.name))
        assert pin is not None, f"{lock} lacks {each}"
        (version,) = (specifier.version for specifier in pin.specifier)
        assert each.specifier.contains(version, prereleases=True), f"{lock}: {pin} is not {each}"
        if lock == "requirements-duckdb-1.5.txt":
            continue  # goes on top of the development lock
        try:
            needs = metadata.requires(each.name) or []
        except metadata.PackageNotFoundError:
            continue
        wanted += [
            need
            for need in map(Requirement, needs)
            if any(applies(need, extra) for extra in {"", *each.extras})
        ]


def test_what_is_installed_is_what_is_locked() -> None:
    for pin in pins("requirements-dev.txt"):
        if pin.marker is None or pin.marker.evaluate():
            (version,) = (specifier.version for specifier in pin.specifier)
            assert metadata.version(pin.name) == version or pin.name == "duckdb"
