"""Put the environment's values over the file's, without knowing what any of them means.

`TAXIETL_INGEST__TO` is `[ingest] to`; `TAXIETL_PROFILES__WAREHOUSE__PORT` is `port` of
`[profiles.warehouse]`. Names of variables fold case, and shells allow no `-` in them; names of
profiles and sources keep both: `TAXIETL_PROFILES__MY_LAKE__BUCKET` reaches the file's profile
`My-Lake`, and makes a new one, `my_lake`, only where the file has none that fits. Tags do likewise.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from taxietl.config.problems import Problem, misspelt, variable

PLAIN_SECTIONS = ("cache", "history", "ingest")
"""Those whose keys are known."""
NAMED_SECTIONS = ("profiles", "sources", "alerts")
"""Those whose keys are names of tables; the tables of a list go by their numbers, from 1."""
FREE_SECTIONS = ("limits", "variables")
"""Those whose keys are anybody's: tags, names of values."""
SECTIONS = (*PLAIN_SECTIONS, *FREE_SECTIONS, *NAMED_SECTIONS)
_PREFIX = "taxietl_"


@dataclass(repr=False)
class Document:
    """Tables as read, unchecked; may hold literal secrets, so it has no repr."""

    cache: dict[str, Any] = field(default_factory=dict)
    history: dict[str, Any] = field(default_factory=dict)
    ingest: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    from_environment: set[tuple[str, ...]] = field(default_factory=set)
    """The paths of the values that variables gave."""

    def named(self, section: str) -> dict[str, dict[str, Any]]:
        """The tables of a section whose keys are names."""
        found: dict[str, dict[str, Any]] = getattr(self, section)
        return found

    def is_touched(self, profile: str) -> bool:
        """Whether a variable gave some value of that profile."""
        return any(path[:2] == ("profiles", profile) for path in self.from_environment)


def read_tables(raw: dict[str, Any]) -> tuple[Document, list[Problem]]:
    """The file's sections, where they have the shape of sections."""
    document, problems = Document(), []
    for section in raw:
        if section not in SECTIONS:
            problems.append(Problem((section,), misspelt("section", section, SECTIONS)))
    if "alerts" in raw:
        listed = raw["alerts"]
        if not isinstance(listed, list):
            problems.append(Problem(("alerts",), "must be a list of tables: [[alerts]]"))
            return document, problems
        raw = raw | {"alerts": {str(number): each for number, each in enumerate(listed, 1)}}
    for section in SECTIONS:
        if not isinstance(raw.get(section, {}), dict):
            problems.append(Problem((section,), f"must be a table: [{section}]"))
            return document, problems
    for section in (*PLAIN_SECTIONS, *FREE_SECTIONS):
        getattr(document, section).update(raw.get(section, {}))
    for section in NAMED_SECTIONS:
        for name, table in raw.get(section, {}).items():
            if isinstance(table, dict):
                document.named(section)[name] = dict(table)
            else:
                is_listed = section == "alerts"
                text = f"must be a table: {'[[alerts]]' if is_listed else f'[{section}.{name}]'}"
                problems.append(Problem((section, name), text))
    return document, problems


def put_environment_over(document: Document) -> list[Problem]:
    """Change the document as the environment says; returns what is wrong with the variables."""
    used, problems = _look_for_variables(document)
    if not used:
        return problems
    from taxietl.config.environment import read_environment  # loads pydantic-settings

    values = read_environment()
    for section in PLAIN_SECTIONS:
        table = values.get(section, {})
        if isinstance(table, dict):
            getattr(document, section).update(table)
            document.from_environment.update((section, key) for key in table)
        else:
            problems.append(_not_a_value(document, (section,)))
    for section in (*FREE_SECTIONS, *NAMED_SECTIONS):
        named = values.get(section, {})
        if isinstance(named, dict):
            for name, value in named.items():
                problems.extend(_put_named_over(document, section, name, value))
        else:
            problems.append(_not_a_value(document, (section,)))
    return problems


def _look_for_variables(document: Document) -> tuple[bool, list[Problem]]:
    """Whether any variable is for a section, and those that are for no section there is."""
    used, problems = False, []
    for name in os.environ:
        if not name.lower().startswith(_PREFIX):
            continue
        section, nested, rest = name.lower().removeprefix(_PREFIX).partition("__")
        if section in SECTIONS:
            used = True
        elif nested:  # without it, it is TAXIETL_HOME, TAXIETL_CONFIG or none of ours
            path = (section, *rest.split("__"))
            document.from_environment.add(path)
            problems.append(Problem(path, misspelt("section", section, SECTIONS)))
    return used, problems


def _put_named_over(document: Document, section: str, folded: str, value: object) -> list[Problem]:
    if section in FREE_SECTIONS:
        return _put_value_over(document, section, folded, value)
    return _put_table_over(document, section, folded, value)


def _put_value_over(document: Document, section: str, folded: str, value: object) -> list[Problem]:
    values = getattr(document, section)
    name, ambiguous = _meant(document, section, folded, values)
    if ambiguous:
        return ambiguous
    values[name] = value
    document.from_environment.add((section, name))
    return []


def _put_table_over(document: Document, section: str, folded: str, table: object) -> list[Problem]:
    tables = document.named(section)
    name, ambiguous = _meant(document, section, folded, tables)
    path = (section, name)
    if not isinstance(table, dict):
        return [_not_a_value(document, path)]
    if ambiguous:
        return ambiguous
    tables.setdefault(name, {}).update(table)
    document.from_environment.update((*path, key) for key in table)
    return []


def _meant(
    document: Document, section: str, folded: str, known: Iterable[str]
) -> tuple[str, list[Problem]]:
    """The name that a variable's part stands for, and the problem if it could be several."""
    matching = sorted(name for name in known if _fold(name) == _fold(folded))
    name = matching[0] if matching else folded
    if len(matching) < 2:
        return name, []
    document.from_environment.add((section, name))
    names = " and ".join(repr(each) for each in matching)
    return name, [Problem((section, name), f"could mean the {section} {names}: rename one of them")]


def _not_a_value(document: Document, path: tuple[str, ...]) -> Problem:
    document.from_environment.add(path)
    below = ("name", "key")[len(path) - 1 :] if path[0] in NAMED_SECTIONS else ("key",)
    return Problem(path, f"must go on to a single value: {variable((*path, *below))}")


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")
