"""A password planted in every place that a run writes to: none of them stores or shows it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from taxietl.masking import MASK
from taxietl.orchestrator import Cache, Engine, Retry, configure_logging, flow, get_run_logger, task

PLANTED = "hunter2%21x"
URL = f"postgresql://root:{PLANTED}@h/db"
SIGNED = f"https://bucket/x?X-Amz-Signature={PLANTED}"
SHOWN = f"postgresql://root:{MASK}@h/db"


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    """What a terminal under --debug would show."""
    stream = io.StringIO()
    configure_logging(logging.DEBUG, stream)
    yield stream
    configure_logging(logging.CRITICAL, io.StringIO())


def noted(*_: object) -> None:
    """A hook that fails."""
    raise ValueError(f"cannot tell {URL}")


@task
def returns(value: object) -> str:
    return URL


@task
def returns_a_field() -> dict[str, str]:
    return {"password": PLANTED}


@task(cache=Cache(key=lambda arguments: str(arguments["url"])))
def cached(url: str) -> str:
    return url


@task(cache=Cache())
def counted(url: str) -> int:
    return len(url)


@task(cache=Cache())
def looked_up(places: dict[str, Path]) -> int:
    return len(places)


@task(retry=Retry(on=ValueError, attempts=2), on_failure=[noted])
def breaks(where: str) -> None:
    try:
        json.loads(where)
    except ValueError as error:
        trouble = ValueError(f"no JSON: {where}")
        trouble.add_note(f"it was {SIGNED}")
        raise trouble from error


@task
def says(url: str) -> None:
    get_run_logger().info("to %s", url)
    logging.getLogger("other").warning("a library: %s", {"password": PLANTED})
    try:
        int(url)
    except ValueError:
        get_run_logger().exception("Authorization: Bearer %s", PLANTED)
    print("printed", url)


@flow(log_prints=True, on_completion=[noted], run_name="into {url}")
def completes(url: str) -> str:
    returns({"nested": [url, SIGNED], url: "in a key"})
    returns_a_field()
    cached(url)
    counted(url)
    looked_up({url: Path("x")})
    says(url)
    return url


@flow
def parent(url: str) -> int:
    return len(completes(url))


@task(isolate=True)
def apart(url: str) -> str:
    says(url)  # inside a task it is the plain function
    return url


@task(isolate=True)
def breaks_apart(url: str) -> str:
    raise ValueError(f"no: {url}") from RuntimeError(SIGNED)


@flow(log_prints=True)
def isolated(url: str) -> None:
    apart(url)
    breaks_apart(url)


@task(name=f"load {URL}", tags={SIGNED})
def named() -> None:
    pass


@flow(name=f"into {URL}")
def calls_named() -> None:
    named()


@flow
def fails(url: str) -> None:
    breaks(url)


@dataclass(frozen=True)
class Connection:
    host: str
    password: str


@flow
def takes(connection: Connection, many: list[str], key: SecretStr) -> int:
    return len(many)


MANY = ["x" * 100] * 1000 + [URL]
"""Too long to be shown, or to be looked through there."""

PLANTS: dict[str, Callable[[Engine], Any]] = {
    "completed": lambda engine: engine.run(completes, URL),
    "child run": lambda engine: engine.run(parent, URL),
    "isolated": lambda engine: engine.run(isolated, URL),
    "names and tags": lambda engine: engine.run(calls_named),
    "failed": lambda engine: engine.run(fails, URL),
    "parameters": lambda engine: engine.run(
        takes, Connection("h", PLANTED), [SIGNED], SecretStr(PLANTED)
    ),
    "long parameters": lambda engine: engine.run(takes, Connection("h", ""), MANY, SecretStr("")),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_planted_secret_is_stored_and_shown_nowhere(
    engine: Engine, home: Path, console: io.StringIO, plant: Callable[[Engine], Any]
) -> None:
    run = plant(engine)
    record = engine.history.run(run.id)
    told = [record, *engine.history.logs(run.id), *engine.history.task_runs(run.id)]
    engine.close()  # what SQLite holds back goes to the file

    written = b"".join(each.read_bytes() for each in home.rglob("*") if each.is_file())
    assert written
    for text in (written.decode("latin-1"), console.getvalue(), repr(told), repr(run)):
        assert PLANTED not in text


@pytest.mark.parametrize("value", [URL.encode(), {"password": PLANTED.encode()}])
def test_bytes_with_a_secret_are_not_shown_as_base64(engine: Engine, value: object) -> None:
    run = engine.run(flow(lambda: returns(value)))

    hidden = MASK if isinstance(value, bytes) else {"password": MASK}
    assert json.loads(str(engine.history.task_runs(run.id)[0].arguments)) == {"value": hidden}


def test_what_was_masked_can_still_be_told(engine: Engine, console: io.StringIO) -> None:
    run = engine.run(completes, URL)

    assert run.name == f"into {SHOWN}"
    assert engine.history.run(run.id).parameters == {"url": SHOWN}
    messages = "\n".join(each.message for each in engine.history.logs(run.id))
    for line in (
        f"to {SHOWN}",
        f"printed {SHOWN}",
        f"cannot tell {SHOWN}",
        f"base 10: '{SHOWN}'",
    ):
        assert line in messages
        assert line in console.getvalue()


def test_a_result_with_a_secret_is_passed_on_and_not_stored(engine: Engine) -> None:
    @flow
    def asks() -> tuple[str, str]:
        return returns(1), cached(URL)

    run = engine.run(asks)

    assert run.result() == (URL, URL)
    assert [each.stored for each in engine.history.task_runs(run.id)] == ["not stored"] * 2
    assert engine.cache.entries() == []
    (warning,) = [each for each in engine.history.logs(run.id) if each.level == "WARNING"]
    assert "'cached-0' is not kept, and made again next time" in warning.message


def test_other_passwords_are_other_calls(engine: Engine) -> None:
    @flow
    def counts() -> tuple[int, int, int]:
        return counted(URL), counted(URL.replace("root", "me")), counted(f"{URL}&password=x")

    run = engine.run(counts)

    assert len(set(run.result())) == 3
    assert [str(each.state.name) for each in engine.history.task_runs(run.id)] == ["Completed"] * 3


def test_parameters_with_a_secret_are_not_kept_for_a_resume(engine: Engine) -> None:
    for arguments, name in (
        ((Connection("h", PLANTED), [], SecretStr("")), "connection"),
        ((Connection("h", ""), MANY, SecretStr("")), "many"),
    ):
        record = engine.history.run(engine.run(takes, *arguments).id)

        assert record.replay is None
        assert record.no_replay == f"its parameter {name!r} holds a secret, which is not kept"
