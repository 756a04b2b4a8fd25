"""Entry points, by which steps and types of profiles are found: ours and anyone's alike."""

from __future__ import annotations

import functools
import sys
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points

from taxietl.errors import ConfigError

_REINSTALL = ConfigError(
    "What the installed taxietl says it has is not what this code needs.",
    hint="Reinstall it: pip install --force-reinstall taxietl; in a clone: pip install -e .",
)


def ours(group: str) -> dict[str, EntryPoint]:
    """Those of a group that come with taxietl, by name: one package is read, which takes 0.2 ms.

    Raises:
        ConfigError: it is not installed, or its metadata is of another version.
    """
    found = _ours(tuple(sys.path)).get(group)
    if not found:
        raise _REINSTALL
    return found


@functools.lru_cache(maxsize=8)
def _ours(_search_path: tuple[str, ...]) -> dict[str, dict[str, EntryPoint]]:
    try:
        points = distribution("taxietl").entry_points
    except PackageNotFoundError:
        return {}
    found: dict[str, dict[str, EntryPoint]] = {}
    for each in points:
        found.setdefault(each.group, {})[each.name] = each
    return found


def everyones(group: str) -> dict[str, EntryPoint]:
    """Those of all packages that are installed, by name; all of them are read.

    Raises:
        ConfigError: two packages have one of that name.
    """
    return _everyones(group, tuple(sys.path))


@functools.lru_cache(maxsize=8)  # 1.5 ms each
def _everyones(group: str, _search_path: tuple[str, ...]) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            packages = sorted({package_of(other), package_of(point)} - {""})
            raise ConfigError(
                f"Two {group.removeprefix('taxietl.')} are named {point.name!r}: {other.value} "
                f"and {point.value}.",
                hint=f"Uninstall one of {', '.join(packages)}.",
            )
    return found


def package_of(point: EntryPoint) -> str:
    """The package that has it; empty if that is not known."""
    return point.dist.name if point.dist is not None else ""
