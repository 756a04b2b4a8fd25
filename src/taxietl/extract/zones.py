"""Find the zone look-up file in what `--source` names, and read it whole: it has 12 kB."""

from __future__ import annotations

from pathlib import Path

from taxietl.config import settings
from taxietl.errors import (
    ConfigError,
    CorruptFileError,
    MissingFileError,
    SourceError,
    UnknownNameError,
)
from taxietl.steps.protocols import NEVER, Cancellation
from taxietl.steps.zones import ZoneFile
from taxietl.tlc.zones import FILE_NAMES

LARGEST_BYTES = 1_000_000
"""No zone table has as many; a month of trips has more."""


def zone_file(source: str, *, cancellation: Cancellation = NEVER) -> ZoneFile:
    """The file at a path or address, in a folder under one of the TLC's names, or of a server.

    Args:
        source: that, or a server's name as the configuration has it.
        cancellation: asked while the file is fetched.

    Raises:
        UnknownNameError: the source is none of these.
        ConfigError: the server of that name has no zone table.
        MissingFileError: nothing lies there.
        SourceError: it cannot be had or read, or is too large to be a zone table.
    """
    servers = settings().sources
    address = source if "://" in source else None
    if source in servers:
        address = servers[source].zones
        if address is None:
            raise ConfigError(
                f"The source {source!r} has no zone table.",
                hint=f"Write its address in the configuration: [sources.{source}] zones = …",
            )
    if address is not None:
        # Loads httpx, which a file at hand does not need.
        from taxietl.extract.http.small import content_of

        content = content_of(address, cancellation=cancellation)
        # A query may hold a token, which is sent and never written down.
        return ZoneFile(source.partition("?")[0], address.partition("?")[0], content)
    path = Path(source).expanduser()
    if path.is_dir():
        path = _in_folder(path)
    elif not path.exists():
        if path.name == source and not path.suffix:
            raise UnknownNameError(
                "source", source, servers, hint="Or name an address, a folder or a file."
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
        hint=f"Looked for {', '.join(FILE_NAMES)} there and in its folder misc.",
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
