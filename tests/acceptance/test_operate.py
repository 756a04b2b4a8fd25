"""The page on operating it, typed command by command on an empty machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from cron import DAEMON
from file_server import FileServer, ServedFile
from machine import PATH, Machine, empty_machine
from pages import ROOT, Block, blocks
from postgres import Server
from postgres_binaries import binaries
from receivers import Webhook

from taxietl.cli.main import main

PAGE = "docs/operate.md"
CHECKOUT = "/usr/local/src/taxietl"
UNITS = ROOT / "deploy" / "systemd"
_STATE = "/tmp/shell"


class Admin:
    """Somebody at that machine's prompt, as root: the shell lives from block to block."""

    def __init__(self, machine: Machine, variables: dict[str, str]) -> None:
        self.machine, self._variables = machine, variables

    def type(self, block: Block, own: Mapping[str, str] | None = None) -> str:
        """Type a block; gives what is printed, stderr too.

        Args:
            own: what stands there for something of the reader's own, and what that is.
        """
        text = block.text
        for example, given in (own or {}).items():
            assert example in text
            text = text.replace(example, given)
        return self.type_line(text)

    def type_line(self, text: str) -> str:
        """The same of what stands on no page."""
        script = f"[ ! -f {_STATE} ] || . {_STATE}\n{text}\n"
        script += f'{{ export -p; echo "cd $PWD"; }} > {_STATE}\n'
        done = self.machine.run("bash", "-ec", f"exec 2>&1\n{script}", variables=self._variables)
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """A server that has some months."""
    folder = tmp_path_factory.mktemp("source")
    line = ("--home", folder / "home", "generate", "--color", "green", "--rows", 20)
    name = "green_tripdata_{year}-{month:02d}.parquet"
    assert main([str(each) for each in (*line, "--since", "2026-01", "--out", folder / name)]) == 0
    with FileServer() as server:
        for each in folder.glob("*.parquet"):
            server.put(each.name, each.read_bytes())
        yield server


@pytest.fixture(scope="module")
def admin(
    tmp_path_factory: pytest.TempPathFactory, postgres: Server, source: FileServer
) -> Iterator[Admin]:
    """At a machine with a checkout, a database server, and nothing of taxietl."""
    machine = empty_machine(tmp_path_factory.mktemp("machine"))
    folder = binaries()
    machine.see_programs(folder)
    # The server's port and the source's address are settings of this machine.
    given = {
        "PGPORT": str(postgres.port),
        "TAXIETL_SOURCES__TLC__URL": source.template,
        "PYTHONPATH": machine.variables["PYTHONPATH"],
    }
    put_programs(machine, folder, postgres, given)
    put_checkout(machine)
    yield Admin(machine, {"PATH": PATH, **given})
    with closing(psycopg2.connect(postgres.url())) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS ny_taxi WITH (FORCE)")
            cursor.execute("DROP ROLE IF EXISTS loader, taxi_reader")


def put_programs(
    machine: Machine, postgres_bin: Path, server: Server, given: dict[str, str]
) -> None:
    """What Debian's packages would bring, and a systemd."""
    local = machine.root / ".local"
    systemd = local / "bin" / "systemd-machine"
    shutil.copy(Path(__file__).parents[1] / "support" / "systemd_machine.py", systemd)
    systemd.chmod(0o755)
    for name in ("systemctl", "systemd-run", "journalctl"):
        (local / "bin" / name).symlink_to(systemd.name)
    (local / "bin" / "apt-get").symlink_to("/bin/true")
    for name in ("psql", "createdb", "dropdb", "dropuser", "pg_dump"):
        (local / "bin" / name).symlink_to(postgres_bin / name)
    lines = "".join(f"{name}={value}\n" for name, value in given.items())
    manager = machine.path("/etc/systemd/system.conf.d/environment")
    manager.parent.mkdir(parents=True, exist_ok=True)
    manager.write_text(lines)
    machine.path("/etc/environment").write_text(lines)  # for cron, and for who logs in
    if machine.run("id", "postgres").returncode:
        machine.run("useradd", "--system", "--home-dir", "/var/lib/postgresql", "postgres")
    spool = machine.path("/var/spool/cron/crontabs")
    spool.mkdir(parents=True)
    machine.run("chgrp", "crontab", "/var/spool/cron/crontabs")
    spool.chmod(0o1730)
    home = machine.path("/var/lib/postgresql")
    home.mkdir(exist_ok=True)
    user, _, rest = server.url().removeprefix("postgresql://").partition(":")
    (home / ".profile").write_text(
        f"export PGHOST=127.0.0.1 PGUSER={user} PGPASSWORD={rest.partition('@')[0]}\n"
    )
    machine.run("usermod", "--home", "/var/lib/postgresql", "--shell", "/bin/bash", "postgres")


