"""Pages of docs/: their code blocks, and what becomes of them when they are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_CLOCK = re.compile(
    # A terminal, which the pages show, gets the log's lines without the date.
    r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{3}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
)
_TWO_WORDS = re.compile(r"(?<=')[a-z]+-[a-z]+(?=')|^[a-z]+-[a-z]+(?=  )", re.MULTILINE)
_DURATION = re.compile(r"\b\d+\.\d\d s\b")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the heading above it and the block right behind."""

    language: str
    text: str
    heading: str
    next: Block | None

    @property
    def file_name(self) -> str:
        """What the block's first line, a comment, calls it; `example.py` if it does not."""
        named = re.match(r"# (\w+\.py)\n", self.text)
        return named[1] if named else "example.py"

    def followed_by(self, language: str) -> str | None:
        """The text of the block right behind, if it is of that language."""
        return self.next.text if self.next and self.next.language == language else None


def blocks(page: str) -> list[Block]:
    """The code blocks of a page, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found: list[Block] = []
    behind: Block | None = None
    behind_at = len(text)
    for match in reversed(list(_BLOCK.finditer(text))):
        is_right_behind = not text[match.end() : behind_at].strip()
        above = _HEADING.findall(text[: match.start()])
        heading = above[-1] if above else ""
        behind = Block(match[1], match[2], heading, behind if is_right_behind else None)
        behind_at = match.start()
        found.append(behind)
    return found[::-1]


def python_blocks(page: str) -> list[object]:
    """The Python blocks of a page as parameters of a test."""
    found = [each for each in blocks(page) if each.language == "python"]
    return [pytest.param(each, id=f"{n}-{each.heading}") for n, each in enumerate(found, 1)]


def commands(session: str) -> list[str]:
    """What is typed in a console block: the lines behind a `$`."""
    joined = session.replace("\\\n", " ")
    return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


def run(
    command: list[str], folder: Path, *, with_log: bool, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with a home there and no configuration but what lies there.

    Args:
        with_log: have stderr, where the log lines go, in stdout as a terminal shows them.
        variables: of the environment.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAXIETL_")}
    environment = (
        kept
        | variables
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "error",
            "TAXIETL_HOME": str(folder / "home"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
    )
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if with_log else subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )


def has_log(text: str | None) -> bool:
    """The text shows lines of the log."""
    return text is not None and " | INFO " in text


def check_text(printed: str, expected: str) -> None:
    """Demand that it is what the page shows; `…` stands for any lines.

    Times, durations and names of two words may be others.
    """
    shown = _masked(expected)
    pattern = "".join(
        "(?:.*\n)*?" if line == "…" else f"{re.escape(line)}\n" for line in shown.splitlines()
    )
    assert re.fullmatch(pattern, _masked(printed)), f"{printed}\n--- but the page shows\n{expected}"


def _masked(text: str) -> str:
    for what, mask in ((_CLOCK, "TIME"), (_DURATION, "0.00 s"), (_TWO_WORDS, "two-words")):
        text = what.sub(mask, text)
    lines = text.splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines if line.strip())
