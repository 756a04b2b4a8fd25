"""Types of profiles by the names a configuration gives them, each found by its entry point.

A type is imported when a profile names it: an installed type that cannot be fails only those.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

from taxietl import plugins
from taxietl.config.base import Profile
from taxietl.errors import ConfigError, UnknownNameError

GROUP = "taxietl.profiles"


def profile_type(name: str) -> type[Profile]:
    """The type of that name.

    Raises:
        UnknownNameError: no installed package has one.
        ConfigError: two have, or it cannot be imported.
    """
    point = plugins.ours(GROUP).get(name) or plugins.everyones(GROUP).get(name)
    if point is None:
        raise UnknownNameError("profile type", name, type_names())
    return _imported(point)


def type_names() -> list[str]:
    """The names of all types that are installed, whether they can be imported or not."""
    return sorted({**plugins.everyones(GROUP), **plugins.ours(GROUP)})


def profile_types() -> Iterator[type[Profile]]:
    """All types that can be imported, ours first."""
    ours = plugins.ours(GROUP)
    for point in ours.values():
        yield _imported(point)
    for name, point in sorted(plugins.everyones(GROUP).items()):
        if name not in ours:
            try:
                yield _imported(point)
            except ConfigError:
                continue  # whoever names it is told


def type_of_scheme(scheme: str) -> type[Profile] | None:
    """The type that has URLs of that scheme; None if there is none."""
    return next((each for each in profile_types() if scheme in each.url_schemes), None)


def _imported(point: EntryPoint) -> type[Profile]:
    package = plugins.package_of(point) or "an unknown package"
    try:
        found = point.load()
    except Exception as error:
        raise ConfigError(
            f"The profile type {point.name!r} of {package} cannot be imported: "
            f"{type(error).__name__}: {error}.",
            hint=f"Reinstall {package}, or install the extra it names.",
        ) from error
    if not (isinstance(found, type) and issubclass(found, Profile)):
        raise ConfigError(
            f"The profile type {point.name!r} of {package} is no taxietl.config.Profile.",
            hint=f"Tell the authors of {package}.",
        )
    return found
