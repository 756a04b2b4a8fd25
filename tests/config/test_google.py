"""Profiles of Google Cloud: exactly one way to say who one is."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import load_settings
from taxietl.errors import ConfigError
from taxietl.load.bigquery.profile import BigQueryProfile
from taxietl.load.google.profile import GcpCredentialsProfile
from taxietl.load.lake.gcs_profile import GcsProfile

Write = Callable[[str], Path]
PLANTED = "hunter2-planted"


def account(write: Write, lines: str) -> GcpCredentialsProfile:
    text = f'[profiles.gcp]\ntype = "gcp-credentials"\n{lines}\n'
    return load_settings(config=write(text)).profile("gcp", GcpCredentialsProfile)


@pytest.fixture(scope="module")
def key_text() -> str:
    """A service account's key with an RSA key that was made here and is nobody's."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "1",
            "private_key": private.decode(),
            "client_email": "etl@p.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


def test_a_key_file_makes_credentials(write: Write, tmp_path: Path, key_text: str) -> None:
    found = account(write, 'service_account_file = "key.json"')
    (tmp_path / "key.json").write_text(key_text)

    credentials = found.google_credentials()

    assert credentials.service_account_email == "etl@p.iam.gserviceaccount.com"
    assert found.describe() == {
        "type": "gcp-credentials",
        "service_account_file": str(tmp_path / "key.json"),
    }


def test_a_key_in_the_environment_makes_credentials(
    write: Write, key_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # JSON, which pydantic-settings by itself would take apart.
    monkeypatch.setenv("TAXIETL_PROFILES__GCP__SERVICE_ACCOUNT_INFO", key_text)

    found = account(write, "")

    assert found.google_credentials().service_account_email == "etl@p.iam.gserviceaccount.com"
    assert found.describe()["service_account_info"] == "**********"


def test_nobody_is_said_to_be_nobody(write: Write) -> None:
    found = account(write, "anonymous = true")

    assert type(found.google_credentials()).__name__ == "AnonymousCredentials"
    assert found.describe() == {"type": "gcp-credentials", "anonymous": True}


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "anonymous = false",
        'anonymous = true\nservice_account_file = "k"',
        'service_account_file = "k"\nservice_account_info = { env = "K" }',
    ],
)
def test_it_takes_exactly_one_way(write: Write, lines: str) -> None:
    with pytest.raises(ConfigError, match=r"profiles\.gcp: must have exactly one of"):
        account(write, lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (PLANTED, "is not JSON"),
        (f'["{PLANTED}"]', "is not a service account's key"),
        (f'{{"private_key": "{PLANTED}"}}', "is not a service account's key"),
        (
            f'{{"private_key": "{PLANTED}", "client_email": "a@b", "token_uri": "https://t"}}',
            "is not a service account's key",
        ),
    ],
)
def test_a_key_that_is_none_is_refused_without_showing_it(
    write: Write, tmp_path: Path, content: str | None, said: str
) -> None:
    found = account(write, 'service_account_file = "key.json"')
    if content is not None:
        (tmp_path / "key.json").write_text(content)

    with pytest.raises(ConfigError) as caught:
        found.google_credentials()

    file = tmp_path / "key.json"
    assert f"profiles.gcp.service_account_file: {file} {said}" in str(caught.value)
    assert PLANTED not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_key_as_a_windows_editor_saves_it_is_one(
    write: Write, tmp_path: Path, key_text: str
) -> None:
    found = account(write, 'service_account_file = "key.json"')
    (tmp_path / "key.json").write_text(key_text, encoding="utf-8-sig")

    assert found.google_credentials().service_account_email == "etl@p.iam.gserviceaccount.com"


def test_what_is_for_application_default_credentials_comes_with_where_it_goes(
    write: Write, tmp_path: Path
) -> None:
    found = account(write, 'service_account_file = "adc.json"')
    told = {"type": "authorized_user", "client_secret": PLANTED, "refresh_token": PLANTED}
    (tmp_path / "adc.json").write_text(json.dumps(told))

    with pytest.raises(ConfigError, match="is not a service account's key") as caught:
        found.google_credentials()

    assert "leave `credentials` out, and name it in GOOGLE_APPLICATION_CREDENTIALS" in (
        caught.value.hint
    )


@pytest.mark.parametrize("named", ["nothing.json", "", "half.json"])
def test_default_credentials_that_the_environment_misnames_are_told_by_name(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    (tmp_path / "half.json").write_text(f'{{"type": "service_account", "x": "{PLANTED}"')
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / named))
    found = load_settings(config=write('[profiles.lake]\ntype = "gcs"\nbucket = "b"\n'))

    with pytest.raises(ConfigError, match="GOOGLE_APPLICATION_CREDENTIALS names") as caught:
        found.profile("lake", GcsProfile).bucket()

    assert str(tmp_path / named) in caught.value.message
    assert PLANTED not in str(caught.value)


def test_a_key_in_the_place_of_its_file_is_not_shown(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", f'{{"x": "{PLANTED}"}}')
    found = load_settings(config=write('[profiles.lake]\ntype = "gcs"\nbucket = "b"\n'))

    with pytest.raises(ConfigError, match="holds the key itself") as caught:
        found.profile("lake", GcsProfile).bucket()

    shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert PLANTED not in shown
    assert "service_account_info = { env" in caught.value.hint


def test_bigquery_takes_a_dataset_and_an_account(write: Write) -> None:
    found = load_settings(
        config=write(
            '[profiles.bq]\ntype = "bigquery"\nproject = "p"\ndataset = "d"\nlocation = "EU"\n'
            'credentials = "gcp"\n[profiles.gcp]\ntype = "gcp-credentials"\nanonymous = true\n'
        )
    ).profile("bq", BigQueryProfile)

    assert (found.project, found.dataset, found.location) == ("p", "d", "EU")
    assert type(found.google_credentials()).__name__ == "AnonymousCredentials"
    assert found.client_options() is None


def test_bigquery_needs_project_and_dataset(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(config=write('[profiles.bq]\ntype = "bigquery"\n'))

    assert "profiles.bq.project: is missing" in str(caught.value)
    assert "profiles.bq.dataset: is missing" in str(caught.value)
