"""JSON for what comes out of a task, to be read again; never a pickle.

Only what comes back equal counts as stored; a secret is not written at all, and masked it would
not come back equal. (`arguments.py` writes what goes into a task.)
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxietl.errors import ConfigError
from taxietl.masking import holds_secret
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.fingerprints import FileFingerprint, files_in, fingerprints_as_text
from taxietl.orchestrator.store.values import NATIVE, PLAIN, SIMPLE, is_native, replaced

MAX_BYTES = 64 * 1024
"""What the history keeps of one result or one call's arguments; more belongs in a file."""

MAX_CACHED_BYTES = 1024 * 1024
"""What a cache entry's result may take."""


class NotStorableError(Exception):
    """The value has no form that comes back as it was; says why, and what to do."""

    hint = "Return JSON-like values, dataclasses, a DataFrame, an Arrow table or the Path of a file"


class HoldsSecretError(NotStorableError):
    """The value has a password or a token in it, which is kept nowhere."""

    def __init__(self) -> None:
        super().__init__("it holds a password or a token")


class NoFormOfFrameError(NotStorableError):
    """Something in a frame does not come back from Parquet as it was."""

    hint = "Convert that part or leave it out, or return the Path of a file"


def refusal(task: str, option: str, error: NotStorableError) -> ConfigError:
    """That a task's result cannot be stored, as an option of it demands."""
    return ConfigError(
        f"The task {task!r} has {option}, and its result cannot be stored: {error}.",
        hint=f"{error.hint}; or drop {option}.",
    )


class ResultCodec:
    """JSON of the results of one task, by its return annotation; of frames in it, where they lie.

    Args:
        annotation: what `typing` knows of the result; None if the task has none that can be
            resolved, and then only JSON's own types can be stored.
        adapter: pydantic's for that annotation, if there is one already.
    """

    def __init__(self, annotation: Any, adapter: Any = None) -> None:
        self._annotation = None if annotation in (Any, object) else annotation
        self._adapter = adapter
        self._around_frames: Any = None

    def encode(
        self,
        value: object,
        *,
        max_bytes: int = MAX_BYTES,
        keep: Callable[[object], Path] | None = None,
    ) -> str:
        """The result as JSON.

        Args:
            keep: writes a frame into a file; None where frames are not kept.

        Raises:
            NotStorableError: it has no such form, or takes more than max_bytes.
            HoldsSecretError: it has a secret in it.
        """
        # Each element takes a byte at least: no need to write a long list to know.
        if isinstance(value, (Sequence, Mapping, AbstractSet)) and len(value) > max_bytes:
            raise NotStorableError(f"it takes more than {max_bytes:,} bytes as JSON")
        held = _Held(value) if type(value) not in PLAIN and frames.are_in(value) else None
        if held is not None and keep is None:
            raise NotStorableError("it holds a frame")
        try:
            text = self._dump(value) if held is None else self._dump_around(held)
        except RecursionError:
            raise NotStorableError("it holds itself, or is nested too deep for JSON") from None
        if len(text) > max_bytes:
            raise NotStorableError(f"it takes {len(text):,} bytes as JSON, over {max_bytes:,}")
        if holds_secret(text):
            raise HoldsSecretError
        if held is not None and keep is not None:
            self._check_same(held.plain, lambda: held.taken_out(self._around(text, held.frames)))
            return held.kept(text, keep)
        if not self._is_plain(value):
            self._check_same(value, lambda: self.decode(text))
        return text

    def decode(self, text: str) -> Any:
        """The result again; raises ValueError if the text does not fit the annotation."""
        if text.startswith(frames.MARK):
            whole = json.loads(text.removeprefix(frames.MARK))
            held = {token: frames.read(Path(path)) for token, path in whole["frames"].items()}
            return self._around(whole["result"], held)
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
        if self._annotation is not None and self._annotation is not type(value):
            return False
        return type(value) in SIMPLE or is_native(value)

    def _dump(self, value: object) -> str:
        if self._is_plain(value):
            return json.dumps(value, ensure_ascii=False)
        if self._annotation is None:
            raise _no_form(value, " by itself; annotate what the task returns")
        return self._dump_by(self._type_adapter, value, value)

    def _dump_around(self, held: _Held) -> str:
        """The result with tokens in the places of its frames."""
        if self._annotation is None or isinstance(held.plain, str):
            return ResultCodec(None)._dump(held.plain)
        return self._dump_by(self._frames_adapter, (held.plain,), held.plain)[1:-1]

    def _around(self, text: str, held: Mapping[str, object]) -> Any:
        """The result with frames in the places of their tokens."""
        value = _filled(json.loads(text), held)
        if self._annotation is None or any(value is each for each in held.values()):
            return value
        return self._frames_adapter().validate_python([value])[0]

    def _dump_by(self, adapter: Callable[[], Any], value: object, named: object) -> str:
        try:
            return str(adapter().dump_json(value, warnings="error").decode())
        except Exception as error:
            # Pydantic says more, over many lines, of what it would take.
            why = f": {first[0]}" if (first := str(error).splitlines()) and len(first) == 1 else ""
            raise _no_form(named, why) from error

    def _check_same(self, value: object, read: Callable[[], object]) -> None:
        try:
            back = read()
            is_same = type(back) is type(value) and bool(back == value)
        except Exception as error:
            raise NotStorableError(f"its JSON cannot be read again: {error}") from error
        if not is_same:
            name = type(value).__name__
            raise NotStorableError(f"a {name} does not come back from JSON as it was")

    def _type_adapter(self) -> Any:
        if self._adapter is None:
            from pydantic import TypeAdapter

            annotation: Any = self._annotation
            self._adapter = TypeAdapter(annotation)
        return self._adapter

    def _frames_adapter(self) -> Any:
        """For a tuple of the result alone: only so may a class have frames in its fields."""
        from pydantic import ConfigDict, TypeAdapter

        if self._around_frames is None:
            alone: Any = tuple[self._annotation]  # type: ignore[name-defined]
            config = ConfigDict(arbitrary_types_allowed=True)
            self._around_frames = TypeAdapter(alone, config=config)
        return self._around_frames


