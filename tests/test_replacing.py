"""Files that are replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxietl.replacing import replacing


def test_the_file_is_there_after_the_block_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    with replacing(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"

    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_in_the_block_leaves_the_old_file(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def replace() -> None:
        with replacing(path) as beside:
            beside.write_text("half")
            raise error

    with pytest.raises(error):
        replace()

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
