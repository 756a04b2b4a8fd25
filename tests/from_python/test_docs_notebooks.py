"""docs/notebooks.md is one notebook: its cells are run in their order, and show what it shows."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from pages import blocks, check_text, run

PAGE = "docs/notebooks.md"

NOTEBOOK = """
import ast, json, sys

def shown(cell, names):
    *lines, last = ast.parse(cell).body
    exec(compile(ast.Module(lines, []), "cell", "exec"), names)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), "cell", "exec"), names)
        return
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    if value is not None:
        print(value)

names = {}
for cell in json.loads(sys.argv[1]):
    shown(cell, names)
    print("--- end of the cell", flush=True)
"""


def test_the_page_is_a_notebook_that_runs(tmp_path: Path) -> None:
    found = blocks(PAGE)
    cells = [each for each in found if each.language == "python" and each.file_name == "example.py"]
    (configuration,) = (each for each in found if each.language == "toml")
    (tmp_path / "taxietl.toml").write_text(configuration.text)
    code = json.dumps([each.text for each in cells])

    done = run([sys.executable, "-c", NOTEBOOK, code], tmp_path, with_log=False)

    assert done.returncode == 0, done.stderr
    *printed, rest = done.stdout.replace(f"{tmp_path}/", "").split("--- end of the cell\n")
    assert rest == ""
    for cell, text in zip(cells, printed, strict=True):
        check_text(_narrow(text), _narrow(cell.followed_by("text") or ""))


def _narrow(text: str) -> str:
    """Without the blanks that columns are filled up with."""
    return re.sub(r" +", " ", text)


def test_the_pages_flow_runs(tmp_path: Path) -> None:
    (flow,) = (each for each in blocks(PAGE) if each.file_name == "nightly.py")
    (tmp_path / "nightly.py").write_text(flow.text)

    done = run(["taxietl", "run", "nightly.py:nightly", "-q"], tmp_path, with_log=False)

    assert done.returncode == 0, done.stderr