class _Held:
    """A value that holds frames, as JSON can have it: with a token in the place of each."""

    def __init__(self, value: object) -> None:
        self.frames: dict[str, object] = {}
        self._tokens: dict[int, str] = {}
        self._kinds = tuple(frames.kinds())
        self._secret = secrets.token_hex(16)  # no text of the user's own is one
        self.plain = replaced(value, self._kinds, self._token)

    def taken_out(self, value: object) -> Any:
        """Another value with the same frames, as JSON can have it."""
        return replaced(value, self._kinds, self._token)

    def _token(self, frame: object) -> str:
        token = self._tokens.get(id(frame))
        if token is None:
            token = self._tokens[id(frame)] = f"frame-{len(self.frames)}-{self._secret}"
            self.frames[token] = frame
        return token

    def kept(self, text: str, keep: Callable[[object], Path]) -> str:
        """The text with where its frames lie now."""
        notes = [getattr(each, "attrs", None) for each in self.frames.values()]
        if holds_secret(json.dumps(notes, default=str)):
            raise HoldsSecretError
        try:
            paths = {token: str(keep(frame)) for token, frame in self.frames.items()}
        except ValueError as error:
            raise NoFormOfFrameError(str(error)) from error
        return frames.MARK + json.dumps({"frames": paths, "result": text})


def _filled(value: Any, held: Mapping[str, object]) -> Any:
    """JSON's values with frames in the places of their tokens."""
    if isinstance(value, str):
        return held.get(value, value)
    if isinstance(value, list):
        return [_filled(each, held) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, held) for name, each in value.items()}
    return value


def _no_form(value: object, why: str) -> NotStorableError:
    return NotStorableError(f"a {type(value).__name__} has no JSON form{why}")


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


def stored(codec: ResultCodec, value: object, *, strict: bool = False) -> Stored:
    """Write a result for the history, with the fingerprints of its files.

    Args:
        strict: raise `NotStorableError` or OSError where there is no form of it.
    """
    try:
        text = codec.encode(value)
        if type(value) in PLAIN:  # it names no files
            return Stored(text)
        fingerprints = list(map(FileFingerprint.take, files_in(value)))
    except (NotStorableError, OSError):  # a file that cannot be read cannot be recognised either
        if strict:
            raise
        return NOT_STORED
    return Stored(text, fingerprints_as_text(fingerprints) if fingerprints else None)
