from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from taxietl.errors import ConfigError, TargetError, TryLaterError
from taxietl.orchestrator import Engine
from taxietl.orchestrator.store.database import Database, network_file_system

MOUNTS = r"""
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/me/local ext4 rw 0 0
//nas/x /mnt/my\040nas cifs rw 0 0
drvfs /mnt/c 9p rw 0 0
host:/ /mnt/far fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", None),
        ("/home/me", "nfs4"),
        ("/home", "nfs4"),
        ("/homes", None),
        ("/home/me/local/x", None),
        ("/mnt/my nas/x", "cifs"),
        ("/mnt/c/Users", None),
        ("/mnt/far/x", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_told_by_the_nearest_mount(path: str, kind: str | None) -> None:
    assert network_file_system(Path(path), MOUNTS) == kind


def test_a_home_that_is_a_file_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot be used for the history") as error:
        Engine(tmp_path / "file")

    assert str(tmp_path / "file") in error.value.message
    assert "--home DIR" in error.value.hint
    assert error.value.exit_code == 2


READ_ONLY = """
import os, sys
from pathlib import Path
from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write anywhere
try:
    Engine(Path(sys.argv[1]))
except ConfigError as error:
    print(error.message, error.hint)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such mode there")
@pytest.mark.parametrize("is_new", [True, False], ids=["new home", "home with a history"])
def test_a_home_that_cannot_be_written_is_an_error_with_a_way_out(
    tmp_path: Path, is_new: bool
) -> None:
    tmp_path.chmod(0o755)
    for folder in list(tmp_path.parents)[:2]:  # pytest's own, closed to other users
        folder.chmod(0o755)
    home = tmp_path / "home"
    if is_new:
        home.mkdir()
    else:
        Engine(home).close()
    (home / "runs").mkdir(exist_ok=True)
    for path in [*home.iterdir(), home]:
        path.chmod(0o555 if path.is_dir() else 0o444)

    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(home)], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert f"The folder {home} cannot be used for the history" in done.stdout
    assert "--home DIR" in done.stdout


def test_a_file_that_is_no_database_is_an_error_with_a_way_out(home: Path) -> None:
    home.mkdir()
    (home / "history.db").write_text("this is not a database, but long enough to be one" * 100)

    with pytest.raises(TargetError, match="is damaged") as error:
        Engine(home)

    assert "Move the file away" in error.value.hint


def test_a_history_that_stays_locked_says_to_try_later(home: Path) -> None:
    holder, other = Database(home), Database(home, busy_seconds=0.05)

    with (
        holder.transaction(),
        pytest.raises(TryLaterError, match="locked by another process") as error,
        other.transaction(),
    ):
        pass

    assert error.value.exit_code == 75
    holder.close()
    other.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_forked_child_writes_through_a_connection_of_its_own(home: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from taxietl.orchestrator import Engine, configure_logging, flow
configure_logging(40)
engine = Engine(Path(sys.argv[1]))
child = os.fork()
engine.run(flow(lambda: 1))
if child:
    os.waitpid(child, 0)
    engine.run(flow(lambda: 1))
    print(*[run.state.name for run in engine.history.runs()])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "Completed Completed Completed\n"
