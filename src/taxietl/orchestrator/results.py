"""JSON for what goes into a task and what comes out of it; never a pickle.

Arguments are written one way only: to be shown, and to be told apart (a cache's key). Results
are written to be read again, and only what comes back equal counts as stored.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from taxietl.digests import sha256_of

MAX_BYTES = 64 * 1024
"""What the history keeps of one result or one call's arguments; more belongs in a file."""

MAX_CACHED_BYTES = 1024 * 1024
"""What a cache entry's result may take."""

NATIVE = (type(None), bool, int, float, str)
MASK = "**********"
_HIDDEN = re.compile(r'"<|\*{10}')
_SHORTENED = re.compile(r'"<\w+ of [\d,]+>"')
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/@\s]*):[^@/\s]+@")


class NotStorableError(Exception):
    """The value has no JSON form that comes back as it was; says why."""


class ResultCodec:
    """JSON of the results of one task, by its return annotation.

    Args:
        annotation: what `typing` knows of the result; None if the task has none that can be
            resolved, and then only JSON's own types can be stored.
        adapter: pydantic's for that annotation, if there is one already.
    """

    def __init__(self, annotation: Any, adapter: Any = None) -> None:
        self._annotation = None if annotation in (Any, object) else annotation
        self._adapter = adapter

    def encode(self, value: object, *, max_bytes: int = MAX_BYTES) -> str:
        """The result as JSON.

        Raises:
            NotStorableError: it has no such form, or takes more than max_bytes.
        """
        # Each element takes a byte at least: no need to write a long list to know.
        if isinstance(value, (Sequence, Mapping, AbstractSet)) and len(value) > max_bytes:
            raise NotStorableError(f"it takes more than {max_bytes:,} bytes as JSON")
        text = self._dump(value)
        if len(text) > max_bytes:
            raise NotStorableError(f"it takes {len(text):,} bytes as JSON, over {max_bytes:,}")
        if not self._is_plain(value):
            try:
                back = self.decode(text)
                is_same = type(back) is type(value) and bool(back == value)
            except Exception as error:
                raise NotStorableError(f"its JSON cannot be read again: {error}") from error
            if not is_same:
                raise NotStorableError(
                    f"a {type(value).__name__} does not come back from JSON as it was"
                )
        return text

    def decode(self, text: str) -> Any:
        """The result again; raises ValueError if the text does not fit the annotation."""
        if self._annotation is None:
            return json.loads(text)
        if self._annotation in NATIVE:
            value = json.loads(text)
            if type(value) is not self._annotation:
                raise ValueError(f"{type(value).__name__} instead of {self._annotation.__name__}")
            return value
        return self._type_adapter().validate_json(text)

    def _is_plain(self, value: object) -> bool:
        """JSON alone brings it back as it is; spares most tasks the import of pydantic."""
        return (self._annotation is None or self._annotation is type(value)) and _is_native(value)

    def _dump(self, value: object) -> str:
        if self._is_plain(value):
            return json.dumps(value, ensure_ascii=False)
        if self._annotation is None:
            raise NotStorableError(
                f"a {type(value).__name__} has no JSON form by itself;"
                " annotate what the task returns"
            )
        try:
            return str(self._type_adapter().dump_json(value, warnings="error").decode())
        except Exception as error:
            raise NotStorableError(f"{type(error).__name__}: {error}") from error

    def _type_adapter(self) -> Any:
        if self._adapter is None:
            from pydantic import TypeAdapter

            annotation: Any = self._annotation
            self._adapter = TypeAdapter(annotation)
        return self._adapter


@dataclass(frozen=True)
class FilePrint:
    """What a file was when a result that names it was stored."""

    path: str
    size: int
    sha256: str

    @classmethod
    def take(cls, path: Path) -> FilePrint:
        """The fingerprint of the file as it is now."""
        digest, size = sha256_of(path)
        return cls(str(path), size, digest)

    def difference(self) -> str:
        """Why the file is not what it was; empty if it is."""
        path = Path(self.path)
        if not path.is_file():
            return f"{path} is missing"
        try:
            if path.stat().st_size != self.size or FilePrint.take(path) != self:
                return f"{path} has changed"
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
        return ""


def prints_as_text(prints: Iterable[FilePrint]) -> str:
    """Fingerprints as JSON."""
    return json.dumps([asdict(each) for each in prints])


