"""`taxietl alerts`: who is told of what."""

from __future__ import annotations

from taxietl.cli.commands import Commands
from taxietl.cli.finding_lines import finding_lines
from taxietl.cli.output import Output, describe_error
from taxietl.cli.session import open_settings
from taxietl.errors import ConfigError, worst_exit_code


def register(app: Commands) -> None:
    """Add the command group."""
    group = Commands(name="alerts", help="Messages about runs that failed, and events of runs.")
    group.add(test)
    app.add_typer(group)


def test(out: Output) -> int:
    """Send a message through each [[alerts]] of the configuration."""
    alerts = open_settings().alerts
    if not alerts:
        raise ConfigError(
            "No alerts are configured.",
            hint='Add to the configuration, for each address: [[alerts]]; on = ["failed", '
            '"crashed"]; url = { env = "ALERT_URL" }; `taxietl init` writes one with examples.',
        )
    from taxietl.alerts.digest import Digest, this_host
    from taxietl.alerts.sending import Message, send
    from taxietl.findings import Finding, State

    host = this_host()
    messages = [
        Message(
            each,
            Digest(
                f"taxietl on {host}: a test",
                f"Nothing happened: `taxietl alerts test` sent this through {each.name}, which "
                f"is told of: {', '.join(each.on)}.",
            ),
        )
        for each in alerts
    ]
    found = [
        Finding.problem("alerts", str(each.url), wrong)
        if wrong
        else Finding.ok("alerts", str(each.url), f"{each.name} is told of: {', '.join(each.on)}.")
        for each, wrong in zip(alerts, send(messages), strict=True)
    ]
    code = worst_exit_code(each.exit_code for each in found)
    document = {
        "alerts": [
            {
                "name": alert.name,
                "on": list(alert.on),
                "sent": each.error is None,
                "error": describe_error(each.error) if each.error else None,
            }
            for alert, each in zip(alerts, found, strict=True)
        ],
        "exit_code": code,
    }
    out.result(document, finding_lines(found, {State.OK: "sent", State.PROBLEM: "failed"}))
    return code
