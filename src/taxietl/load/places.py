"""Places on this machine that the first load makes: whether it will be able to."""

from __future__ import annotations

import os
from pathlib import Path

from taxietl.errors import TargetError


def check_can_be_made(path: Path) -> None:
    """Demand that a file or folder, and the folders it lies in, can be made; makes nothing.

    Raises:
        TargetError: something on the way is no folder, or this user may not write there.
    """
    nearest = next(each for each in path.parents if each.exists())
    if not nearest.is_dir():
        raise TargetError(
            f"{path} cannot be made: {nearest} is not a folder.",
            hint="Name another `path` in the profile.",
        )
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise TargetError(
            f"{path} cannot be made: this user may not write to {nearest}.",
            hint="Check the folder's owner and mode, or name another `path` in the profile.",
        )
