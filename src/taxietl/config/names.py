"""The names that a configuration gives. It is not checked: quick, and works on a broken one."""

from __future__ import annotations

import os
from pathlib import Path

from taxietl.config.files import find_config_file, read_toml


def configured_names(section: str, *, config: Path | None = None) -> dict[str, str]:
    """The tables of `profiles` or `sources`, by name, each with its `type` if it says one.

    Args:
        section: whose keys are names.
        config: as for `load_settings`.
    """
    file = find_config_file(config)
    tables = read_toml(file)[0].get(section, {}) if file else {}
    found = {
        name: str(table.get("type", ""))
        for name, table in tables.items()
        if isinstance(table, dict)
    }
    known = {name.lower().replace("-", "_") for name in found}
    for variable, value in os.environ.items():
        prefix, _, path = variable.lower().partition("__")
        name, nested, key = path.partition("__")
        if prefix == f"taxietl_{section}" and nested and name not in known:
            found[name] = value if key == "type" else found.get(name, "")
    return found
