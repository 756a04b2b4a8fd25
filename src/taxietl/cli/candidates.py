"""Values to offer at TAB for options and arguments. Cheap: neither pydantic nor Arrow is loaded."""

from __future__ import annotations

import os

from taxietl.cli.session import chosen_home, named_in_config

Offers = list[tuple[str, str]]

SOURCES = {
    "tlc": "the official server",
    "mirror": "a frozen copy of CSV files",
    "synthetic": "made up on the spot",
}


def colors(incomplete: str) -> Offers:
    """The datasets, after a comma too, and all of them."""
    from taxietl.tlc.datasets import DATASETS

    before, comma, _ = incomplete.rpartition(",")
    found = [(color, each.table) for color, each in DATASETS.items()]
    every = [] if comma else [("all", "every colour")]
    return [
        (before + comma + color, says)
        for color, says in found + every
        if color not in before.split(",") and (before + comma + color).startswith(incomplete)
    ]


def profiles() -> Offers:
    """The profiles that the configuration names, and the one that is always there."""
    return list(({"warehouse": "duckdb"} | named_in_config("profiles")).items())


def sources(incomplete: str) -> Offers:
    """Servers and lakes; files of this folder besides, which the shell offers if nothing fits."""
    lakes = {
        name: f"lake ({kind})"
        for name, kind in named_in_config("profiles").items()
        if kind in ("gcs", "folder")
    }
    found = [
        (name, says)
        for name, says in (SOURCES | named_in_config("sources") | lakes).items()
        if name.startswith(incomplete)
    ]
    return found + _files() if found else []


def _files() -> Offers:
    with os.scandir() as entries:
        return sorted(
            (f"{each.name}/", "folder") if each.is_dir() else (each.name, "file")
            for each in entries
            if not each.name.startswith(".")
        )


def transforms() -> Offers:
    """The rules of all packages."""
    from importlib.metadata import entry_points

    names = {each.name for each in entry_points(group="taxietl.transformers")}
    return [*((name, "") for name in sorted(names)), ("none", "no rule at all")]


def runs() -> Offers:
    """The latest runs."""
    from taxietl.orchestrator.query.glance import latest_runs

    return latest_runs(chosen_home())


def states() -> Offers:
    """The states a run can be in."""
    from taxietl.orchestrator import StateName

    return [(name.value, "") for name in StateName]


def profile_types() -> Offers:
    """The types that a profile can be of."""
    from taxietl.config.profile_types import type_names

    return [(name, "") for name in type_names()]


def schedules() -> Offers:
    """Those of the home in force."""
    from taxietl.schedule.definition import names

    return [(name, "") for name in names(chosen_home())]
