"""The line that shows a download: on terminals, now and then, and gone at its end."""

from __future__ import annotations

import io

from taxietl.cli.output import Output
from taxietl.cli.progress import ProgressLine, progress_line
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

    ProgressLine(terminal).moved(JANUARY, 12_300_000, 64_100_000)

    assert terminal.visible == "  green-2021-01  12.3 of 64.1 MB   19%"


def test_it_does_without_a_length() -> None:
    terminal = Terminal()

    ProgressLine(terminal).moved(JANUARY, 12_300_000, None)

    assert terminal.visible == "  green-2021-01  12.3 MB"


def test_it_is_written_a_few_times_a_second() -> None:
    terminal, clock = Terminal(), Clock()
    line = ProgressLine(terminal, clock=clock)

    for done in range(1, 101):
        clock.now += 0.01
        line.moved(JANUARY, done * 1_000_000, None)

    assert 8 <= terminal.getvalue().count("green") <= 11


def test_it_says_how_fast_of_what_came_since_it_is_shown() -> None:
    terminal, clock = Terminal(), Clock()
    line = ProgressLine(terminal, clock=clock)
    line.moved(JANUARY, 40_000_000, 64_000_000)  # taken up from an earlier transfer
    clock.now += 2.0

    line.moved(JANUARY, 44_000_000, 64_000_000)

    assert terminal.visible == "  green-2021-01  44.0 of 64.0 MB   69%  2.0 MB/s"


def test_it_sums_up_what_goes_on_side_by_side() -> None:
    terminal, clock = Terminal(), Clock()
    line = ProgressLine(terminal, clock=clock)
    february = TripFile("green", 2021, 2)
    line.moved(JANUARY, 0, 60_000_000)
    line.moved(february, 0, 40_000_000)
    clock.now += 2.0
    line.moved(JANUARY, 12_000_000, 60_000_000)
    clock.now += 2.0

    line.moved(february, 8_000_000, 40_000_000)

    assert terminal.visible == "  2 months  20.0 of 100.0 MB   20%  5.0 MB/s"
    line.ended(february)
    line.moved(JANUARY, 24_000_000, 60_000_000)
    assert terminal.visible == "  green-2021-01  24.0 of 60.0 MB   40%  6.0 MB/s"


def test_it_is_gone_at_the_end() -> None:
    terminal = Terminal()
    line = ProgressLine(terminal)
    line.moved(JANUARY, 5, 10)

    line.ended(JANUARY)

    assert terminal.visible == ""


def test_what_was_never_shown_clears_nothing() -> None:
    terminal = Terminal()

    ProgressLine(terminal).ended(JANUARY)

    assert terminal.getvalue() == ""


def test_it_is_for_terminals_and_not_for_the_quiet() -> None:
    assert progress_line(Output(), io.StringIO()) is None
    assert progress_line(Output(quiet=True), Terminal()) is None
    assert progress_line(Output(), Terminal()) is not None
