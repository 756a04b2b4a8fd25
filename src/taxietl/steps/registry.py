"""Find a step by its name among the installed entry points, or by what `--source` points at.

A source is a step of that name, a server that the configuration names, an address, or a path.

Two steps of one name are an error that names both packages. A step is imported only when asked for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, cast

from taxietl import plugins
from taxietl.config import LakeProfile, Profile, settings
from taxietl.config.profile_types import profile_type
from taxietl.errors import ConfigError, SourceError, TaxietlError, UnknownNameError
from taxietl.masking import masked_json
from taxietl.modules import load_module
from taxietl.steps.protocols import Extractor, MonthlyTransformer, Transformer
from taxietl.steps.rules import Rule, parse, values_of
from taxietl.steps.values import Transform

_KINDS = ("folder", "file", "http", "lake")
"""Extractors that are chosen by what they are pointed at, and are no names of sources."""

_BUCKETS = ("gs://", "gcs://")


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
    except Exception as error:
        package = plugins.package_of(point) or "an unknown package"
        raise ConfigError(
            f"The {kind.removesuffix('s')} {name!r} of {package} cannot be imported: "
            f"{type(error).__name__}: {error}.",
            hint=f"Reinstall {package}, or install the extra it names.",
        ) from error


def _made(kind: str, name: str, *arguments: Any) -> Any:
    """A step of that name, made."""
    step = load(kind, name)
    try:
        return step(*arguments)
    except TaxietlError:
        raise
    except Exception as error:
        raise ConfigError(
            f"The {kind.removesuffix('s')} {name!r} cannot be made: "
            f"{type(error).__name__}: {error}.",
            hint=f"It has to be callable with {len(arguments) or 'no'} arguments.",
        ) from error


def extractor(source: str) -> Extractor:
    """The extractor for what `--source` says: a name, a lake's profile, an address or a path.

    Raises:
        UnknownNameError: neither a name nor a path.
        ConfigError: an address that cannot be right, or a name that two have.
        SourceError: a path at which nothing lies.
    """
    found = {
        name: point for name, point in _entry_points("extractors").items() if name not in _KINDS
    }
    servers = settings().sources
    if source in found and source in servers:
        raise ConfigError(
            f"Two sources are named {source!r}: [sources.{source}], and a step of "
            f"{plugins.package_of(found[source])}.",
            hint="Give the one in the configuration another name.",
        )
    if source in found:
        return cast(Extractor, _made("extractors", source))
    if source in servers:
        return cast(Extractor, _made("extractors", "http", source, servers[source].url))
    lake = settings().profiles.get(source)
    if isinstance(lake, LakeProfile):
        return cast(Extractor, _made("extractors", "lake", lake))
    if source.startswith(_BUCKETS):
        return cast(Extractor, _made("extractors", "lake", *_in_bucket(source)))
    if "://" in source:
        named = [name for name, server in servers.items() if server.url == source]
        return cast(Extractor, _made("extractors", "http", *(named or [source])[:1], source))
    path = _path(source)
    if path.is_dir():
        return cast(Extractor, _made("extractors", "folder", path.resolve()))
    if path.exists():
        return cast(Extractor, _made("extractors", "file", path.resolve()))
    if path.name != source or path.suffix:
        raise SourceError(
            f"There is nothing at {source}.", hint="Give --source a folder or a file that exists."
        )
    lakes = [each.name for each in settings().profiles.values() if isinstance(each, LakeProfile)]
    raise UnknownNameError(
        "source", source, {*found, *servers, *lakes}, hint="Or name an address, a folder or a file."
    )


def _in_bucket(source: str) -> tuple[Profile, str | None]:
    """The bucket of an address, as a profile has it if one does, and the key in it."""
    kind: Any = profile_type("gcs")
    bucket, _, key = source.partition("://")[2].partition("/")
    if not bucket:
        raise ConfigError(f"{source} names no bucket.", hint="Write gs://BUCKET/KEY.")
    for each in settings().profiles.values():
        if isinstance(each, kind) and each.bucket_name == bucket:
            return each, key or None
    return kind(bucket=bucket), key or None


def _path(source: str) -> Path:
    """What is named, as a path; an empty text would be the current folder."""
    if not source.strip():
        raise ConfigError(
            "The source is empty.", hint="Give --source a name, an address or a path."
        )
    try:
        return Path(source).expanduser()
    except RuntimeError as error:
        raise SourceError(f"There is nothing at {source}: {error}", hint="Write it out.") from error


def transformers(
    texts: Sequence[str],
) -> list[tuple[Transform, Transformer | MonthlyTransformer]]:
    """The transformers asked for in that order, each with what the ledger says of it.

    Args:
        texts: each an entry point's name or `FILE_OR_MODULE:NAME`, with options or without;
            see `rules`.

    Raises:
        UnknownNameError: nobody has that name, or it has no such option.
        ConfigError: one cannot be made, or does not say its version.
    """
    made = []
    for rule in map(parse, texts):
        transformer = _transformer(rule)
        version = getattr(transformer, "version", None)
        if not isinstance(version, str):
            raise ConfigError(
                f"The transformer {rule.label!r} does not say its version.",
                hint="Give it an attribute `version`, a text that changes with what it does.",
            )
        made.append((Transform(rule.label, version, _options(transformer)), transformer))
    return made


def _transformer(rule: Rule) -> Transformer | MonthlyTransformer:
    step = _own(rule) if rule.location else load("transformers", rule.name)
    try:
        made = step(**values_of(rule, step))
    except TaxietlError:
        raise
    except Exception as error:
        raise ConfigError(
            f"The transformer {rule.label!r} cannot be made: {type(error).__name__}: {error}.",
            hint="It has to be a class with `transform(batch, dataset)`, or a function under "
            "@pandas_transformer; options are given as NAME:key=value.",
        ) from error
    if not any(callable(getattr(made, name, None)) for name in ("transform", "for_month")):
        raise ConfigError(
            f"{rule.label!r} is not a transformer: it has no `transform(batch, dataset)`.",
            hint="Put @pandas_transformer over a function of frames.",
        )
    return cast(Transformer | MonthlyTransformer, made)


def _own(rule: Rule) -> Any:
    """What `FILE_OR_MODULE:NAME` stands for."""
    where, attribute = rule.location or ("", "")
    module = load_module(where, name="RULE")
    if not hasattr(module, attribute):
        own = [name for name, value in vars(module).items() if callable(value)]
        raise UnknownNameError(f"transformer in {where}", attribute, own)
    return getattr(module, attribute)


def _options(transformer: object) -> dict[str, Any]:
    """A dataclass's fields, or an attribute `options`; as JSON would give them back, so that
    the ledger's compare equal; and without secrets, since whoever reads the table reads it."""
    if is_dataclass(transformer) and not isinstance(transformer, type):
        options = asdict(transformer)
    else:
        options = dict(getattr(transformer, "options", {}))
    options.pop("version", None)
    plain = json.loads(json.dumps(options, default=str))
    return cast(dict[str, Any], masked_json(plain, by_name=True))


def _entry_points(kind: str) -> dict[str, EntryPoint]:
    return plugins.everyones(f"taxietl.{kind}")
