"""The configuration: found where, whether it is valid, and who can read the secrets it names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from taxietl.config import Settings
from taxietl.config.files import FILE_NAME, user_config_file
from taxietl.config.secrets import SecretReference
from taxietl.doctor.examination import Check
from taxietl.errors import ConfigError
from taxietl.findings import Finding

CONFIG, PERMISSIONS = "config", "permissions"


def configuration_checks(settings: Settings | ConfigError) -> list[Check]:
    """What looks at the settings in force, or says why there are none."""
    if isinstance(settings, ConfigError):
        error = settings
        return [Check(CONFIG, "", lambda: [Finding.problem(CONFIG, "", error)])]
    return [
        Check(CONFIG, "", lambda: _config(settings)),
        Check(PERMISSIONS, "", lambda: _permissions(settings)),
    ]


def _config(settings: Settings) -> Iterator[Finding]:
    file = settings.config_file
    if file is None:
        yield Finding.ok(
            CONFIG,
            "",
            f"No configuration file, and none is needed: there is no ./{FILE_NAME} and no "
            f"{user_config_file()}. `taxietl init` writes one.",
        )
    else:
        yield Finding.ok(
            CONFIG, "", f"{file} is valid; profiles: {', '.join(sorted(settings.profiles))}."
        )
    for each in settings.warnings:
        yield Finding.warning(CONFIG, "", each, hint="")


def _permissions(settings: Settings) -> Iterator[Finding]:
    """Of each file that a secret lies in; one that is missing is its profile's problem."""
    private = 0
    for owner, file in _secret_files(settings):
        try:
            found = file.stat()
        except OSError:
            continue
        readers = _other_readers(found)
        if not readers:
            private += 1
            continue
        yield Finding.warning(
            PERMISSIONS,
            "",
            f"{file}, the secret of {owner}, can be read by {readers}.",
            hint=f"chmod 600 {file}",
        )
    if private:
        files = "1 file" if private == 1 else f"{private} files"
        yield Finding.ok(PERMISSIONS, "", f"Nobody else can read {files} with secrets.")


def _secret_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The settings that name a file with a secret in it, each with the file."""
    for alert in settings.alerts:
        if isinstance(alert.url, SecretReference) and alert.url.kind == "file":
            yield f"{alert.name}.url", Path(alert.url.place)
    for profile in settings.profiles.values():
        yield from profile.secret_files()


def _other_readers(found: os.stat_result) -> str:
    """Who else can read a file of that status, in words; empty for nobody.

    Where somebody else owns it, as root does a service's, the group is how this user reads it.
    """
    if os.name != "posix":
        return ""
    if found.st_mode & stat.S_IROTH:
        return "every user of this machine"
    if found.st_mode & stat.S_IRGRP and found.st_uid == os.geteuid():
        return "its group"
    return ""
