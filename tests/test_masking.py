"""Secrets are found in any text by their place, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.masking import MASK, holds_secret, is_secret_name, masked, masked_json, name_shown

SECRETS = [
    ("postgresql://root:PW@h:5432/db", f"postgresql://root:{MASK}@h:5432/db"),
    ("postgresql+psycopg2://root:P@W/x:y#?%40@h/db?x=1", f"postgresql+psycopg2://root:{MASK}@h/db?x=1"),
    ("'postgres://root:P W\"'@h/db' failed", f"'postgres://root:{MASK}@h/db' failed"),
    ("postgres://root:12/PW@h/db", f"postgres://root:{MASK}@h/db"),
    ("redis://:PW@h", f"redis://:{MASK}@h"),
    ("postgresql:/root:PW@h/db", f"postgresql:/root:{MASK}@h/db"),
    ("a://u:PW@h/x to b://v:PW@h/y", f"a://u:{MASK}@h/x to b://v:{MASK}@h/y"),
    ('{"url": "a://u:PW@h", "mail": "x@y"}', f'{{"url": "a://u:{MASK}@h", "mail": "x@y"}}'),
    ("https://u:PW@h/x", f"https://u:{MASK}@h/x"),
    ("https://PW@github.com/x", f"https://{MASK}@github.com/x"),
    ("https://b/x?a=1&X-Amz-Signature=PW&b=2", f"https://b/x?a=1&X-Amz-Signature={MASK}&b=2"),
    ("https://b/x?X-Goog-Signature=PW", f"https://b/x?X-Goog-Signature={MASK}"),
    ("https://b/x?sv=1&sig=PW%3D", f"https://b/x?sv=1&sig={MASK}"),
    ("https://b/x?access_token=PW", f"https://b/x?access_token={MASK}"),
    ("postgresql://h/db?sslpassword=PW", f"postgresql://h/db?sslpassword={MASK}"),
    ("host=h password=PW dbname=x", f"host=h password={MASK} dbname=x"),
    (r"host=h password='P \' W' dbname=x", f"host=h password={MASK} dbname=x"),
    ("connect(password='PW', host='h')", f"connect(password={MASK}, host='h')"),
    ('password = "PW"', f"password = {MASK}"),
    ('{"api_key": "P\\"W", "n": 1}', f'{{"api_key": "{MASK}", "n": 1}}'),
    ("{'password': 'P\"W', 'n': 1}", f"{{'password': '{MASK}', 'n': 1}}"),
    ("aws_secret_access_key=PW", f"aws_secret_access_key={MASK}"),
    ('{"account_key": "PW"}', f'{{"account_key": "{MASK}"}}'),
    ("client_secret: 'PW'", f"client_secret: '{MASK}'"),
    ("{'password': b'PW'}", f"{{'password': b'{MASK}'}}"),
    ("password: S3cret, user: x", f"password: {MASK}, user: x"),
    ("x-api-key: S3cret", f"x-api-key: {MASK}"),
    ("password = S3cret", f"password = {MASK}"),
    ("psql --db-password PW -h x", f"psql --db-password {MASK} -h x"),
    ("a Bearer S3cret.PW", f"a Bearer {MASK}"),
    ("Authorization: Bearer PWPW", f"Authorization: {MASK}"),
    (
        "-----BEGIN PRIVATE KEY-----\\nPW\\n-----END PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----{MASK}-----END PRIVATE KEY-----",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), SECRETS, ids=[text for text, _ in SECRETS])
def test_a_secret_is_masked_once_and_for_all(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert holds_secret(text)
    assert masked(shown) == shown
    assert not holds_secret(shown)


@pytest.mark.parametrize(
    "text",
    [
        "Finished in state Completed('All states completed.')",
        "postgresql://root@h:5432/db",
        "Give postgresql://USER:PASSWORD@HOST:PORT/DATABASE or …",
        "postgresql://h:5432/db as admin@example.com",
        "http://h:8080/a@b",
        "http://h:8080 or mail to a@b",
        "redis://cache: refused, ask admin@example.com",
        "--set password=env:PGPASSWORD",
        'password = { env = "PGPASSWORD" }',
        'credentials = "gcp"',
        "Cache(key=lambda arguments: arguments)",
        "postgresql://root:***@h/db",
        "max_tokens=5, tokens: 3",
        "token: Input should be a valid string",
        "the password: PGPASSWORD, ~/.pgpass",
        "token = made[2021](month)",
        "the bearer of line 12",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("warehouse", "warehouse"),
        ("env:DATABASE_URL", "env:DATABASE_URL"),
        ("postgresql://root@h/db", "postgresql://root@h/db"),
        ("postgresql://root:P@W w/o@h/db", "postgresql://root:***@h/db"),
        ("root:PW@127.0.0.1", "root:***@127.0.0.1"),
        ("host=h password=PW", "host=h password=***"),
        ("gs://bucket/a@b", "gs://bucket/a@b"),
    ],
)
def test_what_stands_where_a_name_belongs_is_shown_without_its_password(
    name: str, shown: str
) -> None:
    assert name_shown(name) == masked(name_shown(name)) == shown


def test_fields_and_parameters_of_some_names_hold_secrets() -> None:
    secret = ["password", "db_password", "PASSWD", "api_key", "apiKey", "auth_token", "pwd"]

    assert all(is_secret_name(name) for name in secret)
    assert not any(is_secret_name(name) for name in ["user", "tokens", "key", "passwords_file"])


def test_json_values_are_masked_at_any_depth_and_in_keys() -> None:
    url = "a://u:PW@h"

    found = masked_json({url: [{"password": "PW", "n": 1}, (url, None)]}, by_name=True)

    assert found == {f"a://u:{MASK}@h": [{"password": MASK, "n": 1}, [f"a://u:{MASK}@h", None]]}


def test_an_error_holds_no_secret() -> None:
    url = "postgresql://root:hunter2@h/db"

    errors = (ConfigError(f"No {url}.", hint=f"Not {url}"), UnknownNameError("profile", url, []))

    for error in errors:
        assert "hunter2" not in f"{error!r} {error} {error.message} {error.hint} {vars(error)}"
