"""`taxietl schedule add`: check everything first, then put it in place."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taxietl.cli.output import Output
from taxietl.cli.schedule_text import describe_files, show_files, snapshot
from taxietl.cli.session import open_settings
from taxietl.cli.stderr import warn
from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.schedule.definition import Starter

if TYPE_CHECKING:
    from taxietl.config import Settings
    from taxietl.schedule.definition import Schedule, When


NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the schedule.")]
CommandArgument = Annotated[
    list[str],
    typer.Argument(metavar="-- COMMAND...", help="The command after `taxietl`, with its options."),
]
CronOption = Annotated[
    str | None,
    typer.Option(
        "--cron",
        metavar="EXPRESSION",
        help="Minute, hour, day of month, month, day of week: '17 5 * * *'; or @daily.",
    ),
]
OnCalendarOption = Annotated[
    str | None,
    typer.Option(
        "--on-calendar", metavar="EXPRESSION", help="systemd's notation: 'Mon..Fri 05:17'."
    ),
]
EveryOption = Annotated[
    str | None,
    typer.Option("--every", metavar="INTERVAL", help="What divides an hour or a day: 15m, 6h."),
]
ByOption = Annotated[
    Starter | None,
    typer.Option(
        "--by", help="What starts it.", show_default="systemd-user, for root systemd-system"
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--user", help="Whom systemd-system runs it as.", show_default="SUDO_USER, or you"
    ),
]
CredentialOption = Annotated[
    list[str] | None,
    typer.Option(
        "--credential",
        metavar="NAME=FILE",
        help="The file of a { credential = … } in the configuration; repeats.",
    ),
]
PingOption = Annotated[
    str | None,
    typer.Option(
        "--ping",
        metavar="REFERENCE",
        help="Where to read the address to ask after each success: env:NAME, file:PATH, "
        "credential:NAME.",
    ),
]
PrintOption = Annotated[
    bool, typer.Option("--print", help="Show what would be installed, and install nothing.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace a schedule of that name, or a unit edited by hand.")
]


def add(
    out: Output,
    name: NameArgument,
    command: CommandArgument,
    cron: CronOption = None,
    on_calendar: OnCalendarOption = None,
    every: EveryOption = None,
    by: ByOption = None,
    user: UserOption = None,
    credential: CredentialOption = None,
    ping: PingOption = None,
    print_only: PrintOption = False,
    force: ForceOption = False,
) -> None:
    """Have a command of taxietl started at times of day."""
    from taxietl.schedule.definition import check_name
    from taxietl.schedule.installing import install, texts

    check_name(name)
    _check_command(command)
    starter = by or (Starter.SYSTEMD_SYSTEM if os.geteuid() == 0 else Starter.SYSTEMD_USER)
    when = _when(cron, on_calendar, every, starter)
    settings = open_settings()
    schedule, warnings = _schedule(
        name, command, when, starter, settings, credential or [], user, ping
    )
    files = texts(schedule)
    if not print_only:
        install(schedule, force=force)
    for each in warnings:
        warn(each)
    now = snapshot(schedule)
    document = {
        "schedule": now.document(),
        "files": describe_files(files),
        "installed": not print_only,
        "warnings": warnings,
    }
    if print_only:
        nothing = "Nothing is written: `taxietl schedule run` starts it.\n"
        out.result(document, show_files(files) or nothing)
        return
    says = f"next at {now.next_at:%Y-%m-%d %H:%M:%S}" if now.next_at else "no next time is known"
    out.result(document, f"{name}  added: {says} ({now.time_zone})")
    _tell_of_linger(out, starter)


def _check_command(command: Sequence[str]) -> None:
    """Refuse now what would be refused at night."""
    from taxietl.cli.app import MODULES, check_line

    if command[0] not in MODULES or command[0] == "schedule":
        raise ConfigError(
            f"{command[0]!r} cannot be scheduled: it is no command of taxietl's."
            if command[0] != "schedule"
            else "A schedule cannot start `taxietl schedule`.",
            hint="After `--` comes a command as you would type it after `taxietl`, --config and "
            "--home before `schedule`: taxietl schedule add NAME --cron '17 5 * * *' -- "
            "ingest --color green --year 2021 --month all",
        )
    if any(masked(each) != each for each in command):
        raise ConfigError(
            "The command has a password in it, which a schedule would keep.",
            hint="Name a profile, or a variable: --to env:DATABASE_URL.",
        )
    given = check_line(command)
    if command[0] == "run":
        from taxietl.orchestrator.define.entry import refuse_missing_file

        refuse_missing_file(given["target"])


def _when(cron: str | None, on_calendar: str | None, every: str | None, starter: Starter) -> When:
    from taxietl.schedule.cron import from_cron, from_interval
    from taxietl.schedule.definition import When
    from taxietl.schedule.programs import check_calendar

    given = [each for each in (cron, on_calendar, every) if each is not None]
    if len(given) != 1:
        raise ConfigError(
            "A schedule needs exactly one of --cron, --on-calendar and --every.",
            hint="For instance --cron '17 5 * * *', daily at 05:17.",
        )
    if cron is not None:
        return from_cron(cron)
    if every is not None:
        return from_interval(every)
    if not starter.is_systemd:
        raise ConfigError(
            f"--on-calendar is systemd's; {starter.value} has no such times.",
            hint="Use --cron or --every.",
        )
    check_calendar(given[0])
    return When(on_calendar=given[0], given=given[0])


def _schedule(
    name: str,
    command: Sequence[str],
    when: When,
    starter: Starter,
    settings: Settings,
    credential: Sequence[str],
    user: str | None,
    ping: str | None,
) -> tuple[Schedule, list[str]]:
    """All that was asked for as one value, and what to warn of."""
    from taxietl.schedule.definition import Schedule
    from taxietl.schedule.execution import utc_now
    from taxietl.schedule.folders import credential_store
    from taxietl.schedule.needs import needs
    from taxietl.schedule.pings import as_reference

    pinged = as_reference(ping) if ping else None
    needed = needs(
        settings,
        starter,
        given=_credentials(credential),
        store=credential_store(starter),
        environment=os.environ,
        ping=pinged,
    )
    schedule = Schedule(
        name=name,
        when=when,
        starter=starter,
        command=tuple(command),
        folder=Path.cwd(),
        home=settings.home,
        config=settings.config_file,
        program=_program(),
        added_at=utc_now(),
        user=_user(starter, user, settings.home),
        credentials=needed.credentials,
        ping=str(pinged) if pinged else None,
    )
    for each in (*schedule.line, str(schedule.folder), *map(str, needed.credentials.values())):
        if not each.isprintable() or each != each.strip() or each.endswith("\\"):
            raise ConfigError(
                f"{each!r} cannot be written into a unit or a crontab.", hint="Rename it."
            )
    return schedule, list(needed.warnings)


def _program() -> tuple[str, ...]:
    """How to start this taxietl from anywhere."""
    beside = Path(sys.executable).with_name("taxietl")
    return (str(beside),) if os.access(beside, os.X_OK) else (sys.executable, "-m", "taxietl")


def _credentials(given: Sequence[str]) -> Mapping[str, Path]:
    found = {}
    for each in given:
        name, _, file = each.partition("=")
        if not name or not file or "/" in name:
            raise ConfigError(
                f"--credential {each!r} is not NAME=FILE.", hint="For instance pg=/etc/taxi/pg."
            )
        found[name] = Path.cwd() / Path(file).expanduser()
    return found


def _user(starter: Starter, given: str | None, home: Path) -> str | None:
    """Whom a unit of the system runs as: the owner of the home, else it could not work there."""
    if starter is not Starter.SYSTEMD_SYSTEM:
        if given:
            raise ConfigError(
                f"--user is for --by systemd-system; {starter.value} starts it as you.",
                hint="Leave it out.",
            )
        return None
    import pwd

    name = given or os.environ.get("SUDO_USER") or pwd.getpwuid(os.geteuid()).pw_name
    try:
        uid = pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ConfigError(
            f"There is no user {name!r} on this machine.", hint="Name another: --user NAME."
        ) from None
    owner = home.stat().st_uid if home.exists() else os.geteuid()
    if owner != uid:
        raise ConfigError(
            f"{home} does not belong to {name}, whom the unit would run as.",
            hint=f"Name a home of {name}'s: taxietl --home DIR schedule add …; or make it: "
            f"install -d -o {name} {home}",
        )
    return name


def _tell_of_linger(out: Output, starter: Starter) -> None:
    import getpass

    from taxietl.schedule.programs import is_lingering

    if starter is Starter.SYSTEMD_USER and not is_lingering(user := getpass.getuser()):
        out.note(f"Your timers stop when you log out. To keep them: loginctl enable-linger {user}")
