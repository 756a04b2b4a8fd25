"""JSON for what comes out of a task, to be read again; never a pickle.

Only what comes back equal counts as stored; a secret is not written at all, and masked it would
not come back equal. (`arguments.py` writes what goes into a task.)
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from taxietl.masking import holds_secret
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.fingerprints import FileFingerprint, files_in, fingerprints_as_text
from taxietl.orchestrator.store.values import PLAIN

MAX_BYTES = 64 * 1024
"""What the history keeps of one result or one call's arguments; more belongs in a file."""

MAX_CACHED_BYTES = 1024 * 1024
"""What a cache entry's result may take."""

NATIVE = (type(None), bool, int, float, str)


class NotStorableError(Exception):
    """The value has no JSON form that comes back as it was; says why."""


class HoldsSecretError(NotStorableError):
    """The value has a password or a token in it, which is kept nowhere."""

    def __init__(self) -> None:
        super().__init__("it holds a password or a token")


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
            HoldsSecretError: it has a secret in it.
        """
        # Each element takes a byte at least: no need to write a long list to know.
        if isinstance(value, (Sequence, Mapping, AbstractSet)) and len(value) > max_bytes:
            raise NotStorableError(f"it takes more than {max_bytes:,} bytes as JSON")
        try:
            text = self._dump(value)
        except RecursionError:
            raise NotStorableError("it holds itself, or is nested too deep for JSON") from None
        if len(text) > max_bytes:
            raise NotStorableError(f"it takes {len(text):,} bytes as JSON, over {max_bytes:,}")
        if holds_secret(text):
            raise HoldsSecretError
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
        if text.startswith(frames.MARK):
            return frames.read(text)
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
        return (self._annotation is None or self._annotation is type(value)) and is_native(value)

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
            # Pydantic says more, over many lines, of what it would take.
            why = f": {first[0]}" if (first := str(error).splitlines()) and len(first) == 1 else ""
            raise NotStorableError(f"a {type(value).__name__} has no JSON form{why}") from error

    def _type_adapter(self) -> Any:
        if self._adapter is None:
            from pydantic import TypeAdapter

            annotation: Any = self._annotation
            self._adapter = TypeAdapter(annotation)
        return self._adapter


@dataclass(frozen=True)
class Stored:
    """A result as the history keeps it."""

    result: str | None
    """JSON; None if it has none that comes back as it was."""
    files: str | None = None
    """The fingerprints of the files that it names."""

    def to_columns(self) -> dict[str, str | None]:
        """As a task run's row has it."""
        is_stored = "stored" if self.result is not None else "not stored"
        return {"result": self.result, "files": self.files, "stored": is_stored}


NOT_STORED = Stored(None)


def stored(codec: ResultCodec, value: object) -> Stored:
    """Write a result for the history, with the fingerprints of its files."""
    try:
        text = codec.encode(value)
        if type(value) in PLAIN:  # it names no files
            return Stored(text)
        fingerprints = list(map(FileFingerprint.take, files_in(value)))
    except (NotStorableError, OSError):  # a file that cannot be read cannot be recognised either
        return NOT_STORED
    return Stored(text, fingerprints_as_text(fingerprints) if fingerprints else None)


def is_native(value: object) -> bool:
    """JSON's own types, at any depth, and nothing that JSON would change in silence."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) in NATIVE:
        return True
    if type(value) is list:
        return all(is_native(each) for each in value)
    if type(value) is dict:
        return all(type(key) is str and is_native(each) for key, each in value.items())
    return False
