"""Who may see the dashboard: whoever has its token, since other users of the machine reach it, too.

The token lies in a file that only its owner can read, and stays the same, so that a bookmark of
the link does. What a browser gets is made of it: a cookie for the session, and what forms carry
so that no other site can send them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from taxietl.errors import ConfigError
from taxietl.replacing import replacing

TOKEN_FILE = "ui.token"
_LENGTH = 43
"""Of 32 random bytes as text."""


@dataclass(frozen=True, repr=False)
class Access:
    """What a request must bring."""

    token: str | None
    """None: whoever reaches it may see it."""
    port: int
    """Browsers send a cookie to every port of a host: each dashboard has one of its own."""

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return f"taxietl-{self.port}"

    @property
    def session(self) -> str:
        """What the cookie holds."""
        return self._made_for("session")

    @property
    def form(self) -> str:
        """What every form holds that changes something."""
        return self._made_for("form")

    def is_token(self, given: str) -> bool:
        """Whether that is the token."""
        return self.token is not None and _same(given, self.token)

    def is_session(self, given: str) -> bool:
        """Whether that is the session's cookie; without a token, anybody's is."""
        return self.token is None or _same(given, self.session)

    def is_form(self, given: str) -> bool:
        """Whether a form of ours held that."""
        return _same(given, self.form)

    def _made_for(self, purpose: str) -> str:
        # Without a token a page of another site can still not read ours: the secret is a process's.
        key = (self.token or _of_this_process).encode()
        return hmac.new(key, f"taxietl {purpose}".encode(), hashlib.sha256).hexdigest()


_of_this_process = secrets.token_urlsafe()


def _same(given: str, expected: str) -> bool:
    """In a time that does not tell how much of it was right."""
    return hmac.compare_digest(given.encode(), expected.encode())


def token_of(home: Path) -> str:
    """The token of a home's dashboard, made at first use.

    One that others could have read is made anew.

    Raises:
        ConfigError: the file cannot be read or written.
    """
    path = home / TOKEN_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        return _kept(path) or _made(path)
    except OSError as error:
        raise ConfigError(
            f"The dashboard's token {path} cannot be kept: {error.strerror}.",
            hint="Choose a folder you may write to with --home DIR (or TAXIETL_HOME).",
        ) from error


def _kept(path: Path) -> str | None:
    """What the file holds; None if it is not there, or not ours alone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        status = os.fstat(file.fileno())
        is_private = status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
        text = file.read(2 * _LENGTH).strip()
    return text if is_private and len(text) == _LENGTH else None


def _made(path: Path) -> str:
    """A new token, in a file that nobody else could read at any time."""
    token = secrets.token_urlsafe(32)
    with replacing(path) as beside:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{token}\n")
    return token
