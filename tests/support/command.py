"""A command that was run: its exit code and what it printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from taxietl.cli.main import main
from taxietl.config import activate


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Taxietl = Callable[..., Done]


def document(*arguments: object) -> Any:
    """The document that a command prints, run in this process whatever pytest captures."""
    # One that only writes: one that reads too would seek in what stands in for it, say a pipe.
    with NamedTemporaryFile("w") as printed:
        with redirect_stdout(printed):
            main([*(str(each) for each in arguments), "--json"])
        activate(None)
        printed.flush()
        return json.loads(Path(printed.name).read_text())


def check_refused(done: Done, code: int, *words: str) -> None:
    """One error, one hint with these words, that exit code, and no traceback."""
    assert done.code == code, done.err
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    hints = [line for line in done.err.splitlines() if line.startswith("hint: ")]
    assert len(errors) == 1, done.err
    assert len(hints) == 1, done.err
    for word in words:
        assert word in errors[0] + hints[0]
    assert "Traceback" not in done.err
