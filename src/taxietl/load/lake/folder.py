"""A lake on disk, laid out as one in a bucket, with the same promises.

What a bucket does by itself is done here by hand: an object appears by a rename, replacing is
guarded by a lock that its holder's death frees, and an object's facts lie in a file beside the
manifests, written before the rename. Facts that do not fit the bytes are of another upload, and
count for nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeVar

from taxietl.errors import TargetError, TryLaterError
from taxietl.filelock import waiting_lock
from taxietl.load.lake.checksum import crc32c_in, crc32c_of
from taxietl.load.lake.store import ChangedError, replaced_meanwhile
from taxietl.load.lake.values import MANIFESTS, StoredObject
from taxietl.steps.protocols import Cancellation, Progress

_FACTS = f"{MANIFESTS}facts/"
LOCK_SECONDS = 60.0
"""How long a write waits for others, each of which takes as long as a rename."""
_LOCK = f"{MANIFESTS}lock"
_PART = ".taxietl-part"
_AT_A_TIME = 1024 * 1024
_UNFINISHED_SECONDS = 24 * 3600

AnyPath = TypeVar("AnyPath", bound=PurePath)


def local_path(root: AnyPath, key: str) -> AnyPath:
    """Where a key's object lies under a folder, with the platform's own separators."""
    return root.joinpath(*PurePosixPath(key).parts)


class FolderStore:
    """See `store.Store`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.address = str(root)

    def stat(self, key: str) -> StoredObject | None:
        """See `Store`; the checksum is made anew from the bytes."""
        path = local_path(self._root, key)
        try:
            with path.open("rb", buffering=0) as file:
                found, crc32c = os.fstat(file.fileno()), crc32c_in(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(path, error) from error
        metadata = self._facts(key)
        fits = metadata.get("taxietl-crc32c") == crc32c
        return StoredObject(key, found.st_mtime_ns, found.st_size, crc32c, metadata if fits else {})

    def objects(self) -> Iterator[StoredObject]:
        """See `Store`; with what was last said of each."""
        for each in self._listed():
            if not each.key.startswith(MANIFESTS) and not each.key.endswith(_PART):
                yield replace(each, metadata=self._facts(each.key))

    def unfinished(self) -> Iterator[StoredObject]:
        """See `Store`: copies that nobody has written to for a day."""
        before = time.time_ns() - _UNFINISHED_SECONDS * 10**9
        for each in self._listed():
            name = PurePosixPath(each.key).name
            if name.startswith(".") and name.endswith(_PART) and each.generation < before:
                yield each

    def put(
        self,
        path: Path,
        key: str,
        *,
        crc32c: str,
        metadata: Mapping[str, str],
        if_generation: int,
        cancellation: Cancellation,
        progress: Progress,
    ) -> StoredObject:
        """See `Store`."""
        target = local_path(self._root, key)
        beside = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}{_PART}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(path, beside, cancellation, progress)
            arrived = crc32c_of(beside, check=cancellation.check)
            if arrived != crc32c:
                raise TargetError(
                    f"{target}: what was written has checksum {arrived} instead of {crc32c}.",
                    hint="Nothing was replaced. Check the disk, and run again.",
                )
            with self._locked():
                before = self._generation(target)
                if before != if_generation:
                    raise ChangedError(key)
                self._write(local_path(self._root, _FACTS + key), json.dumps(metadata).encode())
                _replace(beside, target, newer_than=before)
                found = target.stat()  # before another upload's can be there
        except OSError as error:
            raise _refused(target, error) from error
        finally:
            with suppress(OSError):
                beside.unlink()
        return StoredObject(key, found.st_mtime_ns, found.st_size, crc32c, metadata)

    def read(self, found: StoredObject, start: int, size_bytes: int) -> bytes:
        """See `Store`."""
        path = local_path(self._root, found.key)
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mtime_ns != found.generation:
                    raise replaced_meanwhile(str(path))
                file.seek(start)
                return file.read(size_bytes)
        except FileNotFoundError:
            raise replaced_meanwhile(str(path)) from None
        except OSError as error:
            raise _refused(path, error) from error

    def read_small(self, key: str) -> tuple[bytes, int] | None:
        """See `Store`."""
        path = local_path(self._root, key)
        try:
            with path.open("rb") as file:
                return file.read(), os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(path, error) from error

    def write_small(self, key: str, data: bytes, *, if_generation: int) -> None:
        """See `Store`."""
        path = local_path(self._root, key)
        try:
            with self._locked():
                if self._generation(path) != if_generation:
                    raise ChangedError(key)
                self._write(path, data)
        except OSError as error:
            raise _refused(path, error) from error

    def small_keys(self, prefix: str) -> list[str]:
        """See `Store`."""
        files = _files(local_path(self._root, MANIFESTS))
        keys = (path.relative_to(self._root).as_posix() for path in files)
        return sorted(
            each
            for each in keys
            if each.endswith(".json") and each.startswith(prefix) and not each.startswith(_FACTS)
        )

    def delete(self, key: str, generation: int) -> None:
        """See `Store`."""
        path = local_path(self._root, key)
        try:
            with self._locked():
                if self._generation(path) == generation:
                    path.unlink()
                    with suppress(FileNotFoundError):
                        local_path(self._root, _FACTS + key).unlink()
        except OSError as error:
            raise _refused(path, error) from error

    def uri(self, key: str) -> str:
        """See `Store`."""
        return str(local_path(self._root, key))

    def link(self, key: str) -> str | None:  # noqa: ARG002
        """See `Store`; a folder has none."""
        return None

    def _listed(self) -> Iterator[StoredObject]:
        """All files that are there, whatever they are."""
        for path in sorted(_files(self._root)):
            try:
                found = path.stat()
            except FileNotFoundError:  # gone meanwhile, or a link to nothing
                continue
            except OSError as error:
                raise _refused(path, error) from error
            if stat.S_ISREG(found.st_mode):
                key = path.relative_to(self._root).as_posix()
                yield StoredObject(key, found.st_mtime_ns, found.st_size, None)

    def _facts(self, key: str) -> dict[str, str]:
        """What was last said of the object, which need not be true any more."""
        try:
            found = json.loads(local_path(self._root, _FACTS + key).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @staticmethod
    def _generation(path: Path) -> int:
        try:
            return path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _write(self, path: Path, data: bytes) -> None:
        """Write beside, then rename."""
        path.parent.mkdir(parents=True, exist_ok=True)
        before = self._generation(path)
        beside = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}{_PART}")
        try:
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _replace(beside, path, newer_than=before)
        finally:
            with suppress(OSError):
                beside.unlink()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, for the moment of a rename."""
        path = local_path(self._root, _LOCK)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with waiting_lock(path, seconds=LOCK_SECONDS):
                yield
        except TimeoutError as error:
            raise TryLaterError(
                f"Another process has been writing to {self._root} for {LOCK_SECONDS:.0f} s.",
                hint="Try again when it is done.",
            ) from error


def _files(folder: Path) -> Iterator[Path]:
    """All that lies under a folder; what cannot be looked into is not taken for empty."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise _refused(Path(error.filename), error) from error

    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        folders[:] = (each for each in folders if not _leads_back(Path(parent, each)))
        yield from (Path(parent, name) for name in names)


def _leads_back(folder: Path) -> bool:
    """Whether it is a link to where it lies in: that would have no end."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _copy(path: Path, beside: Path, cancellation: Cancellation, progress: Progress) -> None:
    """Copy a file's bytes to the disk itself."""
    total = path.stat().st_size
    with path.open("rb") as source, beside.open("wb") as copy:
        while block := source.read(_AT_A_TIME):
            cancellation.check()
            copy.write(block)
            progress(copy.tell(), total)
        copy.flush()
        os.fsync(copy.fileno())
    shutil.copymode(path, beside)


def _replace(beside: Path, target: Path, *, newer_than: int) -> None:
    """Rename, with a time of change that no earlier file had."""
    stat = beside.stat()
    if stat.st_mtime_ns <= newer_than:
        os.utime(beside, ns=(stat.st_atime_ns, newer_than + 1))
    beside.replace(target)
    if sys.platform != "win32":  # a folder cannot be opened there
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _refused(path: Path, error: OSError) -> TargetError:
    return TargetError(
        f"{path} cannot be read or written: {error.strerror or error}.",
        hint="Check the owner and mode of the lake's folder, and the room on its disk.",
    )
