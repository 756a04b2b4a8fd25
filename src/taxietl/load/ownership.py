"""What taxietl made in a warehouse says so in its COMMENT; whatever does not is never touched."""

from __future__ import annotations

from taxietl.errors import ConfigError, NotOursError
from taxietl.load import ledger
from taxietl.tlc.datasets import Dataset

MARKER = "taxietl"

LEDGER_ROLES = {
    ledger.LOADS: "ledger, one row a load",
    ledger.REJECTS: "lines and cells that could not be read",
    ledger.MONTHS: "current rows of the ledger",
}
VIEW_ROLE = "plain-named trips"


def trips_role(of: Dataset) -> str:
    """What the table of a colour's trips is for."""
    return f"{of.color} trips of the NYC TLC"


def comment_of(role: str) -> str:
    """The COMMENT of what we make."""
    return f"{MARKER}: {role}"


def bears(found: str | None, role: str) -> bool:
    """Whether a COMMENT says that we made it for that; None is that of what is not there."""
    return (found or "").startswith(comment_of(role))


def check_name(table: str) -> None:
    """Refuse to load trips into a table of the ledger.

    Raises:
        ConfigError: it is one.
    """
    if table.lower() in LEDGER_ROLES:
        raise ConfigError(f"{table} is a name of taxietl's own.", hint="Name another with --table.")


def is_ours(
    found: str | None,
    name: str,
    role: str,
    *,
    target: str,
    hint: str = "",
) -> bool:
    """Whether what bears the name is there, and in that role.

    Args:
        found: its COMMENT, empty without one; None where nothing has the name.
        name: the name.
        role: what it should be for.
        target: the warehouse in words.
        hint: what to do about something that is not ours, where that is not another table's name.

    Raises:
        NotOursError: something of that name is there that taxietl did not make.
        ConfigError: something is that taxietl made for something else.
    """
    if found is None:
        return False
    if not found.startswith(comment_of("")):
        raise NotOursError(
            f"{target} has a table or view {name} that taxietl did not make.",
            hint=(
                hint
                or (
                    "It is left alone. Rename it: the ledger needs that name."
                    if name in LEDGER_ROLES
                    else "It is left alone. Load into another table with --table NAME, or rename "
                    "that one."
                )
            )
            + f" If taxietl did make it, let its COMMENT begin with '{comment_of(role)}' again.",
        )
    if not bears(found, role):
        raise ConfigError(
            f"{name} in {target} holds something else: {found.removeprefix(comment_of(''))}.",
            hint="Each colour needs a table of its own; name another with --table.",
        )
    return True
