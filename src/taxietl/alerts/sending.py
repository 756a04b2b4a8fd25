"""Messages on their way: handed to Apprise in a process of its own, for so long and no longer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError, TargetError, TaxietlError
from taxietl.masking import masked
from taxietl.terminal import one_line

if TYPE_CHECKING:
    from taxietl.alerts.digest import Digest
    from taxietl.config import AlertSettings

LIMIT_SECONDS = 15.0
"""For all messages of a command; some two of them go by before the first is on its way."""
_LONGEST = 300
_PROGRAM = Path(__file__).with_name("apprise_child.py")


@dataclass(frozen=True)
class Message:
    """What is for one address."""

    alert: AlertSettings
    digest: Digest | None
    """None to see only whether the address is one."""


def check_installed() -> None:
    """Demand Apprise.

    Raises:
        ConfigError: it is not installed.
    """
    if find_spec("apprise") is None:
        raise ConfigError(
            "Alerts need the package apprise, which is not installed.",
            hint="Install it: pip install 'taxietl[alerts]' "
            "(or: uv tool install 'taxietl[alerts]').",
        )


def send(
    messages: Sequence[Message], *, limit_seconds: float = LIMIT_SECONDS
) -> list[TaxietlError | None]:
    """Send them, side by side.

    Args:
        messages: to any addresses.
        limit_seconds: for all of them together; what is not sent by then is given up.

    Returns:
        For each what is wrong, without any part of its address; None if it was taken. A
        ConfigError means that it never will be; a TargetError, that it was not this time.

    Raises:
        ConfigError: Apprise is not installed.
    """
    check_installed()
    wrong: dict[int, TaxietlError | None] = {}
    known = []
    for number, each in enumerate(messages):
        try:
            known.append(_as_json(number, each))
        except ConfigError as error:
            wrong[number] = error
    if known:
        checked_only = all(each.digest is None for each in messages)
        answers = _answers({"send": not checked_only, "messages": known}, limit_seconds)
        for name in (given["name"] for given in known):
            alert = messages[int(name)].alert
            wrong[int(name)] = _wrong(alert, answers.get(name), limit_seconds)
    return [wrong[number] for number in range(len(messages))]


def _as_json(number: int, message: Message) -> dict[str, Any]:
    digest = message.digest
    return {
        "name": str(number),
        "url": message.alert.reveal(),
        "title": digest.title if digest else "",
        "body": digest.body if digest else "",
        "type": digest.kind if digest else "info",
    }


def _answers(document: dict[str, Any], limit_seconds: float) -> dict[str, dict[str, str]]:
    """What the program says of the messages, by name; of some nothing, if it took too long."""
    with subprocess.Popen(
        # -P: a file in the working directory is no package.
        [sys.executable, "-P", str(_PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,  # so that all of it can be ended, and no Ctrl-C reaches it
    ) as program:
        said = b""
        try:
            said, _ = program.communicate(json.dumps(document).encode(), timeout=limit_seconds)
        except subprocess.TimeoutExpired as error:
            _end(program)
            said = error.stdout or b""
        except BaseException:
            _end(program)
            raise
    found = (json.loads(line) for line in said.splitlines() if line.endswith(b"}"))
    return {each["name"]: each for each in found}


def _end(program: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)


def _wrong(
    alert: AlertSettings, answer: dict[str, str] | None, limit_seconds: float
) -> TaxietlError | None:
    if answer is None:
        return TargetError(
            f"{alert.name}: no answer within {limit_seconds:g} s.",
            hint="Check the host in its address, and the network.",
        )
    why = one_line(masked(answer["reason"]))[:_LONGEST]
    match answer["result"]:
        case "sent" | "understood":
            return None
        case "not understood":
            return ConfigError(
                f"{alert.name}.url holds no address that Apprise understands"
                f"{f' ({why})' if why else ''}.",
                hint="How each service is written: https://github.com/caronc/apprise/wiki.",
            )
    return TargetError(
        f"{alert.name}: the service did not take it{f' ({why})' if why else ''}.",
        hint="`taxietl alerts test` tries it again.",
    )
