"""`taxietl ingest` into PostgreSQL, as a process of its own that a test may kill."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from months import Postgres

from taxietl.extract.synthetic import write

MONTH = ("--color", "green", "--year", "2021", "--month", "1")


class Ingest:
    """A home, a month's file, and the command that replaces it in the database."""

    def __init__(self, folder: Path, server: Postgres, rows: int) -> None:
        self.server = server
        self.files = folder / "files"
        self.files.mkdir()
        self._home = folder / "home"
        self._config = folder / "taxietl.toml"
        (folder / "url").write_text(server.url)
        self._config.write_text(
            f'[profiles.warehouse]\ntype = "postgres"\nurl = {{ file = "{folder / "url"}" }}\n'
        )
        write(self.files / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=rows)

    def command(self, *arguments: object) -> list[str]:
        """The command line."""
        start = (sys.executable, "-m", "taxietl", "--home", self._home, "--config", self._config)
        return [str(each) for each in (*start, *arguments)]

    def document(self, *arguments: object) -> Any:
        """What a command that has to succeed says, as JSON."""
        done = subprocess.run(
            self.command(*arguments, "--json"), check=False, capture_output=True, text=True
        )
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    def load(self) -> Any:
        """Load the month, whatever is there."""
        return self.document("ingest", *MONTH, "--source", self.files, "--force")["months"][0]

    def begin(self) -> subprocess.Popen[str]:
        """Begin to; returns once its run has begun."""
        process = subprocess.Popen(
            self.command("ingest", *MONTH, "--source", self.files, "--force"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        process.stderr.readline()
        return process

    def seconds(self) -> float:
        """How long a load takes after its run has begun."""
        with self.begin() as process:
            begun = time.monotonic()
            process.communicate()
            return time.monotonic() - begun

    def facts(self) -> tuple[Any, ...]:
        """Rows and their sum, and of the ledger the current row's count; equal for old and new."""
        return (
            self.server.ask(
                "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM green_trips t"
            ),
            self.server.ask("SELECT rows_loaded FROM taxietl_months"),
            self.server.ask(
                "SELECT count(*) FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = 'taxietl_parts'::regnamespace"
            ),
        )

    def wait_until_alone(self) -> None:
        """Wait until the server has noticed that its client is gone."""
        end = time.monotonic() + 60
        while self.server.ask(
            "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'taxietl%%' "
            "AND datname = current_database() AND pid <> %s",
            0,
        ):
            assert time.monotonic() < end
            time.sleep(0.02)
