"""Paths as a configuration file writes them: `~`, and relative to that file.

They are made absolute when they are read, so that a later change of the working directory
does not move them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo


@dataclass(frozen=True)
class Surroundings:
    """What a value's meaning depends on besides itself; pydantic's validation context."""

    folder: Path
    """The configuration file's folder; without a file, the working directory."""
    home: Path
    """TAXIETL_HOME, where a file goes that no path was given for."""


def absolute(path: str | Path, info: ValidationInfo) -> Path:
    """The path with `~` expanded, relative to the configuration file's folder."""
    if not str(path).strip():
        raise ValueError("must not be empty")
    if "\0" in str(path):
        raise ValueError("must be a path without a NUL character")
    try:
        expanded = Path(path).expanduser()
    except RuntimeError:
        raise ValueError("names a user with ~ whose home folder cannot be found") from None
    around = info.context
    return (around.folder if isinstance(around, Surroundings) else Path.cwd()) / expanded


def _from_config(value: object, info: ValidationInfo) -> object:
    """Leave what is no path to pydantic's own message."""
    return absolute(value, info) if isinstance(value, str | Path) else value


ConfigPath = Annotated[Path, BeforeValidator(_from_config)]
