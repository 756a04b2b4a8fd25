"""What PostgreSQL's errors mean, in words that say what to do; never with a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used

from taxietl.errors import TargetError, TaxietlError, TryLaterError


@dataclass(frozen=True)
class Meaning:
    """A sentence about `{target}`, and a hint; `kind` decides the exit code."""

    sentence: str
    hint: str
    kind: type[TaxietlError] = TargetError


_NOTHING_CHANGED = "Nothing was changed there."

# Source: PostgreSQL, "Appendix A. PostgreSQL Error Codes". A whole code goes before its class.
_BY_CODE = {
    "42501": Meaning(
        "The user may not do this in {target}: {said}.",
        f"{_NOTHING_CHANGED} docs/postgres.md has the GRANTs that loading needs.",
    ),
    "3F000": Meaning(
        "A schema is missing in {target}: {said}.",
        "Make it with CREATE SCHEMA, or name another `schema` in the profile.",
    ),
    "53100": Meaning(
        "The disk of the server is full; {target} is as it was: {said}.",
        "Make room there and run it again.",
    ),
    "53300": Meaning(
        "{target} has no connection to spare: {said}.",
        "Try again later, or raise max_connections.",
        TryLaterError,
    ),
    "25006": Meaning(
        "{target} is read-only: {said}.",
        "Is it a standby, or default_transaction_read_only set? Name the primary server.",
    ),
    "55P03": Meaning(
        "Somebody else holds a lock in {target}: {said}.",
        f"{_NOTHING_CHANGED} Try again later.",
        TryLaterError,
    ),
    "40P01": Meaning(
        "The load and somebody else waited for one another in {target}.",
        f"{_NOTHING_CHANGED} Try again.",
        TryLaterError,
    ),
    "57014": Meaning(
        "A statement was cancelled in {target}: {said}.",
        f"{_NOTHING_CHANGED} Somebody, or a time-out, stopped it there; run it again.",
    ),
    "57P01": Meaning(
        "The server of {target} ended the connection: {said}.",
        f"{_NOTHING_CHANGED} Run it again.",
    ),
    "57P03": Meaning(
        "The server of {target} does not take connections now: {said}.",
        "It is starting or stopping; try again in a moment.",
        TryLaterError,
    ),
}
_BY_CLASS = {
    "53": Meaning("The server of {target} has run out of means: {said}.", _NOTHING_CHANGED),
    "57": _BY_CODE["57P01"],
    "08": _BY_CODE["57P01"],
}

_LOST = Meaning(
    "The connection to {target} was lost: {said}.",
    "A load that was not committed left nothing; run it again, what is loaded is not loaded twice.",
)
_REFUSED = Meaning(
    "{target} refused: {said}.", f"{_NOTHING_CHANGED} Run with --debug for the details."
)

_NOT_LET_IN = Meaning(
    "{target} does not let this connection in: {said}.",
    "Check `sslmode` in the profile, and the server's pg_hba.conf.",
)

# A failed connection has no code, only the server's words; these are of a server in English.
_BY_WORDS = (
    (
        ("password authentication failed", "no password supplied", "authentication failed"),
        Meaning(
            "{target}: wrong user or password: {said}.",
            "Check `user` and `password` (or `url`) in the profile, PGPASSWORD and ~/.pgpass; "
            "and whether another server than you mean has that port.",
        ),
    ),
    # These name the database too, so they go before the database that does not exist.
    (
        ("no pg_hba.conf entry", "pg_hba.conf rejects"),
        _NOT_LET_IN,
    ),
    (
        ("permission denied for database",),
        Meaning(
            "The user may not connect to {target}: {said}.",
            "Its owner can allow it: GRANT CONNECT ON DATABASE … TO ….",
        ),
    ),
    (
        ('role "',),
        Meaning(
            "{target}: there is no such user: {said}.",
            "Check `user` in the profile, or make it with `createuser`.",
        ),
    ),
    (
        ("invalid response to SSL negotiation", "expected authentication request"),
        Meaning(
            "What answers is not PostgreSQL, where {target} should be: {said}.",
            "Check `host` and `port` in the profile.",
        ),
    ),
    (
        ('database "',),
        Meaning(
            "{target} does not exist: {said}.",
            "Make it with `createdb`, or name another `database` in the profile.",
        ),
    ),
    (
        ("Connection refused", "could not translate host name", "timeout expired", "No route to",
         "No such file or directory", "Network is unreachable"),
        Meaning(
            "No server answers for {target}: {said}.",
            "Check `host` and `port` in the profile, and that the server runs and listens there.",
        ),
    ),
    (("SSL", "certificate"), _NOT_LET_IN),
    (("starting up", "shutting down", "recovery mode"), _BY_CODE["57P03"]),
    (("too many clients", "remaining connection slots"), _BY_CODE["53300"]),
    (("server closed the connection", "connection already closed", "terminat"), _LOST),
)  # fmt: skip


def target_of(parameters: Mapping[str, str]) -> str:
    """The database in words, without credentials."""
    host, port = parameters.get("host", "localhost"), parameters.get("port", "5432")
    database = parameters.get("dbname") or parameters.get("user") or "by default"
    return f"PostgreSQL database {database} at {host}:{port}"


def meant(error: psycopg2.Error, target: str) -> TaxietlError:
    """What the error means for whoever typed the command."""
    said = _first_line(error)
    meaning = _by_code(error.pgcode) if error.pgcode else _by_words(str(error))
    return meaning.kind(meaning.sentence.format(target=target, said=said), hint=meaning.hint)


def _by_code(code: str) -> Meaning:
    return _BY_CODE.get(code) or _BY_CLASS.get(code[:2]) or _REFUSED


def _by_words(text: str) -> Meaning:
    for words, meaning in _BY_WORDS:
        if any(each in text for each in words):
            return meaning
    return _REFUSED


def _first_line(error: psycopg2.Error) -> str:
    """The server's own sentence; libpq's tells host and port in front of it."""
    text = error.diag.message_primary or next(iter(str(error).strip().splitlines()), "")
    if error.pgcode is None and "FATAL:" in text:
        text = text.split("FATAL:", 1)[1]
    return text.strip().rstrip(".") or type(error).__name__
