"""What PostgreSQL's errors mean, in words that say what to do; never with a password."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used

from taxietl.errors import ConfigError, TargetError, TaxietlError, TryLaterError
from taxietl.masking import name_shown


@dataclass(frozen=True)
class Meaning:
    """A sentence about `{target}`, and a hint; `kind` decides the exit code."""

    sentence: str
    hint: str
    kind: type[TaxietlError] = TargetError
    has_detail: bool = False
    """Whether the server's detail is worth telling: which key, which view."""


_NOTHING_CHANGED = "Nothing was changed there."

# Source: PostgreSQL, "Appendix A. PostgreSQL Error Codes". A whole code goes before its class.
_BY_CODE = {
    "28P01": Meaning(
        "{target}: wrong user or password: {said}.",
        "Check `user` and `password` (or `url`) in the profile, PGPASSWORD and ~/.pgpass; "
        "and whether another server than you mean has that port.",
    ),
    "3D000": Meaning(
        "{target} does not exist: {said}.",
        "Make it with `createdb`, or name another `database` in the profile.",
    ),
    "42501": Meaning(
        "The user may not do this in {target}: {said}.",
        f"{_NOTHING_CHANGED} `taxietl profiles check` tells which GRANT is missing; "
        "docs/postgres.md has those that loading needs.",
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
        "Try again later, with fewer --connections, or raise the limit.",
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
    "22P05": Meaning(
        "{target} is in an encoding that has not all characters: {said}.",
        f"{_NOTHING_CHANGED} Load into a database in UTF8: `createdb --encoding=UTF8 "
        "--template=template0`.",
    ),
    "23502": Meaning(
        "The month has rows without a value where a table of {target} demands one: {said}.",
        f"{_NOTHING_CHANGED} Leave such trips out with a transform, or do without: "
        "ALTER TABLE … ALTER COLUMN … DROP NOT NULL;",
    ),
    "2BP01": Meaning(
        "Something of yours stands on what has to be replaced in {target}: {said}.",
        f"{_NOTHING_CHANGED} Drop that; a view may stand on the table instead of its months.",
        has_detail=True,
    ),
    "P0001": Meaning(
        "A trigger or function of yours refused in {target}: {said}.",
        f"{_NOTHING_CHANGED} Whoever made it can say why, and what to do.",
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
    "40": Meaning(
        "{target} has stopped this for somebody else's sake: {said}.",
        f"{_NOTHING_CHANGED} Try again.",
        TryLaterError,
    ),
    "23": Meaning(
        "The month breaks a rule that somebody has put on a table of {target}: {said}.",
        f"{_NOTHING_CHANGED} Leave such trips out with a transform, or do without the rule.",
        has_detail=True,
    ),
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
_NOT_CONNECTED = Meaning(
    "{target} cannot be reached, or does not let this connection in: {said}.",
    "Check `host`, `port`, `database`, `user`, `password` and `sslmode` in the profile.",
)

# A failed connection has no code, only words: libpq's own, in English, and the server's, which may
# be in another language. What is more particular goes first: several attempts, over TLS and without
# or to several addresses of one name, each add a line.
_BY_WORDS = (
    # Which limit it is that was reached names a role or a database, so these go first.
    (
        (
            "too many clients",
            "too many connections for",
            "remaining connection slots",
            "no more connections allowed",
        ),
        _BY_CODE["53300"],
    ),
    (
        ("Peer authentication failed", "Ident authentication failed"),
        Meaning(
            "{target} goes by your name on this machine, not by a password: {said}.",
            "Run it as that user of the machine, connect over TCP (`host`), or have pg_hba.conf "
            "ask for a password.",
        ),
    ),
    (
        ("password authentication failed", "no password supplied", "authentication failed"),
        _BY_CODE["28P01"],
    ),
    # These name the database too, so they go before the database that does not exist.
    (("no pg_hba.conf entry", "pg_hba.conf rejects"), _NOT_LET_IN),
    (
        ("permission denied for database",),
        Meaning(
            "The user may not connect to {target}: {said}.",
            "Its owner can allow it: GRANT CONNECT ON DATABASE … TO ….",
        ),
    ),
    (
        ("server does not support SSL",),
        Meaning(
            "{target} has no TLS, which the profile demands: {said}.",
            "Check `host` and `port`, have the server's owner switch it on (`ssl = on`), or set "
            '`sslmode` to "prefer": then nothing is encrypted.',
        ),
    ),
    (
        ("does not match host name",),
        Meaning(
            "The server of {target} shows a certificate for another host: {said}.",
            "Write in `host` the name that the certificate has, or set `sslmode` to "
            '"verify-ca", which does not compare names.',
        ),
    ),
    (
        ("root certificate file",),
        Meaning(
            "There are no root certificates to check {target} with: {said}.",
            "Name the file of the authority that signed its certificate: `sslrootcert` in the "
            "profile, or PGSSLROOTCERT.",
        ),
    ),
    (
        ("certificate verify failed",),
        Meaning(
            "The certificate of {target} is not signed by whom the profile trusts: {said}.",
            "Is it the server you mean? Then name the file of the authority that signed it: "
            "`sslrootcert` in the profile, or PGSSLROOTCERT.",
        ),
    ),
    (
        ("unsupported startup parameter",),
        Meaning(
            "The pooler of {target} does not take a setting that came with the connection: {said}.",
            "Leave `options` out of the url and unset PGOPTIONS; taxietl itself sends none.",
        ),
    ),
    (
        ("is not permitted to log in",),
        Meaning(
            "{target}: the user may not log in: {said}.",
            "Check `user` in the profile, or allow it: ALTER ROLE … LOGIN.",
        ),
    ),
    (
        ("is not currently accepting connections",),
        Meaning(
            "{target} is closed to connections: {said}.",
            "Its owner can open it: ALTER DATABASE … ALLOW_CONNECTIONS true.",
        ),
    ),
    (
        ("hot standby mode", "session is read-only", "session is not read-only"),
        Meaning(
            "No server for {target} is of the kind that `target_session_attrs` asks for: {said}.",
            "Loading needs the primary: name it, among other hosts if you like, with "
            "target_session_attrs=read-write.",
        ),
    ),
    (
        ("definition of service", "service file"),
        Meaning(
            "{target} is not to be found: {said}.",
            "Check the name after service=, and the file: ~/.pg_service.conf, or PGSERVICEFILE.",
            ConfigError,
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
    (('database "',), _BY_CODE["3D000"]),
    (
        ("starting up", "shutting down", "recovery mode", "not yet accepting", "not accepting"),
        _BY_CODE["57P03"],
    ),
    (("SSL", "certificate"), _NOT_LET_IN),
    (
        ("Connection refused", "could not translate host name", "timeout expired", "No route to",
         "No such file or directory", "Network is unreachable"),
        Meaning(
            "No server answers for {target}: {said}.",
            "Check `host` and `port` in the profile, and that the server runs and listens there.",
        ),
    ),
)  # fmt: skip

_GONE = (
    "SSL",  # of a connection that was made, whatever goes wrong in it
    "EOF detected",
    "server closed the connection",
    "connection already closed",
    "connection not open",
    "no connection to the server",
    "could not receive data",
    "could not send data",
    "lost synchronization",
    "terminat",
)
"""What libpq says of a connection that was made and is no more."""

_ATTEMPT = re.compile(r"connection to server (at|on) .+? failed: ")


def target_of(parameters: Mapping[str, str]) -> str:
    """The database in words, without credentials."""
    if service := parameters.get("service"):
        return f"PostgreSQL service {service}"
    database = parameters.get("dbname") or os.environ.get("PGDATABASE")
    # Without one it is named like the user.
    database = database or parameters.get("user") or os.environ.get("PGUSER") or "by default"
    return f"PostgreSQL database {name_shown(database)} at {address_of(parameters)}"


def address_of(parameters: Mapping[str, str]) -> str:
    """Where the server is; what a url leaves out, libpq takes from the environment."""
    host = parameters.get("host") or os.environ.get("PGHOST") or "localhost"
    return f"{name_shown(host)}:{parameters.get('port') or os.environ.get('PGPORT') or '5432'}"


def meant(error: psycopg2.Error, target: str) -> TaxietlError:
    """What the error means for whoever typed the command."""
    if error.pgcode:
        meaning, said = _by_code(error.pgcode), error.diag.message_primary or ""
        if meaning.has_detail and error.diag.message_detail:
            said = f"{said}: {error.diag.message_detail}"
    else:
        meaning, said = _by_words(str(error))
    said = said.strip().rstrip(".") or type(error).__name__
    return meaning.kind(meaning.sentence.format(target=target, said=said), hint=meaning.hint)


def _by_code(code: str) -> Meaning:
    return _BY_CODE.get(code) or _BY_CLASS.get(code[:2]) or _REFUSED


def _by_words(text: str) -> tuple[Meaning, str]:
    """The meaning, and the line that has it."""
    lines = text.strip().splitlines() or [""]
    is_attempt = _ATTEMPT.match(lines[0]) is not None
    gone = [line for line in lines if any(each in line for each in _GONE)]
    if gone and not is_attempt:
        return _LOST, _bare(gone[0])
    for words, meaning in _BY_WORDS:
        for line in lines:
            if any(each in line for each in words):
                return meaning, _bare(line)
    return _NOT_CONNECTED if is_attempt else _REFUSED, _bare(lines[0])


def _bare(line: str) -> str:
    """Without host and port, which the target's name has, and the rank of the error."""
    return _ATTEMPT.sub("", line).removeprefix("FATAL:").strip()
