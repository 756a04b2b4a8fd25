"""The compose file: read as Compose reads it, its commands run in the image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from dockerfile import Image
from file_server import FileServer
from machine import Machine
from postgres import Server
from postgres_binaries import binaries

from taxietl.cli.main import main

FOLDER = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
SECRET = "known to nobody"


@pytest.fixture
def database(postgres: Server) -> Iterator[Server]:
    """A server as the image of PostgreSQL has made it: with the database, and nothing in it."""
    with closing(psycopg2.connect(postgres.url())) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE {SERVICES['postgres']['environment']['POSTGRES_DB']}")
        yield postgres
        cursor.execute("DROP DATABASE ny_taxi WITH (FORCE)")
        cursor.execute("DROP ROLE IF EXISTS loader, taxi_reader")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[FileServer]:
    """A server that has months of one colour."""
    name = "green_tripdata_{year}-{month:02d}.parquet"
    line = ("--color", "green", "--since", "2026-01", "--rows", "20", "--out", tmp_path / name)
    assert main(["--home", str(tmp_path), "generate", *map(str, line)]) == 0
    with FileServer() as server:
        for each in tmp_path.glob("*.parquet"):
            server.put(each.name, each.read_bytes())
        yield server


class Composed:
    """The services' containers: the image's machine, with what each service adds to it."""

    def __init__(self, image: Image, postgres: Server, source: FileServer) -> None:
        self.image = image
        self.machine: Machine = image.machine
        self._given = {
            "PGPORT": str(postgres.port),
            "TAXIETL_SOURCES__TLC__URL": source.template,
        }
        hosts = self.machine.path("/etc/hosts")
        hosts.write_text(f"127.0.0.1 localhost {' '.join(SERVICES)}\n")

    def place(self, service: dict[str, Any]) -> dict[str, Any]:
        """Where and as whom its command runs, once its volumes and secrets are there."""
        for each in service.get("volumes", []):
            here, there, *_ = each.split(":")
            if here.startswith("./"):
                target = self.machine.path(there)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text((FOLDER / here).read_text())
            else:
                assert here in COMPOSE["volumes"]
        for each in service["secrets"]:
            target = self.machine.path(f"/run/secrets/{each}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(SECRET)
            assert COMPOSE["secrets"][each].keys() == {"environment"}
        return {
            "user": self.image.user,
            "folder": self.image.folder,
            "variables": self.image.variables | service["environment"] | self._given,
        }

    def run(self, service: str, *command: str) -> str:
        """Run its command, or another one in its place, to the end."""
        of = SERVICES[service]
        line = (*self.image.entry_point, *(command or of["command"]))
        done = self.machine.run(*line, **self.place(of))
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


def test_from_an_empty_database_to_a_month_that_was_loaded(
    image: Image, database: Server, source: FileServer
) -> None:
    composed = Composed(image, database, source)
    server = SERVICES["postgres"]
    make_roles(composed, server, database)

    assert "nightly  added" in composed.run("nightly")
    assert "nightly  added" in composed.run("nightly")  # as at each `up`
    composed.run("taxietl", "schedule", "exec", "nightly")
    assert "done" in composed.run("taxietl", "schedule", "ls")
    with closing(psycopg2.connect(database.url("ny_taxi"))) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(DISTINCT source_month) > 0 FROM green_trips")
        assert cursor.fetchall() == [(True,)]

    of = SERVICES["taxietl"]
    line = (*image.entry_point, *of["command"])
    with composed.machine.running(*line, **composed.place(of)) as container:
        assert "Starts nightly; times in America/New_York" in container.read_line()
        container.terminate()
    assert container.process.returncode == 0


def make_roles(composed: Composed, server: dict[str, Any], database: Server) -> None:
    """What PostgreSQL's image does with a script in its folder, and its health check."""
    folder = binaries()
    composed.machine.see_programs(folder)
    composed.place(server)
    user, _, rest = database.url().removeprefix("postgresql://").partition(":")
    variables = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(database.port),
        "PGUSER": user,
        "PGPASSWORD": rest.partition("@")[0],
    }
    (script,) = composed.machine.path("/docker-entrypoint-initdb.d").iterdir()
    psql = ("psql", "--set=ON_ERROR_STOP=1", "--no-psqlrc", "--dbname=ny_taxi")
    scripted = f"--file=/docker-entrypoint-initdb.d/{script.name}"
    done = composed.machine.run(*psql, scripted, variables=variables)
    assert done.returncode == 0, done.stderr
    kind, *check = server["healthcheck"]["test"]
    assert kind == "CMD"
    assert composed.machine.run(*check, variables=variables).returncode == 0


def test_both_share_a_home_and_neither_has_a_right_too_many(image: Image) -> None:
    ours = [each for each in SERVICES.values() if each["image"] == "taxietl"]

    assert len(ours) == 2
    for each in ours:
        assert each["volumes"] == ours[0]["volumes"]
        assert f"home:{image.variables['TAXIETL_HOME']}" in each["volumes"]
        assert each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in each  # the image's
    assert not [each for each in SERVICES.values() if "ports" in each]
    build = SERVICES["nightly"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).resolve() == FOLDER / "Dockerfile"
