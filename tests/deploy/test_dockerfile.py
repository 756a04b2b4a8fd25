"""The image, made by carrying out the Dockerfile in an empty folder."""

from __future__ import annotations

from pathlib import Path

from dockerfile import Image, instructions

DOCKERFILE = Path(__file__).parents[2] / "deploy" / "Dockerfile"


def test_it_loads_a_month_as_a_user_without_rights(image: Image) -> None:
    month = ("--color", "green", "--year", "2021", "--month", "1")
    for command in (
        ("generate", *month, "--rows", "20", "--out", "green_tripdata_2021-01.parquet"),
        ("ingest", *month, "--source", "."),
    ):
        done = image.machine.run(
            *image.entry_point,
            *command,
            user=image.user,
            folder=image.folder,
            variables=image.variables,
        )
        assert done.returncode == 0, done.stderr

    home = image.machine.path(image.variables["TAXIETL_HOME"])
    assert image.volumes == [image.variables["TAXIETL_HOME"]]
    assert (home / "taxi.duckdb").stat().st_uid == int(image.user.partition(":")[0]) > 0


def test_it_runs_schedules_until_it_is_told_to_stop(image: Image) -> None:
    place = {"user": image.user, "folder": image.folder, "variables": image.variables}
    add = ("schedule", "add", "often", "--by", "run", "--every", "1m", "--", "runs", "ls")
    assert image.machine.run(*image.entry_point, *add, **place).returncode == 0
    with image.machine.running(*image.line, **place) as container:
        assert "often" in container.read_line()
        container.terminate()

    assert container.process.returncode == 0


def test_nothing_runs_as_root_and_nothing_more_is_installed_than_is_locked() -> None:
    text = DOCKERFILE.read_text()
    given = list(instructions(text))

    assert [rest for word, rest in given if word == "FROM"] == [
        "python:${PYTHON}-slim AS build",
        "python:${PYTHON}-slim",
    ]
    assert [word for word, _ in given][-5:] == ["USER", "WORKDIR", "VOLUME", "ENTRYPOINT", "CMD"]
    installs = [rest for word, rest in given if word == "RUN" and " install " in rest]
    assert all("--no-deps" in each and "--no-cache-dir" in each for each in installs)
    assert "--require-hashes --only-binary :all: -r requirements.txt" in installs[0]
