"""The form on `/profiles` that adds one, as `taxietl profiles add` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from taxietl.config.adding import Key, add_profile, keys_of
from taxietl.config.profile_types import profile_type, profile_types, type_names
from taxietl.errors import ConfigError
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.pages.profiles import profiles_page

PREFIX = "set-"
"""Begins the names of the fields that are settings of the profile."""


@dataclass(frozen=True)
class NewProfile:
    """What was sent, and why it was not added."""

    kind: str = ""
    name: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """By key, without what stands where a secret's place belongs: it may be the secret."""
    error: ConfigError | None = None


def profiles(dashboard: Dashboard, request: Request) -> Response:
    """The page of profiles, with an empty form for each type."""
    return _page(dashboard, request, NewProfile())


def add(dashboard: Dashboard, request: Request) -> str | Response:
    """Add the profile to the configuration file; or show its form with what is wrong."""
    sent: Mapping[str, str] = request.state.form
    kind, name = sent.get("type", ""), sent.get("name", "").strip()
    values = {
        key.removeprefix(PREFIX): value.strip()
        for key, value in sent.items()
        if key.startswith(PREFIX) and value.strip()
    }
    try:
        add_profile(name, kind, values, dashboard.read_settings())
    except ConfigError as error:
        secret = tuple(profile_type(kind).secret_keys if kind in type_names() else values)
        given = {key: value for key, value in values.items() if key not in secret}
        return _page(dashboard, request, NewProfile(kind, name, given, error))
    return f"/profiles#profile-{name}"


def _page(dashboard: Dashboard, request: Request, tried: NewProfile) -> Response:
    kinds = {str(each.model_fields["type"].default): each for each in profile_types()}
    forms: dict[str, list[Key]] = {name: keys_of(kind) for name, kind in kinds.items()}
    return profiles_page(
        dashboard,
        request,
        status=HTTPStatus.BAD_REQUEST if tried.error else HTTPStatus.OK,
        forms=forms,
        tried=tried,
        prefix=PREFIX,
    )
