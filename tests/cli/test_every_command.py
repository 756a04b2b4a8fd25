"""The options that every command has after its name, tried on each of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from command import Done, Taxietl
from documents import check

from taxietl.cli.app import app

MONTH = ("--color", "green", "--year", "2021", "--month", "1")
LINES: dict[str, tuple[str, ...]] = {
    "ingest": (*MONTH, "--source", "./none"),
    "upload-gcs": MONTH,
    "load-bq": MONTH,
    "sync": ("--color", "green", "--source", "./none"),
    "zones": ("--source", "./none"),
    "drop": (*MONTH, "--yes"),
    "status": (),
    "verify": ("--color", "green"),
    "inspect": MONTH,
    "sql": ("SELECT 1",),
    "run": ("own.py:own",),
    "generate": (*MONTH, "--rows", "9", "--out", "trips.csv"),
    "schema": (),
    "init": (),
    "lake ls": (),
    "lake show": MONTH,
    "lake verify": (),
    "lake gc": (),
    "lake create-bucket": ("--project", "p"),
    "rejects ls": (),
    "rejects export": ("--out", "rejects.csv"),
    "flows ls": (".",),
    "runs ls": (),
    "runs show": ("nobody",),
    "runs logs": ("nobody",),
    "runs resume": ("nobody",),
    "runs rerun": ("nobody",),
    "runs cancel": ("nobody",),
    "runs prune": (),
    "ui": ("--host", "203.0.113.7"),  # no address of this machine's: it would go on for ever
    "schedule add": ("new", "--cron", "17 5 * * *", "--by", "run", "runs", "ls"),
    "schedule ls": (),
    "schedule show": ("nightly",),
    "schedule rm": ("nightly",),
    "schedule run": (),
    "schedule exec": ("nightly",),
    "schedule failed": ("nightly",),
    "alerts test": (),
    "limits ls": (),
    "cache ls": (),
    "cache why": ("nothing",),
    "cache rm": ("--all",),
    "cache gc": (),
    "profiles add": ("new", "--type", "duckdb"),
    "profiles ls": (),
    "profiles show": ("warehouse",),
    "profiles check": (),
    "doctor": (),
}
"""A line of each command, in an empty home: some succeed there, others have to fail."""


@pytest.fixture(autouse=True)
def own_flow(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = "http://127.0.0.1:1/{color}-{year}-{month}.parquet"  # no test leaves the machine
    monkeypatch.setenv("TAXIETL_SOURCES__TLC__URL", nobody)
    Path("own.py").write_text(
        "import os\nfrom taxietl import flow, get_run_logger\n\n@flow\ndef own():\n"
        "    print('from the flow')\n    os.system('echo from a process')\n"
        "    get_run_logger().warning('mind [red]')\n"
    )
    Path("broken.py").write_text("import taxietl\ndef\n")


def test_every_command_is_here() -> None:
    def below(group: typer.core.TyperGroup, before: str) -> list[str]:
        found = []
        for name, each in group.commands.items():
            is_group = hasattr(each, "commands")
            found += below(each, f"{before}{name} ") if is_group else [f"{before}{name}"]
        return found

    assert sorted(below(typer.main.get_command(app()), "")) == sorted(LINES)


def lines_of(done: Done) -> list[dict[str, str]]:
    printed = ("from the flow", "from a process")
    return [json.loads(line) for line in done.err.splitlines() if line not in printed]


@pytest.mark.parametrize("command", LINES)
def test_all_that_is_told_is_json_if_asked(taxietl: Taxietl, command: str) -> None:
    line = (*command.split(), *LINES[command], "--json", "--log-format", "json", "-v", "--debug")

    done = taxietl(*line)

    document = done.document
    assert document.get("exit_code", 0) == done.code
    errors = [each for each in lines_of(done) if each["level"] == "ERROR" and "hint" in each]
    assert len(errors) == int(done.code != 0 and "error" in document)
    if "error" in document:
        check(document, "error")
        assert errors[0]["message"] == document["error"]["message"]
        assert "Traceback" in errors[0]["traceback"]
    for each in lines_of(done):
        assert {"at", "level", "logger", "message"} <= set(each)


def test_a_document_stands_alone_whatever_a_flow_prints(taxietl: Taxietl) -> None:
    done = taxietl("run", "own.py:own", "--json")

    assert done.document["run"]["state"] == "Completed"
    assert "from the flow" in done.err
    assert "from a process" in done.err
    assert "from a process" in taxietl("run", "own.py:own").out


@pytest.mark.parametrize("command", LINES)
def test_a_mistake_in_the_line_is_told_in_json_too(taxietl: Taxietl, command: str) -> None:
    done = taxietl(*command.split(), "--nonsense", "--json", "--log-format=json")

    check(done.document, "error")
    assert done.code == 2
    (error,) = lines_of(done)
    assert error["message"] == done.document["error"]["message"]
    assert "--nonsense" in error["message"]


@pytest.mark.parametrize("command", LINES)
def test_quiet_leaves_results_warnings_and_errors(taxietl: Taxietl, command: str) -> None:
    done = taxietl(*command.split(), *LINES[command], "-q")

    is_result = ("warning: ", "error: ", "hint: ")
    for line in done.err.splitlines():
        assert line.startswith(is_result) or " | WARNING " in line or done.code
    assert done.out or done.code


def test_the_log_of_a_run_in_json(taxietl: Taxietl) -> None:
    said = lines_of(taxietl("run", "own.py:own", "--log-format", "json"))

    (mind,) = [each for each in said if each["level"] == "WARNING"]
    assert mind["message"] == "mind [red]"
    assert mind["logger"] == "taxietl.flow_runs"
    assert mind["run_name"] == said[-1]["run_name"]
    assert said[-1]["message"] == "Finished in state Completed()"


@pytest.mark.filterwarnings("default:old")
def test_the_log_in_json_holds_no_secret(taxietl: Taxietl) -> None:
    Path("own.py").write_text(
        "import warnings\nfrom taxietl import flow, get_run_logger\n\n@flow\ndef own():\n"
        "    warnings.warn('old: postgresql://me:hunter2@db/taxi')\n"
        "    get_run_logger().warning('at postgresql://me:hunter2@db/taxi')\n"
        "    raise ValueError('postgresql://me:hunter2@db/taxi')\n"
    )

    done = taxietl("run", "own.py:own", "--log-format", "json", "--debug", "--json")

    assert done.code == 1
    (warned,) = [each["message"] for each in lines_of(done) if "UserWarning" in each["message"]]
    assert warned.startswith("UserWarning: old: postgresql://me:*")
    assert "hunter2" not in done.err + done.out.replace("raise ValueError", "")


def test_a_log_format_that_there_is_not_is_refused(taxietl: Taxietl) -> None:
    done = taxietl("schema", "--log-format", "xml")

    assert done.code == 2
    assert "--log-format" in done.err


def test_warnings_are_told_under_quiet(taxietl: Taxietl) -> None:
    done = taxietl("flows", "ls", ".", "-q")

    assert done.err.startswith("warning: ")
    assert "broken.py" in done.err


@pytest.mark.parametrize("arguments", [[], ["runs"], ["runs", "--help"], ["--help"]], ids=" ".join)
def test_python_m_taxietl_is_the_same_command(home: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "taxietl", *arguments], check=False, capture_output=True, text=True
    )

    assert done.stderr == ""
    assert "Usage: taxietl" in done.stdout
    assert done.returncode == (0 if "--help" in arguments else 2)
