"""Find a step by its name among the installed entry points, or by what `--source` points at.

Two steps of one name are an error that names both packages. A step is imported only when asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from taxietl.errors import ConfigError, SourceError, UnknownNameError
from taxietl.steps.protocols import Extractor, Transformer
from taxietl.steps.values import Transform


def names(kind: str) -> list[str]:
    """The names of the steps of a kind: `extractors`, `transformers` or `loaders`."""
    return sorted(_entry_points(kind))


def load(kind: str, name: str) -> Any:
    """The class or function behind a name.

    Raises:
        UnknownNameError: nobody has that name.
        ConfigError: two packages have it, or it cannot be imported.
    """
    found = _entry_points(kind)
    if name not in found:
        raise UnknownNameError(kind.removesuffix("s"), name, found)
    point = found[name]
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        package = point.dist.name if point.dist else "an unknown package"
        raise ConfigError(
            f"The {kind.removesuffix('s')} {name!r} of {package} cannot be imported: {error}.",
            hint=f"Reinstall {package}, or install the extra it names.",
        ) from error


def extractor(source: str) -> Extractor:
    """The extractor for what `--source` says: a step's name, a folder or a file.

    Raises:
        UnknownNameError: neither a name nor a path.
        SourceError: a path at which nothing lies.
    """
    path = Path(source).expanduser()
    found = _entry_points("extractors")
    if source in found and source not in ("folder", "file"):
        return cast(Extractor, load("extractors", source)())
    if path.is_dir():
        return cast(Extractor, load("extractors", "folder")(path.resolve()))
    if path.exists():
        return cast(Extractor, load("extractors", "file")(path.resolve()))
    if path.name != source or path.suffix:
        raise SourceError(
            f"There is nothing at {source}.", hint="Give --source a folder or a file that exists."
        )
    raise UnknownNameError(
        "source", source, set(found) - {"folder", "file"}, hint="Or name a folder or a file."
    )


def transformers(names: Sequence[str]) -> list[tuple[Transform, Transformer]]:
    """The transformers of those names in that order, each with what the ledger says of it."""
    made = []
    for name in names:
        transformer = cast(Transformer, load("transformers", name)())
        made.append((Transform(name, transformer.version, _options(transformer)), transformer))
    return made


def _options(transformer: Transformer) -> dict[str, Any]:
    if not is_dataclass(transformer) or isinstance(transformer, type):
        return {}
    known = {field.name for field in fields(transformer)} - {"version"}
    return {name: value for name, value in asdict(transformer).items() if name in known}


def _entry_points(kind: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"taxietl.{kind}"):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            packages = sorted({each.dist.name for each in (other, point) if each.dist})
            raise ConfigError(
                f"Two {kind} are named {point.name!r}: {other.value} and {point.value}.",
                hint=f"Uninstall one of {', '.join(packages)}.",
            )
    return found
