"""TAB, asked as the scripts ask that `--install-completion` writes: by variables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import Taxietl

from taxietl.cli.main import main
from taxietl.config.profile_types import type_names
from taxietl.config.sources import BUILT_IN
from taxietl.steps import registry
from taxietl.tlc.datasets import DATASETS

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def press_tab(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """The words that a shell gets for a line, whose end is where TAB is pressed."""

    def press(line: str, shell: str = "bash") -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("TAXIETL_HOME", str(home))
        monkeypatch.setenv("_TAXIETL_COMPLETE", f"complete_{shell}")
        monkeypatch.setenv("COMP_WORDS", "\n".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        if shell != "fish":
            monkeypatch.delenv("_TYPER_COMPLETE_FISH_ACTION")
        capfd.readouterr()
        assert main([]) == 0
        out, err = capfd.readouterr()
        assert err == ""
        if shell == "zsh" and out == "_files\n":
            return []
        if shell == "zsh":
            assert out.startswith("_arguments '*: :((")
            assert out.endswith("))'\n")
            return [
                each.split('"')[1].replace("\\\\:", ":")
                for each in out.removeprefix("_arguments '*: :((").splitlines()
            ]
        return [each.partition("\t")[0] for each in out.splitlines()]

    return press


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("taxietl ing", ["ingest"]),
        ("taxietl runs ", ["ls", "show", "logs", "resume", "rerun", "cancel", "prune"]),
        ("taxietl help runs pr", ["prune"]),
        ("taxietl --home /nowhere runs pr", ["prune"]),
        ("taxietl --con", ["--config"]),
        ("taxietl ingest --co", ["--color", "--connections"]),
        ("taxietl ingest --year 2021 --y", []),
        ("taxietl ingest --color green --co", ["--color", "--connections"]),
        ("taxietl ingest --month 1 --mon", ["--month"]),
        ("taxietl ingest --color ", [*DATASETS, "all"]),
        ("taxietl ingest --color green,f", ["green,fhv", "green,fhvhv"]),
        ("taxietl ingest --color fhv", ["fhv", "fhvhv"]),
        ("taxietl ingest --new-columns ", ["add", "ignore", "fail"]),
        ("taxietl ingest --transform ", [*registry.names("transformers"), "none"]),
        ("taxietl sql --format ", ["table", "csv", "json", "parquet"]),
        ("taxietl profiles add new --type ", type_names()),
        ("taxietl ingest --year ", []),
        ("taxietl nonsense --x ", []),
        ("taxietl inspect ", []),
    ],
    ids=str,
)
def test_a_line_is_completed(press_tab, shell: str, line: str, found: list[str]) -> None:
    assert press_tab(line, shell) == found


def test_bash_parts_an_option_from_its_value_and_the_others_do_not(press_tab) -> None:
    assert press_tab("taxietl ingest --color = gr") == ["green"]
    assert press_tab("taxietl ingest --color =") == [*DATASETS, "all"]
    assert press_tab("taxietl ingest --color=gr", "zsh") == ["--color=green"]
    assert press_tab("taxietl ingest --color=gr", "fish") == ["--color=green"]
    assert press_tab("taxietl ingest --color=green --mon", "fish") == ["--month"]


@pytest.mark.parametrize("shell", SHELLS)
def test_profiles_are_those_of_the_configuration(press_tab, tmp_path: Path, shell: str) -> None:
    assert press_tab("taxietl ingest --to ", shell) == ["warehouse"]

    Path("taxietl.toml").write_text(
        "[profiles.here]\ntype = 'duckdb'\nnonsense = 1\n[profiles.\"two words\"]\n"
    )
    other = tmp_path / "other.toml"
    other.write_text("[profiles.there]\ntype = 'duckdb'\n")

    assert press_tab("taxietl ingest --to ", shell) == ["warehouse", "here"]
    assert press_tab("taxietl profiles show h", shell) == ["here"]
    assert press_tab(f"taxietl --config {other} sql --on ", shell) == ["warehouse", "there"]
    assert press_tab("taxietl --config none.toml sql --on ", shell) == []


def test_profiles_of_variables_are_among_them(press_tab, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("taxietl.toml").write_text("[profiles.My-Lake]\ntype = 'folder'\n")
    monkeypatch.setenv("TAXIETL_PROFILES__MY_LAKE__PATH", "lake")
    monkeypatch.setenv("TAXIETL_PROFILES__OTHER__TYPE", "duckdb")

    assert press_tab("taxietl sql --on ") == ["warehouse", "My-Lake", "other"]


def test_sources_are_servers_lakes_and_files(press_tab) -> None:
    Path("files").mkdir()
    Path("months.parquet").touch()
    Path(".hidden").touch()
    Path("taxietl.toml").write_text(
        "[profiles.lake]\ntype = 'folder'\n[profiles.local]\ntype = 'duckdb'\n[sources.own]\n"
    )
    servers = [*BUILT_IN, "synthetic"]

    everything = press_tab("taxietl ingest --source ")

    assert everything == [*servers, "own", "lake", "files/", "months.parquet", "taxietl.toml"]
    assert press_tab("taxietl ingest --source m") == ["mirror", "months.parquet"]
    assert press_tab("taxietl ingest --source ./f") == []  # the shell's own files


@pytest.mark.parametrize("shell", SHELLS)
def test_runs_are_those_of_the_home_given(
    press_tab, taxietl: Taxietl, home: Path, tmp_path: Path, shell: str
) -> None:
    Path("own.py").write_text(
        "from taxietl import flow\n@flow(run_name='{name}')\ndef f(name: str): pass\n"
    )
    for name in ("first", "two words", "$(touch x)", "second:2"):
        assert taxietl("run", "own.py:f", "-p", f"name={name}").code == 0
    before = sorted(home.iterdir())

    assert press_tab("taxietl runs show ", shell) == ["second:2", "first"]
    assert press_tab("taxietl runs show fi", shell) == ["first"]
    assert press_tab("taxietl rejects ls --run fi", shell) == ["first"]
    assert press_tab("taxietl runs show first ", shell) == []
    assert press_tab(f"taxietl --home {tmp_path / 'none'} runs show ", shell) == []
    assert sorted(home.iterdir()) == before
    assert not (tmp_path / "none").exists()


def test_a_history_in_use_is_read_too(press_tab, home: Path) -> None:
    from taxietl import flow
    from taxietl.orchestrator import Engine

    @flow(run_name="going on")
    def outer() -> None:
        assert press_tab("taxietl runs cancel ") == ["now"]

    engine = Engine(home)
    engine.run(flow(run_name="now")(lambda: None))
    engine.run(outer).result()


@pytest.mark.parametrize("content", ["not toml [", "profiles = 1", "[profiles]\nx = 1"])
def test_a_broken_configuration_and_history_say_nothing(
    press_tab, home: Path, content: str
) -> None:
    Path("taxietl.toml").write_text(content)
    home.mkdir()
    (home / "history.db").write_bytes(b"not a database" * 99)

    assert press_tab("taxietl sql --on w") in (["warehouse"], [])
    assert press_tab("taxietl runs show ") == []
    assert press_tab("taxietl runs sh") == ["show"]


def test_fish_is_told_where_files_belong(
    press_tab, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_TAXIETL_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "is-args")
    for line, code in (("taxietl ru", 0), ("taxietl run ", 1), ("taxietl ingest --year ", 1)):
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        assert main([]) == code


def test_what_is_offered_needs_neither_pydantic_nor_rich(home: Path) -> None:
    Path("taxietl.toml").write_text("[profiles.here]\ntype = 'duckdb'\n")
    probe = (
        "import sys; from taxietl.cli.main import main; main([]);"
        "print([m for m in ('pydantic', 'rich', 'pyarrow', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env={
            **os.environ,
            "_TAXIETL_COMPLETE": "complete_zsh",
            "_TYPER_COMPLETE_ARGS": f"taxietl --home {home} sql --on h",
        },
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.endswith("[]\n")
    assert '"here":"duckdb"' in done.stdout


def on_path(folder: Path) -> Path:
    """A folder with `taxietl`, run by this Python."""
    script = folder / "bin" / "taxietl"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m taxietl "$@"\n')
    script.chmod(0o755)
    return script.parent


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash at hand")
def test_bash_completes_once_it_is_installed(tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{on_path(tmp_path)}{os.pathsep}{os.environ['PATH']}",
        "TAXIETL_HOME": str(tmp_path / "home"),
    }

    def bash(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--norc", "-c", script],
            env=environment,
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )

    installed = bash("taxietl --install-completion; echo code $?")
    assert "bash completion installed in" in installed.stdout
    assert installed.stdout.endswith("code 0\n")
    assert installed.stderr == ""
    shown = bash("taxietl --show-completion; true")
    assert shown.stdout.strip() == (tmp_path / ".bash_completions/taxietl.sh").read_text().strip()

    done = bash(
        'source "$HOME/.bashrc"; complete -p taxietl; COMP_WORDS=(taxietl runs "");'
        ' COMP_CWORD=2; _taxietl_completion taxietl; echo "${COMPREPLY[@]}";'
        " COMP_WORDS=(taxietl ingest --color = gr); COMP_CWORD=4; _taxietl_completion taxietl;"
        ' echo "${COMPREPLY[@]}"'
    )

    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == ["ls show logs resume rerun cancel prune", "green"]
    assert "-F _taxietl_completion taxietl" in done.stdout
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("shell", "variables"),
    [
        ("zsh", ("_TYPER_COMPLETE_ARGS=", "_TAXIETL_COMPLETE=complete_zsh")),
        (
            "fish",
            (
                "_TYPER_COMPLETE_ARGS=",
                "_TAXIETL_COMPLETE=complete_fish",
                "_TYPER_COMPLETE_FISH_ACTION=is-args",
            ),
        ),
    ],
)
def test_the_other_scripts_set_the_variables_that_are_read(
    shell: str, variables: tuple[str, ...]
) -> None:
    from typer.completion import get_completion_script

    script = get_completion_script(
        prog_name="taxietl", complete_var="_TAXIETL_COMPLETE", shell=shell
    )

    for each in variables:
        assert each in script
