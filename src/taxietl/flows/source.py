"""Ask a source for a month's version, and have its bytes here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from taxietl.config import settings
from taxietl.errors import ConfigError
from taxietl.flows import retries
from taxietl.flows.progress import Doing, told
from taxietl.orchestrator import Cache, current_cancellation, get_run_logger, task
from taxietl.steps import registry
from taxietl.steps.protocols import Dated, MaybeOneFile
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile, named_month


@task(retry=retries.TRANSFERS, persist_result=False)
def probe(trip_file: TripFile, source: str) -> SourceVersion:
    """Ask the source which version of the month it has; never cached."""
    version = registry.extractor(source).probe(trip_file, cancellation=current_cancellation())
    file = version.url.rpartition("/")[2]
    if (named := named_month(file)) not in (None, trip_file):
        said = f"{file} is {named} by its name; it is taken for {trip_file}"
        version = replace(version, warnings=(*version.warnings, said))
    for each in version.warnings:
        get_run_logger().warning("%s", each)
    return version


def _version_key(arguments: dict[str, Any]) -> str | None:
    """Bytes that may change unseen are fetched each time."""
    version: SourceVersion = arguments["version"]
    return version.key


@task(retry=retries.TRANSFERS, cache=Cache(key=_version_key), tags={"tlc"}, version="1")
def extract(version: SourceVersion, source: str) -> SourceFile:
    """Have the file of that version on this machine; returns where it lies."""
    extractor, cancellation = registry.extractor(source), current_cancellation()
    with told(version.trip_file, Doing.FETCHING) as progress:
        return extractor.extract(
            version, into=settings().cache_dir, cancellation=cancellation, progress=progress
        )


@task(retry=retries.TRANSFERS, cache=Cache(key=_version_key), tags={"tlc"}, version="1")
def digest(version: SourceVersion, source: str) -> str:
    """The SHA-256 of that version's bytes; known on, when the file has gone from the cache.

    Else a month that was only touched, whose ledger row stays, would be fetched again by every
    run once its file has made room for others.
    """
    return extract(version, source).sha256


def modified_at(version: SourceVersion, source: str) -> datetime | None:
    """When a version that was fetched before was written; None where nobody has kept that."""
    extractor = registry.extractor(source)
    if not isinstance(extractor, Dated):
        return None
    return extractor.modified_at(version, settings().cache_dir)


def check_source(source: str, trip_files: Sequence[TripFile]) -> None:
    """Demand a source that can have these months.

    Raises:
        ConfigError: it is none; or it is one file, and the months are several.
        SourceError: it is a path at which nothing lies.
    """
    extractor = registry.extractor(source)
    if not isinstance(extractor, MaybeOneFile) or not extractor.is_one_file:
        return
    if len(trip_files) > 1:
        file = source.rstrip("/").rpartition("/")[2]
        raise ConfigError(
            f"{file} is one file, and {len(trip_files)} months are asked for.",
            hint="Ask for its month alone, or name a folder of files under the TLC's names.",
        )
