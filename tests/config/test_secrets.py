"""Secrets: looked up late, from where they were said to be, and never shown."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import load_settings
from taxietl.errors import ConfigError
from taxietl.load.postgres.profile import PostgresProfile

Write = Callable[[str], Path]
PLANTED = "hunter2-planted"


def warehouse(write: Write, password: str) -> PostgresProfile:
    text = f'[profiles.warehouse]\ntype = "postgres"\npassword = {password}\n'
    return load_settings(config=write(text)).profile("warehouse", PostgresProfile)


def password_of(profile: PostgresProfile) -> str:
    return profile.libpq_parameters()["password"]


def test_a_variable_is_read_when_it_is_used(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PW", raising=False)
    found = warehouse(write, '{ env = "PW" }')
    assert found.describe()["password"] == "env:PW"
    with pytest.raises(ConfigError) as caught:
        password_of(found)
    assert str(caught.value) == (
        "profiles.warehouse.password: the environment variable PW is not set."
    )

    monkeypatch.setenv("PW", PLANTED)
    assert password_of(found) == PLANTED


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        ("s3cret\n\n", "s3cret\n"),
        (" s3cret ", " s3cret "),
    ],
)
def test_a_file_is_read_without_its_last_newline(
    write: Write, tmp_path: Path, content: str, read: str
) -> None:
    found = warehouse(write, '{ file = "pw" }')
    (tmp_path / "pw").write_bytes(content.encode())

    assert found.describe()["password"] == f"file:{tmp_path / 'pw'}"
    assert password_of(found) == read


def test_a_file_may_lie_under_the_users_home(write: Write, tmp_path: Path) -> None:
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "pw").write_text(PLANTED)

    assert password_of(warehouse(write, '{ file = "~/pw" }')) == PLANTED


def test_a_missing_file_is_named_with_its_setting(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        password_of(warehouse(write, '{ file = "pw" }'))

    assert "profiles.warehouse.password" in str(caught.value)
    assert f"{tmp_path / 'pw'} cannot be read: No such file" in str(caught.value)


def test_bytes_that_are_no_text_are_refused_without_showing_them(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "pw").write_bytes(PLANTED.encode() + b"\xff")

    with pytest.raises(ConfigError, match="is not text") as caught:
        password_of(warehouse(write, '{ file = "pw" }'))

    assert caught.value.__context__ is None
    assert PLANTED not in "".join(traceback.format_exception(caught.value))


def test_a_systemd_credential_is_a_file_in_its_folder(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = warehouse(write, '{ credential = "pg" }')
    with pytest.raises(ConfigError, match="CREDENTIALS_DIRECTORY is not set"):
        password_of(found)

    (tmp_path / "pg").write_text(f"{PLANTED}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert found.describe()["password"] == "credential:pg"
    assert password_of(found) == PLANTED


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{ evn = "PW" }', "unknown key 'evn' in a secret. Did you mean 'env'?"),
        ('{ env = "PW", file = "pw" }', "must be exactly one of"),
        ("{}", "must be exactly one of"),
        ("{ env = 1 }", "env must be text"),
        ('{ env = "" }', "env must be text that is not empty"),
        ('{ file = "" }', "file must be text that is not empty"),
        ('{ credential = "../pg" }', "credential must be a name"),
        ('{ credential = ".." }', "credential must be a name"),
        ("12345", "must be text in quotes, or { env"),
        ("true", "must be text in quotes, or { env"),
    ],
)
def test_what_is_no_secret_is_refused(write: Write, written: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        warehouse(write, written)

    assert f"profiles.warehouse.password: {said}" in str(caught.value)
