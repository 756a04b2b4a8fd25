"""What a check found: fine, worth knowing, or to be fixed, each with what to type next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from taxietl.errors import TaxietlError
from taxietl.masking import masked


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """What was looked at: `config`, `disk`, `connection`, …"""
    subject: str
    """Of which profile, file or source; may be empty."""
    state: State
    message: str
    hint: str = ""
    """What to type or edit; empty where nothing has to be done."""
    error: TaxietlError | None = None
    """Of a problem: what a command would fail with."""

    @property
    def exit_code(self) -> int:
        """That of the error; 0 of what is no problem."""
        return self.error.exit_code if self.error else 0

    @classmethod
    def ok(cls, check: str, subject: str, message: str) -> Self:
        """Nothing has to be done."""
        return cls(check, subject, State.OK, masked(message))

    @classmethod
    def warning(cls, check: str, subject: str, message: str, *, hint: str) -> Self:
        """Commands work, and somebody should look at it."""
        return cls(check, subject, State.WARNING, masked(message), masked(hint))

    @classmethod
    def problem(cls, check: str, subject: str, error: TaxietlError) -> Self:
        """Some command fails with this error."""
        return cls(check, subject, State.PROBLEM, error.message, error.hint, error)
