"""`taxietl lake`: what is in the lake, whether it is whole, and what it no longer needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.options import (
    ColorOption,
    DryRunOption,
    MonthOption,
    OnLakeOption,
    OnlyColorsOption,
    YearOption,
)
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.errors import ConfigError, TargetError

if TYPE_CHECKING:
    from taxietl.load.lake.inspection import Finding
    from taxietl.load.lake.lake import Lake
    from taxietl.load.lake.survey import Survey
    from taxietl.load.lake.values import Version


def register(app: Commands) -> None:
    """Add the commands."""
    group = Commands(name="lake", help="Months in a lake: list, show, verify, clean up.")
    group.add(ls)
    group.add(show)
    group.add(verify)
    group.add(gc)
    group.add(create_bucket)
    app.add_typer(group)


def ls(out: Output, color: OnlyColorsOption = None, on: OnLakeOption = "lake") -> int:
    """List the months in the lake, and its zone table."""
    from taxietl.cli.tables import table

    colors = _colors(color)
    lake = _open(on)
    found = [_surveyed(lake, each) for each in colors]
    broken = [each for _, some in found for each in some]
    versions = [each.version for one, _ in found for each in one.standings if each.version]
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
        **_broken(broken),
    }
    rows = [*months, {"month": "zones", **zones}] if zones else months
    rows = [each | {"uploaded": _clock(each["uploaded"])} for each in rows]
    text = table(headings, rows) if rows else f"nothing in {lake.store.address}"
    out.result(document, "\n".join([text, *_sentences(broken)]))
    return _code(broken)


class Broken(NamedTuple):
    """A manifest that cannot be read, or a month that is not what its manifest says."""

    uri: str
    problem: str
    sentence: str


def _surveyed(lake: Lake, color: str | None) -> tuple[Survey, list[Broken]]:
    """What is there, and what is wrong with it."""
    from taxietl.load.lake.manifest import manifest_key
    from taxietl.load.lake.standing import remedy
    from taxietl.load.lake.survey import EVERY, survey

    manifests, unreadable = lake.whole_and_broken_manifests(color)
    found = survey(lake, manifests, unreadable, of=EVERY if color is None else [color])
    broken = [
        Broken(
            lake.store.uri(manifest_key(each.color, each.month)),
            each.why,
            f"{each.message} {each.hint}",
        )
        for each in unreadable
    ]
    for each in found.standings:
        if each.problem:
            uri = lake.store.uri(each.key)
            broken.append(Broken(uri, each.problem, f"{uri} {each.problem}. {remedy(each)}"))
    return found, broken


def _broken(broken: Sequence[Broken]) -> dict[str, Any]:
    return {
        "broken": [{"uri": each.uri, "problem": each.problem} for each in broken],
        "exit_code": _code(broken),
    }


def _clock(at: str) -> str:
    """A time as a manifest has it, for people."""
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M}"


def _code(broken: Sequence[Broken]) -> int:
    return TargetError.exit_code if broken else 0


def _sentences(broken: Sequence[Broken]) -> list[str]:
    return [each.sentence for each in broken]


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
    year: YearOption,
    month: MonthOption,
    on: OnLakeOption = "lake",
) -> int:
    """Show every version of a month, newest last: its source and its contents."""
    from taxietl.load.lake.standing import demand_whole, remedy, upload_line
    from taxietl.load.lake.values import Form, month_of
    from taxietl.tlc.trip_file import trip_file

    asked = trip_file(color, year, month)
    lake = _open(on)
    manifest = lake.manifest(color, month_of(asked))
    forms = manifest.forms or (Form.PARQUET,)
    standings = [lake.standing(asked, form, else_at=lake.key(asked, form, "")) for form in forms]
    if not manifest.versions:
        demand_whole(standings, lake.store.uri)
        raise ConfigError(
            f"{asked} is not in {lake.store.address}.",
            hint=f"Upload it first: {upload_line(asked)}.",
        )
    document = {
        "trip_file": str(asked),
        "versions": [
            {**each.document(), "form": str(each.facts.form), "uri": lake.store.uri(each.facts.key)}
            for each in manifest.versions
        ],
    }
    problems = [
        f"{lake.store.uri(each.key)} {each.problem}. {remedy(each)}"
        for each in standings
        if each.problem
    ]
    lines = [_version(lake, each) for each in manifest.versions]
    out.result(document, "\n".join([*lines, *problems]))
    for problem in problems if out.json else ():
        out.note(problem)
    return TargetError.exit_code if problems else 0


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


def verify(out: Output, color: OnlyColorsOption = None, on: OnLakeOption = "lake") -> int:
    """Check every object's checksum and footer against the manifests."""
    colors = tuple(each for each in _colors(color) if each is not None)
    lake = _open(on)
    from taxietl.flows.lake_verify import verify_lake
    from taxietl.runtime import open_engine

    findings = open_engine().run(verify_lake, on, colors).result()
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
    on: OnLakeOption = "lake",
    dry_run: DryRunOption = False,
) -> int:
    """Remove leftovers of failed uploads, and objects whose month has moved to another key."""
    lake = _open(on)
    from taxietl.load.lake.inspection import leftovers

    surveyed, broken = _surveyed(lake, None)
    found = leftovers(lake, surveyed)
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
        **_broken(broken),
    }
    lines += [f"{verb} {len(found):,} objects, {freed:,} bytes", *_sentences(broken)]
    out.result(document, "\n".join(lines))
    return _code(broken)


def create_bucket(
    out: Output,
    project: Annotated[str, typer.Option(help="Google Cloud project to own the bucket.")],
    location: Annotated[
        str | None,
        typer.Option(
            help="Location of the bucket, such as EU or europe-west6.", show_default="Google's"
        ),
    ] = None,
    on: OnLakeOption = "lake",
) -> None:
    """Create the bucket that the profile names, if it does not exist."""
    from taxietl.load.lake.gcs_profile import GcsProfile

    profile = open_settings().profile(on, GcsProfile)
    from taxietl.load.lake.gcs_create import create

    is_made = create(profile, project=project, location=location)
    address, action = f"gs://{profile.bucket_name}", "made" if is_made else "nothing to do"
    out.result({"lake": address, "action": action}, f"{address}  {action}")


def _colors(given: list[str] | None) -> Sequence[str | None]:
    """The colours to look at; None alone for all there is, the zone table included."""
    from taxietl.tlc.month_texts import parse_colors

    return parse_colors(given) if given else (None,)


def _open(name: str) -> Lake:
    open_settings()
    from taxietl.flows.lake import open_lake

    return open_lake(name)
