"""What checks found, for people: a line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from taxietl.cli.state_colors import marked

if TYPE_CHECKING:
    from taxietl.findings import Finding, State


def finding_lines(
    found: Sequence[Finding], words: Mapping[State, str], *, by_check: bool = False
) -> str:
    """The findings as lines.

    Args:
        found: in their order.
        words: what to call a state, where that is not its name.
        by_check: begin with what was looked at, not only with whose.
    """
    named = [
        (
            words.get(each.state, each.state),
            f"{each.check} {each.subject}" if by_check else each.subject,
            each,
        )
        for each in found
    ]
    states = max((len(state) for state, _, _ in named), default=0)
    names = max((len(name) for _, name, _ in named), default=0)
    return "\n".join(
        f"{marked(state, states)}  {name:{names}}  {each.message} {each.hint}".replace(
            "\n", " "
        ).rstrip()
        for state, name, each in named
    )
