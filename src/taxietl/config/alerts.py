"""Who is told of what: `[[alerts]]`, a table for each address."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BeforeValidator, PrivateAttr, field_validator

from taxietl.config.base import Table
from taxietl.config.secrets import LiteralSecret, Secret, SecretReference

_EVENT = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def _names(given: object) -> tuple[str, ...]:
    """Names of events; as one text, which a variable has to be, they stand apart by blanks."""
    named = re.split(r"[\s,]+", given.strip()) if isinstance(given, str) else given
    if not isinstance(named, list | tuple) or not named:
        raise ValueError('must be a list of events, such as ["failed", "crashed"]')
    for each in named:
        if not isinstance(each, str) or _EVENT.fullmatch(each) is None:
            raise ValueError(
                "must be names of events: small letters, digits, - and _, such as "
                '["failed", "restated"]'
            )
    return tuple(dict.fromkeys(named))


class AlertSettings(Table):
    """What is told to one address."""

    on: Annotated[tuple[str, ...], BeforeValidator(_names)]
    """Names of events; `failed` and `crashed` are ends of runs."""
    url: Secret
    """An address of Apprise's."""
    _name: str = PrivateAttr(default="alerts")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: SecretReference | LiteralSecret) -> SecretReference | LiteralSecret:
        if isinstance(url, LiteralSecret) and "://" not in url.value.get_secret_value():
            raise ValueError('must be an address of Apprise\'s, such as { env = "ALERT_URL" }')
        return url

    @property
    def name(self) -> str:
        """What to call it: `alerts.1`."""
        return self._name

    def known_as(self, name: str) -> Self:
        """A copy that knows its name."""
        copy = self.model_copy()
        copy._name = name
        return copy

    def reveal(self) -> str:
        """The address, looked up now.

        Raises:
            ConfigError: it is not there.
        """
        return self.url.reveal(f"{self._name}.url").get_secret_value().strip()
