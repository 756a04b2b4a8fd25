"""What holds where an option was not given: the same for the commands and for Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from taxietl.config import IngestSettings, settings
from taxietl.config.problems import problems_of
from taxietl.errors import ConfigError


def with_defaults(given: Mapping[str, Any], **instead: Any) -> dict[str, Any]:
    """The options given, and what `[ingest]` of the configuration says where one was not.

    Args:
        given: by name; None for what was not.
        instead: what holds in the place of `[ingest]`.

    Raises:
        ConfigError: one that the configuration could have, too, has a value that it cannot have.
    """
    found = {name: value for name, value in given.items() if value is not None}
    own = {name: found[name] for name in IngestSettings.model_fields if name in found}
    outcome = _checked(dict(settings().ingest) | instead | own)
    if isinstance(outcome, ConfigError):
        raise outcome  # out of reach of what was given
    return found | dict(outcome)


def _checked(values: Mapping[str, Any]) -> IngestSettings | ConfigError:
    try:
        return IngestSettings.model_validate(values)
    except ValidationError as error:
        (problem, *_) = problems_of(error, (), IngestSettings)
        return ConfigError(f"{problem.path[0]} {problem.text}.")
