"""What must be done with a month: a pure function of version, ledger and options.

Asked before anything is fetched, again when the bytes are at hand, and once more under the
month's lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from taxietl.errors import RefusedLoadError
from taxietl.steps.month_class import MonthClass, class_of_published
from taxietl.steps.values import Entry, LoadReport, SourceVersion, Transform


@dataclass(frozen=True)
class Plan:
    """`action` is `load`, `replace`, `compare` (the bytes decide), `nothing` or `refuse`."""

    action: str
    reason: str
    hint: str = ""
    month_class: MonthClass | None = None
    """What the source has, held to what is loaded; None where nothing compared them."""

    def allowed(self) -> Plan:
        """The plan itself, unless it is to refuse.

        Raises:
            RefusedLoadError: it is.
        """
        if self.action == "refuse":
            error = RefusedLoadError(self.reason, hint=self.hint)
            error.month_class = self.month_class
            raise error
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
    found = class_of_published(
        version,
        entry.report if entry else None,
        sha256=sha256,
        loaded_last_modified=loaded_last_modified,
    )
    plan = _decided(
        version, sha256, entry, found, transforms=transforms, force=force, same_as=same_bytes_as
    )
    return replace(plan, month_class=found)


def _decided(
    version: SourceVersion,
    sha256: str | None,
    entry: Entry | None,
    found: MonthClass,
    *,
    transforms: tuple[Transform, ...],
    force: bool,
    same_as: str | None,
) -> Plan:
    is_new = entry is None or sha256 != entry.report.source_sha256
    if same_as is not None and is_new and not force:
        return Plan(
            "refuse",
            f"{version.trip_file}: these bytes are loaded as "
            f"{version.trip_file.color}-{same_as} already (SHA-256 {(sha256 or '')[:12]}).",
            hint="Check the file and the month asked for; --force loads them as this month, too.",
        )
    if entry is None:
        return Plan("load", "not loaded yet")
    if entry.rows_present is None:
        return Plan("load", "the table is gone")
    if force:
        return Plan("replace", "--force")
    match found:
        case MonthClass.OTHER_SOURCE:
            return _other_source(version, sha256, entry, transforms)
        case MonthClass.UNCHANGED:
            return _same_bytes(entry, transforms, "the source's version is unchanged")
        case MonthClass.TOUCHED:
            return _same_bytes(entry, transforms, "the source was touched, its bytes are the same")
        case MonthClass.OLDER:
            return _stale(version, entry, transforms)
        case MonthClass.CHANGED:
            return Plan("compare", "the source's version changed")
    before, now = entry.report.source_sha256, sha256 or ""
    return Plan("replace", f"restated: SHA-256 {before[:12]} became {now[:12]}")


def version_loaded(report: LoadReport) -> SourceVersion:
    """The version that a load was made from, as far as the ledger tells."""
    return SourceVersion(
        report.trip_file,
        report.source,
        report.source_url,
        report.source_etag,
        report.source_bytes,
    )


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
