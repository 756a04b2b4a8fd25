"""What must be done with a month: a pure function of version, ledger and options.

Asked before anything is fetched, again when the bytes are at hand, and once more under the
month's lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from taxietl.errors import RefusedLoadError
from taxietl.steps.values import Entry, LoadReport, SourceVersion, Transform


@dataclass(frozen=True)
class Plan:
    """`action` is `load`, `replace`, `compare` (the bytes decide), `nothing` or `refuse`."""

    action: str
    reason: str
    hint: str = ""

    def allowed(self) -> Plan:
        """The plan itself, unless it is to refuse.

        Raises:
            RefusedLoadError: it is.
        """
        if self.action == "refuse":
            raise RefusedLoadError(self.reason, hint=self.hint)
        return self


def decide(
    version: SourceVersion,
    sha256: str | None,
    entry: Entry | None,
    *,
    transforms: tuple[Transform, ...],
    force: bool,
    loaded_last_modified: datetime | None = None,
    same_bytes_as: str | None = None,
) -> Plan:
    """Compare what is published with what is loaded.

    Args:
        version: what the source has.
        sha256: of its bytes, where they were read; None before that.
        entry: the month's current row in the ledger, None if it has none.
        transforms: what is to be applied.
        force: load whatever the comparison says.
        loaded_last_modified: when the version that is loaded was written, if that is known.
        same_bytes_as: another month that was loaded from these bytes, `2021-01`.

    Where the bytes were read, they decide: a version that claims to be unchanged does not.
    """
    is_new = entry is None or sha256 != entry.report.source_sha256
    if same_bytes_as is not None and is_new and not force:
        return Plan(
            "refuse",
            f"{version.trip_file}: these bytes are loaded as "
            f"{version.trip_file.color}-{same_bytes_as} already (SHA-256 {(sha256 or '')[:12]}).",
            hint="Check the file and the month asked for; --force loads them as this month, too.",
        )
    if entry is None:
        return Plan("load", "not loaded yet")
    if entry.rows_present is None:
        return Plan("load", "the table is gone")
    if force:
        return Plan("replace", "--force")
    if version.source != entry.report.source:
        return _other_source(version, sha256, entry, transforms)
    unchanged = _same_version(version, entry)
    if sha256 == entry.report.source_sha256 or (unchanged and sha256 is None):
        touched = "the source was touched, its bytes are the same"
        why = "the source's version is unchanged" if unchanged else touched
        return _same_bytes(entry, transforms, why)
    if sha256 is None and _is_older(version, loaded_last_modified):
        return _stale(version, entry, transforms)
    if sha256 is None:
        return Plan("compare", "the source's version changed")
    return Plan(
        "replace",
        f"restated: SHA-256 {entry.report.source_sha256[:12]} became {sha256[:12]}",
    )


def version_loaded(report: LoadReport) -> SourceVersion:
    """The version that a load was made from, as far as the ledger tells."""
    return SourceVersion(
        report.trip_file,
        report.source,
        report.source_url,
        report.source_etag,
        report.source_bytes,
    )


def _is_older(version: SourceVersion, loaded_last_modified: datetime | None) -> bool:
    """Whether the source shows what it had before: one of its servers is behind the others."""
    if version.last_modified is None or loaded_last_modified is None:
        return False
    return version.last_modified < loaded_last_modified


def _stale(version: SourceVersion, entry: Entry, transforms: tuple[Transform, ...]) -> Plan:
    """Keep what is loaded; what would need its bytes again has to wait for them."""
    why = f"the source shows an older file, of {version.last_modified:%Y-%m-%d %H:%M}, ignored"
    plan = _same_bytes(entry, transforms, why)
    if plan.action == "nothing":
        return plan
    return Plan(
        "refuse",
        f"{version.trip_file} is to be loaded again ({plan.reason}), but {why}.",
        hint="Run again later, when the source shows the newer one; --force loads the older.",
    )


def _same_version(version: SourceVersion, entry: Entry) -> bool:
    """Whether the source says that nothing changed; a size it does not know is no difference."""
    loaded = entry.report
    return (
        version.etag is not None
        and (version.url, version.etag) == (loaded.source_url, loaded.source_etag)
        and version.size_bytes in (None, loaded.source_bytes)
    )


def _other_source(
    version: SourceVersion, sha256: str | None, entry: Entry, transforms: tuple[Transform, ...]
) -> Plan:
    if sha256 is None and version.at_hand:
        return Plan("compare", f"other source: loaded from {entry.report.source}")
    if sha256 == entry.report.source_sha256:
        return _same_bytes(
            entry, transforms, f"the same bytes were loaded from {entry.report.source}"
        )
    return Plan(
        "refuse",
        f"{version.trip_file} was loaded from another source, {entry.report.source}; "
        f"{version.source} has other bytes.",
        hint="Add --force to replace it by this one.",
    )


def _same_bytes(entry: Entry, transforms: tuple[Transform, ...], why: str) -> Plan:
    """The bytes are those of the ledger: only the table and the rules can still differ."""
    if entry.rows_present != entry.report.rows_loaded:
        return Plan(
            "replace",
            f"the table holds {entry.rows_present:,} of the {entry.report.rows_loaded:,} rows "
            "loaded",
        )
    before, now = entry.report.contract_version, entry.report.trip_file.dataset.contract_version
    if before != now:
        return Plan("replace", f"loaded under contract {before}; the current one is {now}")
    if entry.report.transforms != transforms:
        before = ", ".join(each.name for each in entry.report.transforms) or "none"
        after = ", ".join(each.name for each in transforms) or "none"
        if before == after:
            return Plan("replace", f"the version or options of {after} changed")
        return Plan("replace", f"other transforms: {after} instead of {before}")
    names = ", ".join(each.name for each in transforms) or "none"
    return Plan(
        "nothing",
        f"{why} (SHA-256 {entry.report.source_sha256[:12]}), contract {now}, "
        f"transforms {names}; {entry.report.rows_loaded:,} rows loaded by run "
        f"{entry.report.run_name!r}",
    )
