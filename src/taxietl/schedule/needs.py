"""What a command needs of its surroundings and will not find when a timer or cron starts it.

They pass on no variable of the shell. A secret that the configuration reads from a systemd
credential is loaded by the unit; what is read from a variable is warned of when it is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import ConfigError
from taxietl.schedule.definition import Starter

if TYPE_CHECKING:
    from taxietl.config import Settings
    from taxietl.config.secrets import SecretReference


@dataclass(frozen=True)
class Needs:
    """The credentials that a unit is to load, and what to warn of."""

    credentials: Mapping[str, Path]
    warnings: tuple[str, ...]


def needs(
    settings: Settings,
    starter: Starter,
    *,
    given: Mapping[str, Path],
    store: Path,
    environment: Mapping[str, str],
    ping: SecretReference | None = None,
) -> Needs:
    """What a command under this starter needs.

    Args:
        given: the files of credentials, by name, as the user gave them.
        store: the folder where credentials lie whose file was not given.
        environment: of this process, for variables of ours that would be lost.
        ping: where the address is to be read that is asked after each success.

    Raises:
        ConfigError: a credential's file is not there, or this starter has no credentials.
    """
    if given and not starter.is_systemd:
        raise ConfigError(
            f"--credential is for systemd's units; {starter.value} has no credentials.",
            hint="Leave it out, and name the file in the configuration: { file = "
            f'"{next(iter(given.values()))}" }}.',
        )
    for name, file in given.items():
        if not file.is_file():
            raise ConfigError(
                f"--credential {name}: there is no file {file}.", hint="Write the secret there."
            )
    credentials, warnings = dict(given), list[str]()
    pinged = [("--ping", ping)] if ping else []
    for owner, reference in (*_references(settings), *pinged):
        place = reference.place
        if reference.kind == "env" and starter is not Starter.RUN:
            warnings.append(
                f"{owner} is read from the environment variable {place}, which {starter.value} "
                f'does not pass on; use {{ file = "…" }}'
                + (' or { credential = "…" }.' if starter.is_systemd else ".")
            )
        elif reference.kind == "credential" and place not in credentials:
            if starter.is_systemd and (store / place).is_file():
                credentials[place] = store / place
                continue
            where = (
                f"put it into {store / place}, or give --credential {place}=FILE"
                if starter.is_systemd
                else f"which {starter.value} has none of"
            )
            warnings.append(f"{owner} is the credential {place!r}: {where}.")
    # TAXIETL_HOME and TAXIETL_CONFIG are written into what is installed.
    lost = sorted(name for name in environment if name.startswith("TAXIETL_") and "__" in name)
    if lost and starter is not Starter.RUN:
        warnings.append(
            f"{', '.join(lost)}: set here, and not when {starter.value} starts the command; "
            "write it into the configuration file."
        )
    return Needs(credentials, tuple(warnings))


def _references(settings: Settings) -> Iterator[tuple[str, SecretReference]]:
    """Every secret that lies elsewhere, with the setting it is for."""
    from taxietl.config.secrets import SecretReference

    for name, profile in sorted(settings.profiles.items()):
        for field in type(profile).model_fields:
            value = getattr(profile, field)
            if isinstance(value, SecretReference):
                yield f"profiles.{name}.{field}", value
    for each in settings.alerts:
        if isinstance(each.url, SecretReference):
            yield f"{each.name}.url", each.url
