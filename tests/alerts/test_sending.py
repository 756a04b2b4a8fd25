"""Messages reach a webhook and a mailbox; what does not says why, and nothing of its address."""

from __future__ import annotations

import socket
import sys
import time

import psutil
import pytest
from receivers import Mail, Webhook, serving

from taxietl.alerts.apprise_child import without
from taxietl.alerts.digest import Digest
from taxietl.alerts.sending import Message, send
from taxietl.config import AlertSettings
from taxietl.errors import ConfigError, TargetError, TaxietlError

DIGEST = Digest("failed <1>", "first line\n  second <line> & more", "failure")


def message(url: str, digest: Digest | None = DIGEST) -> Message:
    return Message(AlertSettings(on=("failed",), url=url), digest)  # type: ignore[arg-type]


def said(errors: list[TaxietlError | None]) -> str:
    return " ".join(f"{each.message} {each.hint}" for each in errors if each)


def test_messages_arrive_whole_and_what_is_refused_says_why(webhook: Webhook, mail: Mail) -> None:
    with Webhook() as nobody, Webhook() as broken:
        closed = nobody.place
        nobody.server_close()
        broken.status = 401
        with serving(broken):
            outcomes = send(
                [
                    message(f"json://{webhook.place}/t0kenA"),
                    message(f"mailto://root:hunter2pw@{mail.place}?from=a@example.com&to=b@b.com"),
                    message(f"json://{closed}/t0kenB"),
                    message(f"json://root:hunter2pw@{broken.place}/t0kenC"),
                    message("jason://root:hunter2pw@example.com/t0kenD"),
                    message("slack://t0kenE"),
                    message(f"json://{webhook.place}/t0kenF"),
                ]
            )

    [first, second] = webhook.messages
    assert first == second
    assert (first["title"], first["message"], first["type"]) == (
        DIGEST.title,
        DIGEST.body,
        "failure",
    )
    [(subject, text)] = mail.mails
    assert subject == DIGEST.title
    assert "second" in text
    assert [type(each) for each in outcomes] == [
        *(type(None), type(None), TargetError, TargetError, ConfigError, ConfigError, type(None))
    ]
    assert "error=401" in said(outcomes)
    assert "An invalid Slack" in said(outcomes)
    for secret in ("t0ken", "hunter2pw", "127.0.0.1", "example.com"):
        assert secret not in said(outcomes)


def test_looking_at_addresses_sends_nothing(webhook: Webhook) -> None:
    good, bad = send([message(f"json://{webhook.place}", None), message("json://", None)])

    assert good is None
    assert isinstance(bad, ConfigError)
    assert webhook.messages == []


def test_what_takes_too_long_is_given_up_with_all_its_processes() -> None:
    before = set(psutil.Process().children(recursive=True))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begun = time.monotonic()
        [wrong] = send(
            [message(f"mailto://a:b@127.0.0.1:{port}?from=a@b.com&to=b@b.com")], limit_seconds=1.5
        )

    assert time.monotonic() - begun < 5
    assert isinstance(wrong, TargetError)
    assert "no answer within 1.5 s" in wrong.message
    assert set(psutil.Process().children(recursive=True)) <= before


def test_without_apprise_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(ConfigError) as caught:
        send([message("json://127.0.0.1")])

    assert "pip install 'taxietl[alerts]'" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "text", "shown"),
    [
        (
            "json://u:p%40ss@host.example/tok-1?x=y",
            "p@ss p%40ss tok-1 host.example",
            "*** *** *** ***",
        ),
        ("json://h/ab", "ab cannot", "ab cannot"),
        ("slack://TOKEN/b", "token refused", "*** refused"),
    ],
)
def test_no_part_of_an_address_is_shown(url: str, text: str, shown: str) -> None:
    assert without(url, text) == shown
