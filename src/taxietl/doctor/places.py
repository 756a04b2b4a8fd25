"""The home folder, and whether the disks have room for what a load brings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from taxietl.config import LakeProfile, Settings
from taxietl.doctor.examination import Check
from taxietl.errors import ConfigError, TargetError
from taxietl.findings import Finding
from taxietl.orchestrator.store.database import refuse_network_file_system

HOME, DISK = "home", "disk"

FreeBytes = Callable[[Path], int]
"""What is free for this user where a folder lies."""

DOWNLOAD_BYTES = 700_000_000
"""The largest file of the TLC's is fhvhv's of March 2019, 611 MB as Parquet."""
LAKE_BYTES = 2 * DOWNLOAD_BYTES
"""A month that replaces another lies beside it for a moment."""
WAREHOUSE_BYTES = 2_500_000_000
"""Some 50 bytes for each of that month's 24 million rows, and as many while it is replaced."""
NO_ROOM_BYTES = 100_000_000
"""With less than this not even an ordinary month can be loaded."""

_OTHER_HOME = "Choose a folder you may write to with --home DIR (or TAXIETL_HOME)."


def home_check(home: Path) -> Check:
    """What looks at the home folder; it is not made."""
    return Check(HOME, "", lambda: [Finding.ok(HOME, "", _home(home))])


def _home(home: Path) -> str:
    nearest = _nearest(home)
    refuse_network_file_system(nearest)
    if not nearest.is_dir():
        raise ConfigError(f"{home} cannot be made: {nearest} is a file.", hint=_OTHER_HOME)
    used = [home / name for name in ("history.db", "runs", "cache")] if nearest == home else []
    for each in (nearest, *used):
        if each.exists() and not os.access(each, os.W_OK):
            raise ConfigError(f"This user may not write to {each}.", hint=_OTHER_HOME)
    if nearest != home:
        return f"There is no {home} yet; the first run makes it."
    return f"{home} can be written."


@dataclass(frozen=True)
class _Need:
    path: Path
    bytes: int
    what: str


def disk_check(settings: Settings, free_bytes: FreeBytes) -> Check:
    """What compares the room on the disks with what a month takes."""
    return Check(DISK, "", lambda: _disks(settings, free_bytes))


def _disks(settings: Settings, free_bytes: FreeBytes) -> Iterator[Finding]:
    by_disk: dict[int, list[_Need]] = {}
    for need in _needs(settings):
        by_disk.setdefault(_nearest(need.path).stat().st_dev, []).append(need)
    for needs in by_disk.values():
        yield _disk(needs, free_bytes(_nearest(needs[0].path)))
    yield from _cache(settings, free_bytes)


def _needs(settings: Settings) -> Iterator[_Need]:
    yield _Need(settings.cache_dir, DOWNLOAD_BYTES, "downloads")
    for profile in settings.profiles.values():
        if profile.disk_path is not None:
            needed = LAKE_BYTES if isinstance(profile, LakeProfile) else WAREHOUSE_BYTES
            yield _Need(profile.disk_path, needed, f"profile {profile.name}")


def _disk(needs: list[_Need], free: int) -> Finding:
    needed = sum(each.bytes for each in needs)
    listed = ", ".join(f"{_size(each.bytes)} in {each.path} ({each.what})" for each in needs)
    message = f"{_size(free)} free; the largest months take up to {listed}"
    hint = "Make room there, or have it elsewhere: --home DIR, `path` in the profile."
    if free < NO_ROOM_BYTES:
        return Finding.problem(DISK, "", TargetError(f"{message}.", hint=hint))
    if free < needed:
        return Finding.warning(DISK, "", f"{message}.", hint=hint)
    return Finding.ok(DISK, "", f"{message}.")


def _cache(settings: Settings, free_bytes: FreeBytes) -> Iterator[Finding]:
    """Whether the cache can grow to what it may."""
    folder, most = settings.cache_dir, settings.cache.max_size
    kept = _bytes_in(folder)
    free = free_bytes(_nearest(folder))
    if most - kept > free:
        yield Finding.warning(
            DISK,
            "",
            f"The cache may grow to {_size(most)}; it has {_size(kept)}, and {_size(free)} are "
            "free.",
            hint='Set a smaller `max_size` in [cache], such as max_size = "2GB".',
        )


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size  # noqa: PTH116, PTH118
            except OSError:  # removed meanwhile
                continue
    return total


def _nearest(path: Path) -> Path:
    """The path itself if it exists, else the folder nearest to it that does."""
    return next(each for each in (path, *path.parents) if each.exists())


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"
