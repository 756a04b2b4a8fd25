"""Put a schedule in place and take it out again, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from taxietl.errors import ConfigError, TargetError, TryLaterError
from taxietl.filelock import is_locked
from taxietl.replacing import replacing
from taxietl.schedule import cron, crontab, programs, systemd
from taxietl.schedule.definition import Schedule, Starter, definition_file, load, save
from taxietl.schedule.execution import lock_file, output_file
from taxietl.schedule.folders import unit_folder
from taxietl.schedule.outcomes import outcome_file
from taxietl.schedule.stamps import is_untouched
from taxietl.schedule.zones import zone_of

_CRONTAB = "crontab"


@dataclass(frozen=True)
class Text:
    """What is written somewhere for a schedule."""

    place: str
    """A file's path, or `crontab`."""
    text: str
    is_edited: bool = False
    """Somebody has changed it since; or somebody else wrote it."""


def calendar(schedule: Schedule) -> tuple[str, ...]:
    """When it is due, in systemd's notation."""
    when = schedule.when
    return (when.on_calendar,) if when.on_calendar else cron.on_calendar(when.cron or "")


def texts(schedule: Schedule) -> list[Text]:
    """What is to be written for it: nothing but this is installed."""
    if schedule.starter.is_systemd:
        folder = unit_folder(schedule.starter)
        made = systemd.units(schedule, calendar(schedule), delay=_delay(schedule))
        return [Text(str(folder / name), text) for name, text in made.items()]
    if schedule.starter is Starter.CRON:
        return [Text(_CRONTAB, crontab.block(schedule))]
    return []


def installed(name: str, starter: Starter) -> list[Text]:
    """What is written for a schedule of that name now."""
    found = list[Text]()
    if starter.is_systemd:
        folder = unit_folder(starter)
        for each in systemd.unit_names(name):
            with suppress(FileNotFoundError):
                text = (folder / each).read_text("utf-8", "surrogateescape")
                found.append(Text(str(folder / each), text, not is_untouched(text)))
    elif starter is Starter.CRON:
        lines = crontab.find(programs.read_crontab(), name)
        if lines is not None:
            found.append(Text(_CRONTAB, lines, not is_untouched(lines)))
    return found


def next_run(schedule: Schedule, now: datetime) -> datetime | None:
    """When it is due next; None where that cannot be known here, or never comes.

    A timer may add its random delay to it.
    """
    if schedule.starter.is_systemd:
        with suppress(ConfigError):  # the home may be looked at where there is no systemd
            return next(iter(programs.next_elapses(calendar(schedule))), None)
    if schedule.when.cron is None:
        return None
    return cron.next_time(schedule.when.cron, now, zone_of(schedule.starter))


def install(schedule: Schedule, *, force: bool = False) -> None:
    """Keep the schedule and have it started from now on; if anything fails, all is as it was.

    Raises:
        ConfigError: there is one of that name, what is written for it was edited by hand (both but
            for `force`), or what is to start it is not there.
        TargetError: systemd, crontab or the disk refuses.
    """
    earlier = None
    if definition_file(schedule.home, schedule.name).exists():
        if not force:
            raise ConfigError(
                f"There is a schedule named {schedule.name!r} already.",
                hint=f"See `taxietl schedule show {schedule.name}`; --force replaces it.",
            )
        with suppress(ConfigError):  # it cannot be read
            earlier = load(schedule.home, schedule.name)
    if schedule.starter.is_systemd:
        programs.check_systemd(schedule.starter)
    there = installed(schedule.name, schedule.starter)
    if there and not force:
        _refuse_foreign(schedule.name, there, is_ours=False)
    with ExitStack() as undo:
        definition = definition_file(schedule.home, schedule.name)
        undo.callback(_put, {definition: _bytes(definition)})
        save(schedule)
        if schedule.starter.is_systemd:
            _install_units(schedule, undo)
        elif schedule.starter is Starter.CRON:
            before = programs.read_crontab()
            programs.write_crontab(crontab.with_block(before, schedule))
            undo.callback(programs.write_crontab, before)
        if earlier and earlier.starter is not schedule.starter:
            _uninstall(schedule.name, earlier.starter)
        undo.pop_all()


