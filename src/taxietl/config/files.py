"""Find the configuration file and the home folder, and read TOML."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from taxietl.errors import ConfigError

FILE_NAME = "taxietl.toml"


def find_config_file(named: Path | None) -> Path | None:
    """The file in force, absolute; None where there is none, which is no error.

    `named` (`--config`) wins, then `TAXIETL_CONFIG`, `./taxietl.toml`, and `taxietl.toml` in the
    user's configuration folder.

    Raises:
        ConfigError: `--config` or `TAXIETL_CONFIG` names a file that is not there.
    """
    variable = os.environ.get("TAXIETL_CONFIG")
    if named is None and variable:
        return _existing(Path(variable), "TAXIETL_CONFIG")
    if named is not None:
        return _existing(named, "--config")
    here = Path.cwd() / FILE_NAME
    if here.is_file():
        return here
    users = user_config_file()
    return users if users.is_file() else None


def user_config_file() -> Path:
    """The file in the user's configuration folder, whether it exists or not."""
    import platformdirs

    return platformdirs.user_config_path("taxietl", appauthor=False) / FILE_NAME


def find_home(named: Path | None) -> Path:
    """The home folder, absolute: `named` (`--home`), `TAXIETL_HOME`, or the user's data folder."""
    variable = os.environ.get("TAXIETL_HOME")
    if named is None and variable:
        named = Path(variable)
    if named is not None:
        return _expanded(named)
    import platformdirs

    return platformdirs.user_data_path("taxietl", appauthor=False)


def read_toml(file: Path) -> tuple[dict[str, Any], ConfigError | None]:
    """What the file says, or why it cannot be read.

    The error is returned for the caller to raise: a traceback from here would hold the text.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")  # Windows editors put a mark before it
        return tomllib.loads(text), None
    except OSError as error:
        return {}, ConfigError(
            f"{file}: cannot be read: {error.strerror}.",
            hint="Check that this user may read it, or name another: --config FILE.",
        )
    except UnicodeDecodeError:
        return {}, ConfigError(
            f"{file}: not valid TOML: it is not UTF-8 text.", hint="Save it as UTF-8."
        )
    except tomllib.TOMLDecodeError as error:
        trouble = str(error)  # what was expected, line and column; never the line itself
    return {}, ConfigError(
        f"{file}: not valid TOML: {trouble}.", hint='Text needs quotes: key = "value".'
    )


def _existing(file: Path, named_by: str) -> Path:
    found = _expanded(file)
    if not found.is_file():
        raise ConfigError(
            f"{named_by}: there is no file {found}.",
            hint="Correct the path, or write one: `taxietl init`.",
        )
    return found


def _expanded(path: Path) -> Path:
    try:
        return Path.cwd() / path.expanduser()
    except RuntimeError:
        pass
    raise ConfigError(f"{path}: no such home folder.", hint="Write the path out in full.")
