"""The line that shows a download: on terminals, now and then, and gone at its end."""

from __future__ import annotations

import io
import sys
from typing import TextIO

import pytest

from taxietl.cli.output import Output
from taxietl.cli.progress import ProgressLine, progress_shown
from taxietl.flows.progress import Doing, Moved
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("green", 2021, 1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def visible(self) -> str:
        """What its last line shows."""
        return self.getvalue().rpartition("\r\x1b[2K")[2]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_says_how_much_of_what_is_here() -> None:
    terminal = Terminal()

    ProgressLine(terminal).moved(JANUARY, Moved(Doing.FETCHING, 12_300_000, 64_100_000))

    assert terminal.visible == "  green-2021-01  fetching  12.3 of 64.1 MB   19%"


def test_it_does_without_a_length() -> None:
    terminal = Terminal()

    ProgressLine(terminal).moved(JANUARY, Moved(Doing.FETCHING, 12_300_000, None))

    assert terminal.visible == "  green-2021-01  fetching  12.3 MB"


def test_it_is_written_a_few_times_a_second() -> None:
    terminal, clock = Terminal(), Clock()
    line = ProgressLine(terminal, clock=clock)

    for done in range(1, 101):
        clock.now += 0.01
        line.moved(JANUARY, Moved(Doing.FETCHING, done * 1_000_000, None))

    assert 8 <= terminal.getvalue().count("green") <= 11


def test_it_says_how_fast_of_what_came_since_it_is_shown() -> None:
    terminal, clock = Terminal(), Clock()
    line = ProgressLine(terminal, clock=clock)
    line.moved(
        JANUARY, Moved(Doing.FETCHING, 40_000_000, 64_000_000)
    )  # taken up from an earlier transfer
    clock.now += 2.0

    line.moved(JANUARY, Moved(Doing.FETCHING, 44_000_000, 64_000_000))

    assert (
        terminal.visible == "  green-2021-01  fetching  44.0 of 64.0 MB   69%  2.0 MB/s  10 s left"
    )


def test_rows_follow_in_the_same_line() -> None:
    terminal, clock = Terminal(), Clock()
    line = ProgressLine(terminal, clock=clock)
    line.moved(JANUARY, Moved(Doing.FETCHING, 64_000_000, 64_000_000))
    line.moved(JANUARY, Moved(Doing.LOADING, 0))
    clock.now += 2.0

    line.moved(JANUARY, Moved(Doing.LOADING, 500_000))

    assert terminal.visible == "  green-2021-01  loading  500,000 rows  250,000 rows/s"


def test_what_is_written_meanwhile_stands_above_it() -> None:
    terminal = Terminal()
    line = ProgressLine(terminal)
    line.moved(JANUARY, Moved(Doing.FETCHING, 5, None))

    line.write_above("a log line\n")
    line.moved(JANUARY, Moved(Doing.FETCHING, 1_000_000, None))

    assert terminal.visible.startswith("a log line\n") is False
    assert "\r\x1b[2Ka log line\n\r\x1b[2K  green" in terminal.getvalue()


def test_it_is_gone_at_the_end() -> None:
    terminal = Terminal()
    line = ProgressLine(terminal)
    line.moved(JANUARY, Moved(Doing.FETCHING, 5, 10))

    line.ended(JANUARY)

    assert terminal.visible == ""


def test_what_was_never_shown_clears_nothing() -> None:
    terminal = Terminal()

    ProgressLine(terminal).ended(JANUARY)

    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("stream", "out"), [(io.StringIO(), Output()), (Terminal(), Output(quiet=True))]
)
def test_it_is_for_terminals_and_not_for_the_quiet(
    stream: TextIO, out: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)

    with progress_shown(out) as line:
        assert line is None


def test_stderr_is_as_before_when_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    with progress_shown(Output()) as line:
        assert line is not None
        line.moved(JANUARY, Moved(Doing.FETCHING, 1_000_000, None))
        print("something else", file=sys.stderr)

    assert sys.stderr is terminal
    assert terminal.visible == "something else\n"
