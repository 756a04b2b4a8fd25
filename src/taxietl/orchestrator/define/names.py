"""What runs want to be called: an adjective and an animal, or the flow's own template."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

from taxietl.masking import masked

_NUMBER = re.compile(r"\d{4,}")

RunName: TypeAlias = str | Callable[[dict[str, Any]], str]
"""A `str.format` template over a call's arguments, or a function of a dict of them."""

TRIES = 3
"""How often two words are drawn before a number is added; there are some 370,000 pairs."""


def two_words(rng: Random) -> Iterator[str]:
    """A few names such as `crouching-seriema`."""
    generator = _generator(rng)
    for _ in range(TRIES):
        yield str(generator.generate_slug(2))


def name_by(template: RunName, parameters: Mapping[str, Any]) -> str:
    """A template, filled in as `str.format` does, but for what could not end; or what it makes.

    Raises:
        Exception: it cannot be filled in so, or the function fails.
    """
    if not isinstance(template, str):
        return str(template(dict(parameters)))
    return _Template().vformat(template, (), parameters)


class _Template(string.Formatter):
    """`{n:99999999}` would be a name of a hundred megabytes; what begins with _ is nobody's."""

    def format_field(self, value: Any, format_spec: str) -> str:
        is_date = hasattr(value, "strftime")  # whose format may hold a year
        if not is_date and _NUMBER.search(format_spec):
            raise ValueError(f"the width or precision in {format_spec[:40]!r} is above 999")
        return str(super().format_field(value, format_spec))

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if "._" in field_name:
            raise AttributeError(f"{{{field_name[:40]}}} names a private attribute")
        return super().get_field(field_name, args, kwargs)


def wanted_names(own: str | None, rng: Random) -> list[str]:
    """What a run may be called, best first: as its flow wants it, or else what is drawn.

    Drawn here and now: the words take some 30 ms to load, too long for a write transaction.
    """
    return [masked(own)] if own else list(two_words(rng))


@functools.lru_cache(maxsize=4)  # making one takes some 10 ms
def _generator(rng: Random) -> Any:
    from coolname import RandomGenerator
    from coolname.data import config

    return RandomGenerator(config, rng)
