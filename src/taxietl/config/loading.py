"""Load the configuration: read the file, put the environment over it, check all of it at once.

Errors are raised in `load_settings` alone, out of reach of what was read: a traceback that shows
local variables, or an error's `__context__`, would otherwise show a literal secret.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from taxietl.config.alerts import AlertSettings
from taxietl.config.base import Profile
from taxietl.config.files import find_config_file, find_home, read_toml
from taxietl.config.overlay import Document, put_environment_over, read_tables
from taxietl.config.paths import Surroundings
from taxietl.config.problems import Problem, config_error, guess, problems_of
from taxietl.config.profile_types import profile_type, type_names
from taxietl.config.sections import (
    CacheSettings,
    HistorySettings,
    IngestSettings,
    LimitSettings,
    Settings,
    VariableSettings,
)
from taxietl.config.sources import BUILT_IN, SourceSettings
from taxietl.errors import ConfigError, UnknownNameError
from taxietl.masking import holds_secret

DEFAULT_PROFILE = "warehouse"
_NAME = re.compile(r"[A-Za-z0-9_-]+")

Model = TypeVar("Model", bound=BaseModel)


def load_settings(*, config: Path | None = None, home: Path | None = None) -> Settings:
    """Everything that is configured, checked.

    Args:
        config: the file named by `--config`; None means look for one (`find_config_file`).
        home: the folder named by `--home`; None means `TAXIETL_HOME` or the user's data folder.

    Returns:
        Settings with at least the profile `warehouse`: a DuckDB file under the home folder,
        unless the configuration says otherwise. Nothing is created, no secret looked up.
        Relative paths lie beside the configuration file, a variable's too; without a file,
        in the working directory.

    Raises:
        ConfigError: a named file is not there, or something in it or in a `TAXIETL_…__…`
            variable is wrong: one line for each thing.
    """
    outcome = _load(find_config_file(config), find_home(home))
    if isinstance(outcome, ConfigError):
        raise outcome
    return outcome


def _load(file: Path | None, home: Path) -> Settings | ConfigError:
    raw, unreadable = read_toml(file) if file else ({}, None)
    if unreadable:
        return unreadable
    document, problems = read_tables(raw)
    in_file = set(document.profiles)
    document.profiles.setdefault(DEFAULT_PROFILE, {"type": "duckdb"})
    for name, built_in in BUILT_IN.items():
        document.sources[name] = built_in.model_dump() | document.sources.get(name, {})
    problems.extend(put_environment_over(document))

    check = _Check(Surroundings(file.parent if file else Path.cwd(), home), problems)
    ingest = check.table(IngestSettings, document.ingest, ("ingest",))
    limits = check.table(LimitSettings, document.limits, ("limits",))
    variables = check.table(VariableSettings, document.variables, ("variables",))
    cache = check.table(CacheSettings, document.cache, ("cache",))
    history = check.table(HistorySettings, document.history, ("history",))
    profiles = {
        name: profile.known_as(name, _origin(name, document, file if name in in_file else None))
        for name, table in document.profiles.items()
        if (profile := check.profile(name, table)) is not None
    }
    profiles = check.references(profiles)
    sources = {
        name: source
        for name, table in document.sources.items()
        if (source := check.source(name, table)) is not None
    }
    alerts = {
        name: alert.known_as(f"alerts.{name}")
        for name, table in document.alerts.items()
        if (alert := check.alert(name, table)) is not None
    }
    if problems or ingest is None or limits is None or variables is None:
        return config_error(problems, file, document.from_environment)
    if cache is None or history is None:
        return config_error(problems, file, document.from_environment)
    return Settings(
        config_file=file,
        home=home,
        ingest=ingest,
        cache=cache,
        history=history,
        profiles=MappingProxyType(profiles),
        limits=MappingProxyType(limits.root),
        variables=MappingProxyType(variables.root),
        sources=MappingProxyType(sources),
        alerts=tuple(alert for _, alert in sorted(alerts.items(), key=lambda each: int(each[0]))),
        warnings=_warnings(document, profiles, file),
    )


@dataclass(frozen=True)
class _Check:
    """Turns tables into models, noting every problem instead of stopping at the first."""

    around: Surroundings
    problems: list[Problem]

    def table(
        self, model: type[Model], table: dict[str, object], path: tuple[str, ...]
    ) -> Model | None:
        try:
            return model.model_validate(table, context=self.around)
        except ValidationError as error:
            self.problems.extend(problems_of(error, path, model))
            return None

    def profile(self, name: str, table: dict[str, object]) -> Profile | None:
        path = ("profiles", name)
        if not self._is_name(path, "profile"):
            return None
        kind = self._type(table.get("type"), path)
        return self.table(kind, table, path) if kind else None

    def _type(self, name: object, path: tuple[str, ...]) -> type[Profile] | None:
        try:
            if isinstance(name, str):
                return profile_type(name)
        except UnknownNameError:
            pass
        except ConfigError as error:
            self._note((*path, "type"), f"{error.message} {error.hint}")
            return None
        known = type_names()
        what = "is missing; it is one of" if name is None else "must be one of"
        near = f". {guess(name, known)}" if isinstance(name, str) else ""
        self._note((*path, "type"), f"{what} {', '.join(known)}{near}")
        return None

    def source(self, name: str, table: dict[str, object]) -> SourceSettings | None:
        path = ("sources", name)
        return self.table(SourceSettings, table, path) if self._is_name(path, "source") else None

    def alert(self, name: str, table: dict[str, object]) -> AlertSettings | None:
        path = ("alerts", name)
        if name.isdecimal():
            return self.table(AlertSettings, table, path)
        self._note(path, "must be a number: TAXIETL_ALERTS__1__URL")
        return None

    def references(self, profiles: dict[str, Profile]) -> dict[str, Profile]:
        """The profiles, each with those that keys of it name."""
        complete = dict(profiles)
        for name, profile in profiles.items():
            for key, kind in profile.refers_to.items():
                if (named := getattr(profile, key)) is None:
                    continue
                fitting = {n: each for n, each in profiles.items() if each.type == kind}
                if named in fitting:
                    complete[name] = complete[name].referring(key, fitting[named])
                else:
                    # The name is not repeated: whoever misread the key may have put a token there.
                    text = f"must be the name of a {kind} profile. {guess(named, fitting)}"
                    self._note(("profiles", name, key), text.strip())
        return complete

    def _is_name(self, path: tuple[str, str], kind: str) -> bool:
        if _NAME.fullmatch(path[1]):
            return True
        self._note(path, f"a {kind}'s name has letters, digits, - and _ only")
        return False

    def _note(self, path: tuple[str, ...], text: str) -> None:
        self.problems.append(Problem(path, text))


def _origin(name: str, document: Document, file: Path | None) -> str:
    if not document.is_touched(name):
        return str(file) if file else "built in"
    return f"{file}, and the environment" if file else "the environment"


def _warnings(
    document: Document, profiles: dict[str, Profile], file: Path | None
) -> tuple[str, ...]:
    """One line for each secret that is written out in the file."""
    if file is None:
        return ()
    exposed = os.name == "posix" and file.stat().st_mode & 0o077
    advice = f" Others can read the file: chmod 600 {file}" if exposed else ""
    exposes = [
        f"{file}: profiles.{name}.{key} is a secret written out. "
        f'Better: {key} = {{ env = "…" }} or {{ file = "…" }}.{advice}'
        for name, profile in profiles.items()
        for key in profile.secret_keys
        if ("profiles", name, key) not in document.from_environment
        and _is_secret(key, document.profiles[name].get(key))
    ]
    exposes += [
        f"{file}: alerts.{number}.url is a secret written out. "
        f'Better: url = {{ env = "…" }} or {{ file = "…" }}.{advice}'
        for number, table in document.alerts.items()
        if isinstance(table.get("url"), str)
        and ("alerts", number, "url") not in document.from_environment
    ]
    to = document.ingest.get("to")
    if ("ingest", "to") not in document.from_environment and holds_secret(str(to)):
        better = 'Better: to = "env:NAME", a variable that holds the URL.'
        exposes.append(f"{file}: ingest.to is a secret written out. {better}{advice}")
    return tuple(exposes)


def _is_secret(key: str, value: object) -> bool:
    """Whether a value is a literal with something to hide; a url need have no password."""
    if not isinstance(value, str) or not value:
        return False
    return key != "url" or holds_secret(value)
