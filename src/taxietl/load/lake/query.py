"""Ask a lake on disk something: each colour's months as one table, the zones, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb  # noqa: TID253  imported only where the lake is asked
import pyarrow as pa  # noqa: TID253

from taxietl.errors import ConfigError, TargetError
from taxietl.load.duckdb_query import LOCKED_DOWN, Answer, check_reading
from taxietl.load.lake.folder import FolderStore, local_path
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.values import Form

_MEMORY = "400MB"


@contextmanager
def queried(lake: Lake, statement: str) -> Iterator[pa.RecordBatchReader]:
    """The statement's rows; tables are called as in a warehouse, `yellow_trips`.

    Raises:
        ConfigError: it is not one reading statement, or is wrong; or the lake is a bucket.
        TargetError: nothing was uploaded yet, or a file cannot be read.
    """
    check_reading(statement)
    if not isinstance(lake.store, FolderStore):
        raise ConfigError(
            f"{lake.store.address} cannot be asked: DuckDB has no way to a bucket's files "
            "without an extension, which would be downloaded.",
            hint="Upload to a profile of type 'folder' and ask that, or load the months with "
            "`taxietl ingest` into a warehouse.",
        )
    root = Path(lake.store.address)
    tables = _tables(lake, root)
    if not tables:
        raise TargetError(f"There is nothing in {root} yet.", hint="`taxietl upload-gcs` does it.")
    with (
        closing(duckdb.connect(config={"memory_limit": _MEMORY})) as connection,
        Answer(connection, root) as answer,
    ):
        for name, paths in tables.items():
            connection.read_parquet(paths).create_view(name)
        connection.execute(f"SET allowed_paths = {[each for of in tables.values() for each in of]}")
        for setting in LOCKED_DOWN:
            connection.execute(setting)
        yield answer.to(statement)


def _tables(lake: Lake, root: Path) -> dict[str, list[str]]:
    """The files of each table that the manifests name, and that are there."""
    tables: dict[str, list[str]] = {}
    for manifest in lake.manifests():
        for version in manifest.newest():
            path = local_path(root, version.facts.key)
            if version.facts.form is Form.PARQUET and path.exists():
                tables.setdefault(manifest.table, []).append(str(path))
    return tables
