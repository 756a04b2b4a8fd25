"""Find the zone look-up file in what `--source` names, and read it whole: it has 12 kB."""

from __future__ import annotations

from pathlib import Path

from taxietl.errors import ConfigError, CorruptFileError, MissingFileError, SourceError
from taxietl.steps.zones import ZoneFile
from taxietl.tlc.zones import FILE_NAMES, URL

LARGEST_BYTES = 1_000_000
"""No zone table has as many; a month of trips has more."""


def zone_file(source: str) -> ZoneFile:
    """The file at a path, or in a folder under one of the TLC's names.

    Raises:
        ConfigError: the source is neither.
        MissingFileError: nothing lies there.
        SourceError: it cannot be read, or is too large to be a zone table.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        path = _in_folder(path)
    elif not path.exists():
        if path.name == source and not path.suffix:
            raise ConfigError(
                f"The zone table cannot be had from {source!r}.",
                hint=f"Download {URL}, and name the file: --source {FILE_NAMES[0]}.",
            )
        raise MissingFileError(
            f"There is nothing at {source}.", hint="Give --source a folder or a file that exists."
        )
    return ZoneFile(source, path.resolve().as_uri(), _content(path))


def _in_folder(folder: Path) -> Path:
    for name in FILE_NAMES:
        for place in (folder, folder / "misc"):
            if (place / name).is_file():
                return place / name
    raise MissingFileError(
        f"{folder} has no zone table.",
        hint=f"Looked for {' and '.join(FILE_NAMES)} there and in its folder misc.",
    )


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise CorruptFileError(
                f"{path} is too large to be the zone table, which has some 12,000 bytes.",
                hint=f"It is the file {FILE_NAMES[0]} of the TLC's page.",
            )
        return path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
        ) from error
