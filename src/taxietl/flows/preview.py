"""What `ingest` would do with a month, and what that month holds, without doing it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from taxietl.config import settings
from taxietl.errors import CorruptFileError
from taxietl.flows.ingest import IngestOptions, Planned, plan
from taxietl.flows.source import probe
from taxietl.steps import registry
from taxietl.steps.protocols import Extractor, Glimpse
from taxietl.steps.values import SourceVersion
from taxietl.tlc.column_rules import ColumnRules
from taxietl.tlc.layouts import match
from taxietl.tlc.trip_file import TripFile

_TAIL_BYTES = 64 * 1024
"""The TLC's footers have 10 to 60 KB; of a longer one the rest is fetched, too."""

_MAGIC = b"PAR1"


@dataclass(frozen=True)
class Contents:
    """What a Parquet file's footer says of it."""

    rows: int
    columns: tuple[str, ...]
    """As published."""

    era: str


@dataclass(frozen=True)
class Preview:
    """What would be done, and with what."""

    planned: Planned
    contents: Contents | None
    """None of a file that says so only when read, or that need not be looked at."""


def preview(trip_file: TripFile, options: IngestOptions) -> Preview:
    """What `ingest` would do, without a download.

    Raises:
        RefusedLoadError: it would refuse.
        SchemaError: the file is of no era of its colour.
    """
    extractor = registry.extractor(options.source)
    version = probe(trip_file, options.source)
    planned = plan(version, options)
    if planned.action != "nothing" and version.at_hand:
        file = extractor.extract(version, into=settings().cache_dir)
        planned = plan(version, options, file.sha256)
    elif planned.action == "compare":
        planned = replace(
            planned, reason=f"{planned.reason}; only a download tells if its bytes did"
        )
    if planned.action == "nothing":
        return Preview(planned, None)
    return Preview(planned, _contents(extractor, version, options.column_rules))


def _contents(extractor: Extractor, version: SourceVersion, rules: ColumnRules) -> Contents | None:
    """By the file's last bytes, where these can be had alone."""
    if not isinstance(extractor, Glimpse) or version.url.endswith((".csv", ".csv.gz")):
        return None
    tail = extractor.tail(version, _TAIL_BYTES)
    if tail is None or not tail.endswith(_MAGIC) or len(tail) < 12:
        return None
    footer_bytes = int.from_bytes(tail[-8:-4], "little") + 8
    if footer_bytes > len(tail):
        tail = extractor.tail(version, footer_bytes) or b""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(pa.BufferReader(tail))
        names = tuple(metadata.schema.to_arrow_schema().names)
    except (pa.ArrowException, OSError) as error:
        raise CorruptFileError(
            f"{version.url}: the Parquet footer cannot be read.",
            hint="Run again; if it stays so, name another source.",
        ) from error
    return Contents(metadata.num_rows, names, match(names, version.trip_file, rules).era.name)
