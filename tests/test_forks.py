from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from taxietl import forks
from taxietl.forks import UnsharedFile


def in_a_child(check: Callable[[], bool]) -> bool:
    """What a forked child finds."""
    if not (child := os.fork()):
        os._exit(0 if check() else 1)
    return os.waitpid(child, 0)[1] == 0


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_a_forked_child_has_the_file_closed_and_its_parent_has_not(tmp_path: Path) -> None:
    file = UnsharedFile(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    number = file.descriptor

    assert in_a_child(lambda: not is_open(number) and not file.is_open)

    assert file.is_open
    file.close()
    file.close()
    assert not is_open(number)


def test_a_closed_files_number_is_not_closed_again_in_a_child(tmp_path: Path) -> None:
    file = UnsharedFile(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    file.close()
    with (tmp_path / "other").open("w") as other:
        assert in_a_child(lambda: is_open(other.fileno()))


def test_a_forked_child_may_open_and_fork_itself(tmp_path: Path) -> None:
    def check() -> bool:
        file = UnsharedFile(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
        return in_a_child(lambda: not file.is_open)

    assert in_a_child(check)


def test_no_child_is_made_while_a_file_is_being_opened(tmp_path: Path) -> None:
    """Between the opening and the noting, a child would keep it."""
    opening, forked = threading.Event(), threading.Event()

    def open_slowly() -> None:
        with forks._opening:
            opening.set()
            assert not forked.wait(0.05)

    thread = threading.Thread(target=open_slowly)
    thread.start()
    opening.wait()
    assert in_a_child(lambda: True)
    forked.set()
    thread.join()
