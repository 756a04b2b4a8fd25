"""`taxietl lake`: what is in the lake, whether it is whole, and what it no longer needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.options import ColorOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.errors import ConfigError, TargetError

if TYPE_CHECKING:
    from taxietl.load.lake.inspection import Finding
    from taxietl.load.lake.lake import Lake
    from taxietl.load.lake.values import BrokenManifestError, Version

OnOption = Annotated[str, typer.Option(help="Profile of the lake.")]
ColorFilter = Annotated[str | None, typer.Option("--color", help="Only this colour.")]


def register(app: Commands) -> None:
    """Add the commands."""
    group = Commands(name="lake", help="Look at the lake.")
    group.add(ls)
    group.add(show)
    group.add(verify)
    group.add(gc)
    group.add(create_bucket)
    app.add_typer(group)


def ls(out: Output, color: ColorFilter = None, on: OnOption = "lake") -> int:
    """The months in the lake and its zone table, as their manifests tell."""
    from taxietl.cli.tables import table

    lake = _open(on, color)
    manifests, broken = lake.whole_and_broken_manifests(color)
    versions = [each for found in manifests for each in found.newest()]
    zones = next((_listed(lake, each) for each in versions if each.facts.color is None), None)
    months = [
        {"month": f"{each.facts.color}-{each.facts.month}", **_listed(lake, each)}
        for each in versions
        if each.facts.color is not None
    ]
    headings = ("month", "form", "rows", "bytes", "uploaded", "run", "uri")
    document = {
        "lake": lake.store.address,
        "months": months,
        "zones": zones,
        **_broken(lake, broken),
    }
    rows = [*months, {"month": "zones", **zones}] if zones else months
    text = table(headings, rows) if rows else f"nothing in {lake.store.address}"
    out.result(document, "\n".join([text, *_sentences(broken)]))
    return _code(broken)


def _broken(lake: Lake, broken: Sequence[BrokenManifestError]) -> dict[str, Any]:
    from taxietl.load.lake.values import manifest_key

    return {
        "broken": [
            {"uri": lake.store.uri(manifest_key(each.color, each.month)), "problem": each.why}
            for each in broken
        ],
        "exit_code": _code(broken),
    }


def _code(broken: Sequence[BrokenManifestError]) -> int:
    return TargetError.exit_code if broken else 0


def _sentences(broken: Sequence[BrokenManifestError]) -> list[str]:
    return [f"{each.message} {each.hint}" for each in broken]


def _listed(lake: Lake, version: Version) -> dict[str, Any]:
    return {
        "form": str(version.facts.form),
        "rows": version.facts.rows,
        "bytes": version.facts.size_bytes,
        "uploaded": version.facts.uploaded_at,
        "run": version.facts.run_name,
        "uri": lake.store.uri(version.facts.key),
    }


def show(
    out: Output,
    color: ColorOption,
    year: Annotated[int, typer.Option(help="Year of the file.")],
    month: Annotated[int, typer.Option(help="Month of the file.")],
    on: OnOption = "lake",
) -> None:
    """One month's versions, the newest last: where each came from, and what it held."""
    from taxietl.load.lake.values import month_of
    from taxietl.tlc.trip_file import trip_file

    asked = trip_file(color, year, month)
    lake = _open(on, color)
    manifest = lake.manifest(color, month_of(asked))
    if not manifest.versions:
        raise ConfigError(
            f"{asked} is not in {lake.store.address}.",
            hint=f"Bring it there: taxietl upload-gcs --color {color} --year {year} "
            f"--month {month}",
        )
    document = {
        "trip_file": str(asked),
        "versions": [
            {**each.document(), "form": str(each.facts.form), "uri": lake.store.uri(each.facts.key)}
            for each in manifest.versions
        ],
    }
    out.result(document, "\n".join(_version(lake, each) for each in manifest.versions))


def _version(lake: Lake, version: Version) -> str:
    facts = version.facts
    counts = [f"{facts.rows:,} rows"] if facts.rows is not None else []
    lines = [
        f"{lake.store.uri(facts.key)}  generation {version.generation}",
        f"  {', '.join([str(facts.form), *counts, f'{facts.size_bytes:,} bytes'])}, "
        f"CRC32C {facts.crc32c}",
        f"  from {facts.source_url}, SHA-256 {facts.source_sha256[:12]}",
        f"  by run {facts.run_name!r} at {facts.uploaded_at}",
    ]
    return "\n".join(lines)


def verify(out: Output, color: ColorFilter = None, on: OnOption = "lake") -> int:
    """Read every object's checksum and footer again; they must be those of the manifests."""
    lake = _open(on, color)
    from taxietl.load.lake.inspection import verify as check

    findings = check(lake, color=color)
    code = TargetError.exit_code if any(each.problems for each in findings) else 0
    document = {
        "lake": lake.store.address,
        "objects": [{**vars(each), "ok": not each.problems} for each in findings],
        "exit_code": code,
    }
    text = "\n".join(_finding(lake, each) for each in findings)
    out.result(document, text or f"nothing in {lake.store.address}")
    return code


def _finding(lake: Lake, finding: Finding) -> str:
    uri = lake.store.uri(finding.key)
    if finding.problems:
        return f"{uri}  damaged: {'; '.join(finding.problems)}"
    counts = "" if finding.rows is None else f"{finding.rows:,} rows, "
    return f"{uri}  ok: {counts}{finding.size_bytes:,} bytes"


def gc(
    out: Output,
    on: OnOption = "lake",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed.")] = False,
) -> int:
    """Remove what uploads that died left, and objects whose month lies elsewhere by now."""
    lake = _open(on, None)
    from taxietl.load.lake.inspection import leftovers

    manifests, broken = lake.whole_and_broken_manifests()
    found = leftovers(lake, manifests)
    for each in [] if dry_run else found:
        lake.store.delete(each.key, each.generation)
    removed: list[dict[str, Any]] = [vars(each) for each in found]
    freed = sum(each.size_bytes for each in found)
    verb = "would remove" if dry_run else "removed"
    lines = [f"{verb} {lake.store.uri(each.key)}: {each.why}" for each in found]
    document = {
        "dry_run": dry_run,
        "removed": removed,
        "freed_bytes": freed,
        **_broken(lake, broken),
    }
    lines += [f"{verb} {len(found):,} objects, {freed:,} bytes", *_sentences(broken)]
    out.result(document, "\n".join(lines))
    return _code(broken)


def create_bucket(
    out: Output,
    project: Annotated[str, typer.Option(help="Google Cloud project that is to own it.")],
    location: Annotated[
        str | None, typer.Option(help="Where, as EU or europe-west6. Default Google's own.")
    ] = None,
    on: OnOption = "lake",
) -> None:
    """Make the bucket that the profile names, if it is not there."""
    from taxietl.config import GcsProfile

    profile = open_settings().profile(on, GcsProfile)
    from taxietl.load.lake.gcs_create import create

    is_made = create(profile, project=project, location=location)
    address, action = f"gs://{profile.bucket_name}", "made" if is_made else "nothing to do"
    out.result({"lake": address, "action": action}, f"{address}  {action}")


def _open(name: str, color: str | None) -> Lake:
    from taxietl.tlc.datasets import dataset

    if color is not None:
        dataset(color)
    open_settings()
    from taxietl.flows.lake import open_lake

    return open_lake(name)