def remove(schedule: Schedule, *, force: bool = False) -> None:
    """Take the schedule out with all that was written for it.

    Raises:
        ConfigError: something was edited by hand (but for `force`), or systemd is not there.
        TryLaterError: it is running.
        TargetError: systemd, crontab or the disk refuses.
    """
    home, name = schedule.home, schedule.name
    if is_locked(lock_file(home, name)):
        raise TryLaterError(
            f"Schedule {name!r} is running.", hint="Wait until it has ended, or stop it."
        )
    if not force:
        _refuse_foreign(name, installed(name, schedule.starter), is_ours=True)
    _uninstall(name, schedule.starter)
    rest = (outcome_file, output_file, lock_file, definition_file)
    _put({path(home, name): None for path in rest})


def _refuse_foreign(name: str, there: list[Text], *, is_ours: bool) -> None:
    """Demand that what is there can be replaced without loss."""
    for each in there:
        where = f"The lines of {name!r} in your crontab" if each.place == _CRONTAB else each.place
        if each.is_edited:
            verb = "were" if each.place == _CRONTAB else "was"
            raise ConfigError(
                f"{where} {verb} edited by hand.",
                hint="Keep a copy of what you changed; --force goes ahead all the same.",
            )
        if not is_ours:
            raise ConfigError(
                f"{where}: there already, for a schedule {name!r} of another TAXIETL_HOME.",
                hint="Choose another name; --force replaces it.",
            )


def _install_units(schedule: Schedule, undo: ExitStack) -> None:
    files = {Path(each.place): each.text.encode() for each in texts(schedule)}
    timer, *_ = systemd.unit_names(schedule.name)
    undo.callback(_quietly(programs.systemctl), schedule.starter, "daemon-reload")
    undo.callback(_put, {path: _bytes(path) for path in files})
    _put(files)
    programs.systemctl(schedule.starter, "daemon-reload")
    if _bytes(unit_folder(schedule.starter) / "timers.target.wants" / timer) is None:
        undo.callback(_quietly(programs.systemctl), schedule.starter, "disable", "--now", timer)
    programs.systemctl(schedule.starter, "enable", timer)
    programs.systemctl(schedule.starter, "restart", timer)


def _uninstall(name: str, starter: Starter) -> None:
    if starter is Starter.CRON:
        before = programs.read_crontab()
        after = crontab.without(before, name)
        if after != before:
            programs.write_crontab(after)
    elif starter.is_systemd and installed(name, starter):
        folder, units = unit_folder(starter), systemd.unit_names(name)
        timer, *_ = units
        programs.systemctl(starter, "disable", "--now", timer)
        # Else a timer added later would catch up on what came due in between.
        _quietly(programs.systemctl)(starter, "clean", "--what=state", timer)
        _put(dict.fromkeys((folder / each for each in units), None))
        programs.systemctl(starter, "daemon-reload")


def _put(files: Mapping[Path, bytes | None]) -> None:
    """Write files, or remove those of None.

    Raises:
        TargetError: the disk refuses.
    """
    for path, content in files.items():
        try:
            if content is None:
                path.unlink(missing_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as beside:
                beside.write_bytes(content)
        except OSError as error:
            raise TargetError(
                f"{path} cannot be written: {error.strerror}.",
                hint="As root, or with --by systemd-user."
                if isinstance(error, PermissionError)
                else "Check the disk and the folder's rights.",
            ) from error


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _quietly(act: Callable[..., None]) -> Callable[..., None]:
    """The act; that it fails does not matter to whoever cleans up."""

    def quiet(*arguments: object) -> None:
        with suppress(ConfigError, TargetError):
            act(*arguments)

    return quiet


def _delay(schedule: Schedule) -> timedelta:
    """A tenth of the time between two starts, and not more than some minutes."""
    if schedule.when.cron:
        times = cron.some_times(schedule.when.cron, 12)
    else:
        times = programs.next_elapses(calendar(schedule), times=12)
    gaps = [late - early for early, late in pairwise(times)]
    return min([systemd.LONGEST_DELAY, *(gap / 10 for gap in gaps)])