@dataclass(frozen=True)
class Stored:
    """A result as the history keeps it."""

    result: str | None
    """JSON; None if it has none that comes back as it was."""
    files: str | None = None
    """The fingerprints of the files that it names."""


NOT_STORED = Stored(None)


def stored(codec: ResultCodec, value: object, prints: Sequence[FilePrint] | None = None) -> Stored:
    """Write a result for the history; the prints are those of its files, if they are known."""
    try:
        text = codec.encode(value)
        if prints is None:
            prints = [FilePrint.take(path) for path in files_in(value)]
    except (NotStorableError, OSError):  # a file that cannot be read cannot be recognised either
        return NOT_STORED
    return Stored(text, prints_as_text(prints) if prints else None)


def file_difference(prints: str | None) -> str:
    """Why a file of fingerprints written by `prints_as_text` is not what it was, or empty."""
    if prints is None:
        return ""
    differences = (FilePrint(**each).difference() for each in json.loads(prints))
    return next((each for each in differences if each), "")


def files_in(value: object) -> Iterator[Path]:
    """The existing regular files that a result names by a `Path`, at any depth."""
    if isinstance(value, Path):
        if value.is_file():
            yield value
    elif not isinstance(value, (str, bytes)):
        for part in _parts(value):
            yield from files_in(part)


def shown(arguments: Mapping[str, object]) -> str:
    """Arguments as JSON for the history: secrets masked, what has no JSON form as `<type>`."""
    text = json.dumps(_plain(arguments, for_show=True), ensure_ascii=False)
    if len(text) > MAX_BYTES:
        text = json.dumps({name: f"<{type(each).__name__}>" for name, each in arguments.items()})
    return text


def digest_of(arguments: Mapping[str, object], text: str) -> str | None:
    """What tells arguments apart where the text shown does not; None where it does.

    Args:
        arguments: those of a call.
        text: the same as `shown` writes them.

    Returns:
        A digest; empty if they have no canonical form, or are too big to be worth one.
    """
    if not _HIDDEN.search(text):
        return None
    if _SHORTENED.search(text):
        return ""
    try:
        return told_apart(arguments)
    except NotStorableError:
        return ""


def told_apart(arguments: Mapping[str, object]) -> str:
    """A digest of arguments that is the same for equal ones, in any process.

    Secrets take part in it, and cannot be read from it.

    Raises:
        NotStorableError: an argument has no canonical form.
    """
    plain = _plain(arguments, for_show=False)
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _is_native(value: object) -> bool:
    """JSON's own types, at any depth, and nothing that JSON would change in silence."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) in NATIVE:
        return True
    if type(value) is list:
        return all(_is_native(each) for each in value)
    if type(value) is dict:
        return all(type(key) is str and _is_native(each) for key, each in value.items())
    return False


def _parts(value: object) -> Iterable[object]:
    """What a container, dataclass or model holds."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, AbstractSet)):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(getattr(type(value), "model_fields", None), dict):  # pydantic's
        return [getattr(value, name) for name in type(value).model_fields]  # type: ignore[attr-defined]
    return ()


def _plain(value: object, *, for_show: bool) -> object:
    """A value made of JSON's types only."""

    def plain(part: object) -> object:
        return _plain(part, for_show=for_show)

    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        # A password in a URL has no type to tell it by.
        return _PASSWORD_IN_URL.sub(rf"\1:{MASK}@", value) if for_show else str(value)
    if isinstance(value, NATIVE):
        return value
    if isinstance(value, (list, tuple, Mapping, AbstractSet)) and for_show and len(value) > 10_000:
        return f"<{type(value).__name__} of {len(value):,}>"
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {str(key): plain(each) for key, each in value.items()}
        return sorted(([plain(key), plain(each)] for key, each in value.items()), key=json.dumps)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, AbstractSet):
        return sorted((plain(each) for each in value), key=json.dumps)
    if callable(reveal := getattr(value, "get_secret_value", None)):
        return MASK if for_show else plain(reveal())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(getattr(type(value), "model_fields", None), dict):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}  # type: ignore[attr-defined]
    return _scalar(value, for_show=for_show)


def _scalar(value: object, *, for_show: bool) -> object:
    """A value without parts."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (PurePath, Decimal, UUID)):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if for_show:
        return f"<{type(value).__name__}>"
    raise NotStorableError(f"a {type(value).__name__} has no canonical form")
