#!/usr/bin/env python3
"""systemd as far as a oneshot service needs it, for a machine where none is booted.

Under the names systemctl, systemd-run and journalctl. A service gets what systemd would give it:
its user, its folder, its credentials, a journal, no variable of the shell; if it fails, the unit
of OnFailure= is started. Every call is noted in /run/systemctl.
"""

import os
import pwd
import shlex
import subprocess
import sys
import uuid
from pathlib import Path

UNITS = Path("/etc/systemd/system")
JOURNAL = Path("/var/log/journal.txt")
MANAGER = Path("/etc/systemd/system.conf.d/environment")
"""Variables that the manager gives to every service (`DefaultEnvironment=`), a line each."""


def settings(unit):
    found = {}
    for line in (UNITS / unit).read_text().splitlines():
        name, is_set, value = line.partition("=")
        if is_set:
            found.setdefault(name, []).append(value.replace("%%", "%"))
    return found


def execute(unit, found, command, environment, output):
    user = pwd.getpwnam(found.get("User", ["root"])[0])
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "INVOCATION_ID": uuid.uuid4().hex,
        **dict(line.split("=", 1) for line in MANAGER.read_text().splitlines()),
        **environment,
    }
    if "LoadCredential" in found:
        folder = Path("/run/credentials") / unit
        folder.mkdir(parents=True, exist_ok=True)
        for each in found["LoadCredential"]:
            name, _, source = each.partition(":")
            (folder / name).write_bytes(Path(source).read_bytes())
            os.chown(folder / name, user.pw_uid, user.pw_gid)
            (folder / name).chmod(0o400)
        environment["CREDENTIALS_DIRECTORY"] = str(folder)
    if output is not None:
        status = os.fstat(output.fileno())
        environment["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
    done = subprocess.run(
        command,
        env=environment,
        cwd=found.get("WorkingDirectory", ["/"])[0],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        umask=int(found.get("UMask", ["0022"])[0], 8),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        check=False,
    )
    return done.returncode, environment["INVOCATION_ID"]


def start(unit, environment=None):
    found = settings(unit)
    command = shlex.split(found["ExecStart"][0].replace("$$", "$"))
    with JOURNAL.open("ab") as journal:
        code, invocation = execute(unit, found, command, environment or {}, journal)
    if code in (0, *(int(each) for each in found.get("SuccessExitStatus", []))):
        return 0
    for other in found.get("OnFailure", []):
        start(
            other,
            {
                "MONITOR_INVOCATION_ID": invocation,
                "MONITOR_EXIT_STATUS": str(code),
                "MONITOR_UNIT": unit,
            },
        )
    print(f"Job for {unit} failed.", file=sys.stderr)
    return 1


def systemctl(arguments):
    with Path("/run/systemctl").open("a") as notes:
        notes.write(f"{shlex.join(arguments)}\n")
    if arguments[0] == "show":
        print("Version=252")
    if arguments[0] == "start" and arguments[1].endswith(".service"):
        return start(arguments[1])
    if arguments[0] in ("enable", "restart", "disable"):
        assert (UNITS / arguments[-1]).is_file(), arguments
    return 0


def systemd_run(arguments):
    found, environment = {}, {}
    while arguments[0].startswith("-"):
        option = arguments.pop(0)
        name, _, value = option.partition("=")
        if name == "--uid":
            found["User"] = [value]
        elif name == "--working-directory":
            found["WorkingDirectory"] = [value]
        elif name == "--property":
            key, _, value = value.partition("=")
            found.setdefault(key, []).append(value)
        elif name == "--setenv":
            key, _, value = value.partition("=")
            environment[key] = value
        else:
            assert option in ("--pipe", "--wait", "--collect", "--quiet"), option
    return execute("run.service", found, arguments, environment, None)[0]


def journalctl(arguments):
    with JOURNAL.open() as lines:
        for line in lines:
            print(line.rstrip("\n")[3:] if line.startswith("<") else line.rstrip("\n"))
    return 0


if __name__ == "__main__":
    programs = {"systemctl": systemctl, "systemd-run": systemd_run, "journalctl": journalctl}
    sys.exit(programs[Path(sys.argv[0]).name](sys.argv[1:]))
