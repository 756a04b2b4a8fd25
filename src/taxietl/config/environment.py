"""Values out of `TAXIETL_SECTION__KEY` variables, by pydantic-settings.

Importing pydantic-settings takes 0.05 s, so `loading.py` comes here only when such a variable
is set. Two things differ from its defaults: a value stays text, where it would turn the password
`12345` into a number, `true` into a boolean and `null` into nothing; and nothing is validated
here, since the file's values are still to be put under these.
"""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import (  # noqa: TID253 - this module is loaded only where it is needed
    BaseSettings,
    EnvSettingsSource,
    SettingsConfigDict,
)


class _Sections(BaseSettings):
    """The sections a variable's name may begin with."""

    model_config = SettingsConfigDict(
        env_prefix="TAXIETL_", env_nested_delimiter="__", case_sensitive=False
    )

    alerts: dict[str, dict[str, Any]] = {}
    cache: dict[str, Any] = {}
    history: dict[str, Any] = {}
    ingest: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    profiles: dict[str, dict[str, Any]] = {}
    sources: dict[str, dict[str, Any]] = {}


class _TextSource(EnvSettingsSource):
    """Leaves every value the text it is: profiles decide what a value means."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ARG002
        return value


def read_environment() -> dict[str, Any]:
    """What the environment says, by section, then key, or name and key; all in lower case.

    A secret's `…__PASSWORD__ENV=NAME` arrives as `{"env": "NAME"}`.
    """
    return _TextSource(_Sections)()
