"""The dead man's switch: a schedule that ended with 0 asks an address, which tells if it does not.

Whoever knows the address can ask it, so it is a secret, and kept as a reference.
"""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
from pathlib import Path
from typing import Literal, cast

from taxietl.config.secrets import SecretReference
from taxietl.errors import ConfigError

LIMIT_SECONDS = 10.0

_logger = logging.getLogger("taxietl.schedule")


def as_reference(given: str) -> SecretReference:
    """What `--ping` names: `env:NAME`, `file:PATH`, `credential:NAME`.

    Raises:
        ConfigError: it is an address, or the file is not there.
    """
    kind, _, place = given.partition(":")
    if kind not in ("env", "file", "credential") or not place or "://" in given:
        raise ConfigError(
            "--ping takes no address, which is a secret, but where it is to be read.",
            hint="--ping env:NAME, --ping file:PATH, or under systemd --ping credential:NAME.",
        )
    if kind == "credential" and "/" in place:
        raise ConfigError("--ping: a credential is a name, not a path.", hint="Use file:PATH.")
    if kind == "file":
        path = Path.cwd() / Path(place).expanduser()
        if not path.is_file():
            raise ConfigError(f"--ping: there is no file {path}.", hint="Write the address there.")
        place = str(path)
    return SecretReference(cast(Literal["env", "file", "credential"], kind), place)


def ping(reference: SecretReference, schedule: str) -> None:
    """Ask the address; what goes wrong is logged without it."""
    try:
        url = reference.reveal(f"--ping of schedule {schedule}").get_secret_value().strip()
    except ConfigError as error:
        _logger.warning("%s %s", error.message, error.hint)
        return
    if not url.startswith(("http://", "https://")):
        _logger.warning("%s holds no address that could be asked: http://… or https://…", reference)
        return
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_SECONDS):
            return
    except urllib.error.HTTPError as error:
        with error:
            said = f"HTTP {error.code}"
    except Exception as error:  # noqa: BLE001  whatever it says may have the address in it
        reason = getattr(error, "reason", error)
        said = getattr(reason, "strerror", None) or type(reason).__name__
    _logger.warning("The ping of schedule %r did not arrive: %s", schedule, said)
