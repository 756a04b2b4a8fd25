"""Where a flow is found again, by another process too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from taxietl.orchestrator import flow
from taxietl.orchestrator.define.entry import EntryPoint

FLOWS = """
import sys
from pathlib import Path
from taxietl.orchestrator import Engine, configure_logging, flow

@flow(name="Fine name")
def fine() -> int:
    raise ValueError("not yet")

def main() -> None:
    configure_logging(50)
    with Engine(Path(sys.argv[1])) as engine:
        run = engine.run(fine)
        print(engine.history.run(run.id).entry)

if __name__ == "__main__":
    main()
"""


def entry_of(folder: Path, *command: str) -> EntryPoint:
    done = subprocess.run(
        [sys.executable, *command, str(folder / "home")],
        check=True, capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    return EntryPoint.from_json(done.stdout)


def test_a_script_is_found_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "own_script.py"
    path.write_text(FLOWS)

    entry = entry_of(tmp_path, "own_script.py")

    assert entry.target == f"{path.resolve()}:fine"
    assert entry.folder == str(tmp_path)
    assert not entry.has_changed()
    assert entry.load().name == "Fine name"
    path.write_text(FLOWS + "\n")
    assert entry.has_changed()


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "own_package.deep.module"),
        ("-c", "import own_package.deep.module as m; m.main()"),
    ],
    ids=["run as a module", "imported"],
)
def test_a_module_of_a_package_is_found_by_its_name(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    folder = tmp_path / "own_package" / "deep"
    folder.mkdir(parents=True)
    (folder / "module.py").write_text(FLOWS)

    entry = entry_of(tmp_path, *command)

    assert entry.target == "own_package.deep.module:fine"


def test_a_flow_of_our_own_is_found() -> None:
    from taxietl.flows.ingest import ingest

    entry = EntryPoint.of(ingest.spec)

    assert entry is not None
    assert entry.target == "taxietl.flows.ingest:ingest"
    assert EntryPoint.from_json(entry.to_json()) == entry
    assert entry.load() is ingest


def test_what_is_in_no_namespace_or_file_has_no_entry(tmp_path: Path) -> None:
    assert EntryPoint.of(flow(lambda: 1)) is None
    code = FLOWS.replace("if __name__", "if True or __name__").replace(
        ".entry)", ".entry or 'null')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) is None
