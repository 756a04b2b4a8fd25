"""The configuration that `taxietl init` writes: every key of every section, with what it does.

All of it is commented out, since none is needed. Lines of prose begin with `# `, settings with
`#`: taking that `#` away from every setting leaves a configuration that loads.
"""

from __future__ import annotations

import os
from pathlib import Path

from taxietl.config.base import DatabaseProfile, Profile
from taxietl.config.lakes import LakeProfile
from taxietl.config.profile_types import profile_types
from taxietl.errors import ConfigError

_HEAD = """\
# taxietl configuration. Nothing here is needed: without it, trips go into a DuckDB file under
# TAXIETL_HOME. Take the # away from what you want to set.
#
# Looked for, in this order: --config FILE, TAXIETL_CONFIG, ./taxietl.toml, and taxietl.toml in
# your configuration folder (on Linux ~/.config/taxietl). Any value can also come from the
# environment, which wins: TAXIETL_INGEST__TO=local, TAXIETL_PROFILES__WAREHOUSE__PORT=5433.
# Relative paths lie beside this file; ~ is your home folder.

#[ingest]
#source = "tlc"                 # where files come from where --source is not given
#to = "warehouse"               # the profile, or "env:DATABASE_URL", where --to is not given
#max_rejects = 0                # lines of a month that may be unreadable before it is refused
#max_shrink = 0.05              # part of a month's rows (0 to 1) that a replacement may lack
#transforms = ["drop-zero-passengers", "drop-impossible-trips:max_hours=12"]  # or "none"

# At most so many tasks with a tag at a time, in all processes that share TAXIETL_HOME; 0 lets
# none run, and a tag that is not here has no limit. `taxietl limits ls` shows who waits.
#[limits]
#tlc = 2                        # downloads from the TLC
#warehouse = 1                  # loads into the warehouse

#[cache]
#max_size = "10GB"              # beyond, the files and results not used for longest are removed

#[history]
#keep_days = 90                 # runs that ended longer ago are removed, once a day

# Values for flows of your own, by name; a secret is a reference, as in the profiles below. Flows
# that come from Prefect ask for them: Variable.get("bucket"), Secret.load("slack").get().
#[variables]
#bucket = "trips-of-mine"
#slack = { env = "SLACK_URL" }

# Who is told, through Apprise (pip install 'taxietl[alerts]'): of runs that failed or crashed, and
# of events by their names, your own flows' too. One message a command; repeats for other
# addresses. `taxietl alerts test` sends one through each.
#[[alerts]]
#on = ["failed", "crashed", "restated", "rejects", "shrunk", "overdue"]
#url = { env = "ALERT_URL" }    # a secret, such as mailtos://user:password@example.com

# Sources are servers that have the months, each file under its {color}, {year} and {month}; then
# `--source NAME` asks there. Built in are "tlc", the TLC's own server, and "mirror", the CSV files
# as published until July 2021. No user name and no password belongs in an address.

#[sources.company]
#url = "https://mirror.example.com/tlc/{color}_tripdata_{year}-{month:02}.parquet"
#zones = "https://mirror.example.com/tlc/taxi_zone_lookup.csv"  # left out: it has none

# Profiles are named connections. Names have letters, digits, - and _, and keep their case.
# The one named "warehouse" is the default target; left out, it is a DuckDB file.
#
# A secret is a reference, looked up when it is used:
#   { env = "PGPASSWORD" }        an environment variable
#   { file = "~/.secrets/pg" }    a file's text, without its last newline
#   { credential = "pg" }         a systemd credential: $CREDENTIALS_DIRECTORY/pg
# Text in quotes works too, with a warning. If you must, then chmod 600 this file.

"""


def example() -> str:
    """The whole of it; the types of profiles, those of plug-ins too, have their parts of it."""
    kinds = sorted(profile_types(), key=_is_last)
    return _HEAD + "\n".join(each.example for each in kinds if each.example)


def _is_last(kind: type[Profile]) -> tuple[bool, bool]:
    return not issubclass(kind, DatabaseProfile), not issubclass(kind, LakeProfile)


def write_example(path: Path) -> None:
    """Write the example to a new file that only its owner can read: secrets may follow.

    Raises:
        ConfigError: something of that name is there already, or it cannot be written.
    """
    text = example()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        # O_EXCL: of two at once, one makes the file and the other is told that it exists.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            f"{path} exists already, and is left as it is.",
            hint="Edit it, or name another file.",
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)  # a part of it would stand in the next try's way
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be written: {error.strerror}.", hint="Name a file elsewhere."
    )