def put_checkout(machine: Machine) -> None:
    """What of this folder is under version control."""
    target = machine.root / ".local" / CHECKOUT.removeprefix("/usr/local/")
    for name in ("src", "deploy"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.txt"):
        shutil.copy(ROOT / name, target / name)


def section(heading: str) -> list[Block]:
    """The commands of a section."""
    found = [each for each in blocks(PAGE) if each.heading == heading and each.language == "sh"]
    assert found, heading
    return found


def test_from_an_empty_machine_to_a_timer_and_back_to_none(
    admin: Admin, postgres: Server, source: FileServer, webhook: Webhook, tmp_path: Path
) -> None:
    machine = admin.machine
    for heading in ("Install", "The database"):
        for block in section(heading):
            admin.type(block)
    configuration, by_hand = section("The configuration")
    admin.type(configuration, {ADDRESS: f"json://{webhook.place}"})
    assert "ok" in admin.type(by_hand)
    assert "a test" in webhook.messages.pop()["title"]

    timer, first_run = section("The timer")
    admin.type(timer)
    check_units(machine)
    said = admin.type(first_run)
    assert "new: 20 rows" in said
    assert "  done  " in said
    assert webhook.messages == []
    before = asked(postgres, COUNTED)
    restate(source, tmp_path)
    admin.type(first_run)
    (told,) = webhook.messages
    assert "restated" in told["title"]
    assert "+1 rows" in told["message"]
    assert asked(postgres, COUNTED) == before + 1
    check_rights(postgres)

    (backup,) = section("Backup")
    admin.type(backup)
    admin.type(backup)
    assert len(list(machine.path("/var/backups/taxietl").iterdir())) == 2
    (upgrade,) = section("Upgrade")
    assert "Successfully installed taxietl" in admin.type(upgrade)

    if shutil.which("crontab"):
        admin.type_line("taxietl schedule rm nightly")
        (by_cron,) = section("Without systemd")
        assert "  cron  " in admin.type(by_cron)
        assert '"exit_code": 0' in admin.type_line(BY_CRON)
        admin.type_line("su - taxietl -c 'taxietl schedule rm nightly'")
        admin.type(timer)

    (uninstall,) = section("Uninstall")
    admin.type(uninstall)
    assert left(machine) == []


def test_the_settings_that_keep_it_small_are_settings(tmp_path: Path) -> None:
    (shown,) = [each for each in blocks(PAGE) if each.heading == "Retention"]
    (tmp_path / "taxietl.toml").write_text(shown.text)

    line = ("--config", str(tmp_path / "taxietl.toml"), "--home", str(tmp_path), "profiles", "ls")
    assert main(line) == 0


COUNTED = "SELECT count(*) FROM green_trips"
ADDRESS = "mailtos://user:password@smtp.example.com?to=ana@example.com"


def restate(source: FileServer, folder: Path) -> None:
    """Publish the latest month again, with one trip more."""
    latest = max(source.files)
    year, month = latest.removesuffix(".parquet").rpartition("_")[2].split("-")
    file = folder / "restated.parquet"
    line = ("generate", "--color", "green", "--year", year, "--month", month, "--rows", "21")
    assert main(["--home", str(folder), *line, "--out", str(file)]) == 0
    source.files[latest] = ServedFile(file.read_bytes(), etag='"second"')


LAST = "/var/lib/taxietl/schedules/nightly.last.json"
BY_CRON = f"""
{DAEMON}
rm {LAST}
for i in $(seq 200); do
    ! grep exit_code...0 {LAST} 2> /dev/null || break
    sleep 0.1
done
"""


def check_units(machine: Machine) -> None:
    """What was written is what lies in deploy/, and systemd has nothing against it."""
    folder = Path("/etc/systemd/system")
    for each in UNITS.iterdir():
        assert machine.path(str(folder / each.name)).read_text() == each.read_text(), each.name
    files = [str(folder / each.name) for each in sorted(UNITS.iterdir())]
    assert len(files) == 3
    if shutil.which("systemd-analyze"):
        done = machine.run("systemd-analyze", "verify", *files)
        assert (done.returncode, done.stderr) == (0, "")


REFUSED = {
    "loader": (
        *("CREATE DATABASE mine", "CREATE ROLE mine", "CREATE SCHEMA mine"),
        *("CREATE TEMPORARY TABLE mine (x int)", "SELECT rolpassword FROM pg_authid"),
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ),
    "taxi_reader": (
        *("DELETE FROM green_trips", "CREATE TABLE public.mine (x int)"),
        *("UPDATE taxietl_loads SET run_name = ''", "DROP VIEW trips"),
    ),
}


def check_rights(postgres: Server) -> None:
    """The role that loads can do nothing else, and the one that reads can read it all."""
    with closing(psycopg2.connect(postgres.url("ny_taxi"))) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        for role, statements in REFUSED.items():
            cursor.execute(f"SET ROLE {role}")
            for table in ("green_trips", "trips", "taxietl_months", "taxietl_rejects"):
                cursor.execute(f"SELECT count(*) FROM {table}")
            for each in statements:
                with pytest.raises(psycopg2.Error) as refused:
                    cursor.execute(each)
                assert refused.value.pgcode == "42501", each


def left(machine: Machine) -> list[str]:
    """Files of taxietl that are still there; the checkout is the user's."""
    found = machine.run("find", "/etc", "/opt", "/var", "/usr/local", "-name", "*taxi*")
    return [each for each in found.stdout.splitlines() if not each.startswith(CHECKOUT)]


def asked(postgres: Server, query: str) -> Any:
    """One value from the database."""
    with closing(psycopg2.connect(postgres.url("ny_taxi"))) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        ((value,),) = cursor.fetchall()
        return value
