"""`taxietl doctor`: look at the whole set-up, and say what to fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxietl.cli.commands import Commands
from taxietl.cli.finding_lines import finding_lines
from taxietl.cli.output import Output
from taxietl.cli.session import chosen_home, open_settings
from taxietl.errors import ConfigError, worst_exit_code

if TYPE_CHECKING:
    from taxietl.config import Settings


def register(app: Commands) -> None:
    """Add the command."""
    app.add(doctor)


def doctor(out: Output) -> int:
    """Check the whole set-up, and say how to fix what is wrong. Changes nothing."""
    from taxietl.doctor.checkup import checks_of
    from taxietl.doctor.examination import examine

    found = examine(checks_of(_settings(), chosen_home()))
    code = worst_exit_code(each.exit_code for each in found)
    document = {
        "checks": [
            {
                "check": each.check,
                "subject": each.subject,
                "state": each.state,
                "message": each.message,
                "hint": each.hint,
                "exit_code": each.exit_code,
            }
            for each in found
        ],
        "exit_code": code,
    }
    out.result(document, finding_lines(found, {}, by_check=True))
    return code


def _settings() -> Settings | ConfigError:
    """Those in force, or what is wrong with them; their warnings are among the findings."""
    try:
        return open_settings(warned=False)
    except ConfigError as error:
        return error
