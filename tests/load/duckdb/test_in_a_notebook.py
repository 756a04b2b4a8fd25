"""DuckDB behaves otherwise where it finds a Jupyter kernel around it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

IN_A_KERNEL = """
import sys, types
kernel = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython"].get_ipython = lambda: kernel
from pathlib import Path
from taxietl.load.duckdb.file import opened
path = Path(sys.argv[1])
with opened(path, read_only=False, memory_limit="100MB") as connection:
    print(connection.execute("SELECT current_setting('enable_progress_bar')").fetchall())
"""
"""As `python -c`, which has no file; DuckDB asks for that, and for IPython, to know a kernel."""


def test_a_file_opens_in_a_notebook_that_has_no_widgets(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_KERNEL, str(tmp_path / "taxi.duckdb")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("[(False,)]\n", "")
