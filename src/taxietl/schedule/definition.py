"""A schedule as a value, and the file under TAXIETL_HOME that keeps it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from taxietl.errors import ConfigError, TargetError, UnknownNameError
from taxietl.replacing import replacing

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}")


class Starter(StrEnum):
    """What starts a schedule's command."""

    SYSTEMD_USER = "systemd-user"
    SYSTEMD_SYSTEM = "systemd-system"
    CRON = "cron"
    RUN = "run"

    @property
    def is_systemd(self) -> bool:
        """A timer does."""
        return self in (Starter.SYSTEMD_USER, Starter.SYSTEMD_SYSTEM)


@dataclass(frozen=True)
class When:
    """The times at which a schedule is due: one of `cron` and `on_calendar` is set."""

    cron: str | None = None
    """Five fields."""
    on_calendar: str | None = None
    """systemd's notation."""
    given: str = ""
    """As the user wrote it."""


@dataclass(frozen=True)
class Schedule:
    """A command of taxietl, and when and how it is started."""

    name: str
    when: When
    starter: Starter
    command: tuple[str, ...]
    """The arguments after `taxietl`, options before the command left out."""
    folder: Path
    """Where it was added; relative paths in the command mean what they meant there."""
    home: Path
    config: Path | None
    program: tuple[str, ...]
    """How taxietl is started, with absolute paths."""
    added_at: datetime
    user: str | None = None
    """Whom a unit of the system runs as."""
    credentials: Mapping[str, Path] = field(default_factory=dict)
    """For systemd's LoadCredential=: names, and the files they are read from."""
    ping: str | None = None
    """Where the address is to be read that is asked after each success: `env:NAME`."""

    @property
    def line(self) -> tuple[str, ...]:
        """How to start taxietl on this schedule's home and configuration."""
        config = ("--config", str(self.config)) if self.config else ()
        return (*self.program, "--home", str(self.home), *config)


def check_name(name: str) -> None:
    """Refuse a name that cannot be part of the name of a unit.

    Raises:
        ConfigError: it has other characters, or too many.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot be the name of a schedule.",
            hint="Letters, digits, - and _, at most 50, for instance: nightly.",
        )


def folder_of(home: Path) -> Path:
    """Where the schedules of a home are kept."""
    return home / "schedules"


def definition_file(home: Path, name: str) -> Path:
    """The file of one schedule."""
    return folder_of(home) / f"{name}.json"


def names(home: Path) -> list[str]:
    """The schedules there are, by name."""
    found = folder_of(home).glob("*.json")
    return sorted(each.stem for each in found if _NAME.fullmatch(each.stem))


def load(home: Path, name: str) -> Schedule:
    """The schedule of that name.

    Raises:
        UnknownNameError: there is none.
        ConfigError: its file cannot be read.
    """
    path = definition_file(home, name)
    if not _NAME.fullmatch(name) or not path.exists():
        raise UnknownNameError("schedule", name, names(home))
    try:
        return _from_json(home, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {type(error).__name__}: {error}.",
            hint=f"Add the schedule again: taxietl schedule add {name} --force …",
        ) from error


def save(schedule: Schedule) -> None:
    """Write its file, which only its user may read.

    Raises:
        TargetError: the disk refuses.
    """
    path = definition_file(schedule.home, schedule.name)
    value = asdict(schedule) | {"added_at": schedule.added_at.isoformat()}
    del value["name"], value["home"]
    write_json(path, {"version": 1, "name": schedule.name, **value})


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a file of a schedule whole; it belongs to the home's owner, whoever writes it.

    Raises:
        TargetError: the disk refuses.
    """
    try:
        home = path.parent.parent
        home.mkdir(parents=True, exist_ok=True)
        _make_folder(path.parent, home)
        text = json.dumps(value, indent=2, default=str, ensure_ascii=False)
        with replacing(path) as beside:
            beside.touch(mode=0o600)
            beside.write_text(f"{text}\n", encoding="utf-8")
            _give_to_owner(beside, home)
    except OSError as error:
        raise TargetError(
            f"{path} cannot be written: {error.strerror}.",
            hint="Check the disk, and that this user may write there.",
        ) from error


def _make_folder(folder: Path, home: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        _give_to_owner(folder, home)


def _give_to_owner(path: Path, home: Path) -> None:
    """What root writes for a unit that runs as somebody else, that one must be able to read."""
    if os.geteuid() == 0:
        owner = home.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _from_json(home: Path, value: dict[str, Any]) -> Schedule:
    return Schedule(
        name=value["name"],
        when=When(**value["when"]),
        starter=Starter(value["starter"]),
        command=tuple(value["command"]),
        folder=Path(value["folder"]),
        home=home,
        config=Path(value["config"]) if value["config"] else None,
        program=tuple(value["program"]),
        added_at=datetime.fromisoformat(value["added_at"]),
        user=value["user"],
        credentials={name: Path(file) for name, file in value["credentials"].items()},
        ping=value.get("ping"),
    )
