"""`/profiles`: the named connections, without their secrets, and whether they answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from taxietl.config import Profile
from taxietl.config.secrets import SecretReference
from taxietl.doctor.examination import examine
from taxietl.doctor.profiles import profile_check
from taxietl.ui.dashboard import CheckResult, Dashboard

DOTS = "•" * 8
"""For every secret, however long it is."""
PLACES = {"env": "environment variable", "file": "file", "credential": "systemd credential"}


@dataclass(frozen=True)
class Value:
    """One setting of a profile."""

    key: str
    text: str
    """Dots for a secret."""
    place: str = ""
    """Of a secret, where it is read from."""


def profiles_page(
    dashboard: Dashboard, request: Request, *, status: HTTPStatus, **form: Any
) -> Response:
    """The page, with the form that adds one."""
    settings = dashboard.read_settings()
    return dashboard.page(
        request,
        "profiles.html",
        title="Profiles",
        profiles=settings.profiles,
        values={name: values_of(each) for name, each in settings.profiles.items()},
        answers=dashboard.answers,
        config=settings.config_file,
        status=status,
        **form,
    )


def check(dashboard: Dashboard, request: Request) -> str:
    """Look whether a profile's place answers, and keep what it said for the page."""
    settings = dashboard.read_settings()
    profile = settings.profile(request.path_params["name"])
    findings = examine([profile_check(profile, settings.home)])
    dashboard.answers[profile.name] = CheckResult(datetime.now(UTC), findings)
    return f"/profiles#profile-{profile.name}"


def values_of(profile: Profile) -> list[Value]:
    """The settings of a profile that count."""
    found = []
    for key, shown in profile.describe().items():
        secret = getattr(profile, key, None) if key in profile.secret_keys else None
        if secret is None:
            found.append(Value(key, str(shown)))
        elif isinstance(secret, SecretReference):
            found.append(Value(key, DOTS, f"{PLACES[secret.kind]} {secret.place}"))
        else:
            found.append(Value(key, DOTS, "written out in the configuration"))
    return found
