"""The units of a schedule, as text: a timer, a service, and the service that tells of a failure.

A service is hardened by what needs no capability and no namespace (prctl and seccomp), so the same
lines hold for a user's manager, which may have neither; what a flow may write is left to the
rights of its user.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import timedelta

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.schedule.definition import Schedule, Starter
from taxietl.schedule.stamps import stamped
from taxietl.terminal import one_line

LONGEST_DELAY = timedelta(minutes=5)

_HARDENING = """\
NoNewPrivileges=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
SystemCallArchitectures=native
UMask=0077
"""


def unit_names(name: str) -> tuple[str, str, str]:
    """The timer, the service, and the service that tells of a failure."""
    return f"taxietl-{name}.timer", f"taxietl-{name}.service", f"taxietl-{name}-failed.service"


def units(schedule: Schedule, calendar: tuple[str, ...], *, delay: timedelta) -> dict[str, str]:
    """The text of each unit, by name.

    Args:
        calendar: when, in systemd's notation; the timer elapses at each.
        delay: at random up to that long after it, so that not everybody asks at once.

    Raises:
        ConfigError: systemd cannot start a program of that path.
    """
    if set("\"'\\") & set(schedule.program[0]):
        raise ConfigError(
            f"systemd starts no program with quotes or backslashes in its path: "
            f"{schedule.program[0]}",
            hint="Install taxietl in another folder.",
        )
    timer, service, failed = unit_names(schedule.name)
    texts = {
        timer: _timer(schedule, calendar, delay),
        service: _service(schedule, failed),
        failed: _failed(schedule),
    }
    return {name: stamped(schedule.name, text) for name, text in texts.items()}


def _timer(schedule: Schedule, calendar: tuple[str, ...], delay: timedelta) -> str:
    lines = "".join(f"OnCalendar={_plain(each)}\n" for each in calendar)
    return f"""\
[Unit]
Description={_description(schedule)}

[Timer]
{lines}Persistent=true
RandomizedDelaySec={int(delay.total_seconds())}
FixedRandomDelay=true

[Install]
WantedBy=timers.target
"""


def _service(schedule: Schedule, failed: str) -> str:
    # Another manager than the system's knows nothing of the network.
    network = "Wants=network-online.target\nAfter=network-online.target\n"
    load = _credentials(schedule.credentials)
    # Only the main process is told to stop: it passes that on, and waits.
    return f"""\
[Unit]
Description={_description(schedule)}
{network if schedule.starter is Starter.SYSTEMD_SYSTEM else ""}OnFailure={failed}

[Service]
Type=oneshot
{_user(schedule)}WorkingDirectory={_plain(str(schedule.folder))}
ExecStart={_words((*schedule.line, "schedule", "exec", schedule.name))}
SuccessExitStatus=75
KillMode=mixed
{load}{_HARDENING}"""


def _failed(schedule: Schedule) -> str:
    return f"""\
[Unit]
Description=Tell that taxietl schedule {schedule.name} failed

[Service]
Type=oneshot
{_user(schedule)}ExecStart={_words((*schedule.line, "schedule", "failed", schedule.name))}
{_credentials(schedule.credentials)}{_HARDENING}"""


def _description(schedule: Schedule) -> str:
    command = masked(shlex.join(schedule.command))
    return _plain(one_line(f"taxietl schedule {schedule.name}: {command}"))


def _user(schedule: Schedule) -> str:
    return f"User={schedule.user}\n" if schedule.user else ""


def _credentials(credentials: Mapping[str, object]) -> str:
    return "".join(
        f"LoadCredential={name}:{_plain(str(file))}\n" for name, file in credentials.items()
    )


def _words(words: tuple[str, ...]) -> str:
    """A command line, as ExecStart= reads it; a `$` stands for itself in the program alone."""
    program, *arguments = words
    return " ".join([_word(program), *(_word(each.replace("$", "$$")) for each in arguments)])


def _word(word: str) -> str:
    escaped = _plain(word)
    if word and all(each.isalnum() or each in "/._-+=:@,%$" for each in word):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(text: str) -> str:
    """A text that is taken as it is: `%` would begin a specifier of systemd's."""
    return text.replace("%", "%%")
