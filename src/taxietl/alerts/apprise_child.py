"""Hands messages to Apprise: a program of its own, started by `sending.py`.

It imports nothing of ours. Apprise and what it uses log addresses, keep threads, and wait as long
as servers like; here that reaches nobody, and whoever started this ends it when it takes too long.

stdin has one JSON document, with `send` (false to look at the addresses only) and `messages`, each
with `name`, `url`, `title`, `body`, `type`. stdout gets a line of JSON for each as soon as it is
known what became of it: its `name`, a `result` (`sent`, `refused`, `understood`, `not understood`),
and a `reason` without any part of its address.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from typing import Any
from urllib.parse import unquote

_SHORTEST = 3
"""Parts of an address that are shorter are no secret, and in every text."""


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def take(self) -> str:
        """All that was said since, each thing once."""
        said = " ".join(dict.fromkeys(self.said))
        self.said.clear()
        return said


def without(url: str, text: str) -> str:
    """The text without any part of the address."""
    rest = url.partition("://")[2]
    parts = {form for each in re.split(r"[^\w.%-]+", rest) for form in (each, unquote(each))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST:
            text = re.sub(re.escape(part), "***", text, flags=re.IGNORECASE)
    return text


def _handle(message: dict[str, Any], kept: _Kept, *, send: bool) -> tuple[str, str]:
    """What became of a message, and why."""
    import apprise

    plugin = apprise.Apprise.instantiate(message["url"])
    if plugin is None:
        return "not understood", kept.take()
    if not send:
        return "understood", ""
    kept.take()
    alone = apprise.Apprise()
    alone.add(plugin)
    is_sent = alone.notify(
        body=message["body"],
        title=message["title"],
        notify_type=message["type"],
        body_format="text",
    )
    return ("sent", "") if is_sent else ("refused", kept.take())


def main(answers: int) -> None:
    """Handle all messages, each in a process of its own, so that none waits for another."""
    import apprise

    given = json.load(sys.stdin)
    kept = _Kept()
    logging.getLogger().addHandler(kept)
    apprise.Apprise.instantiate("json://localhost")  # loads all kinds of address, once
    children = []
    for message in given["messages"]:
        if child := os.fork():
            children.append(child)
            continue
        result, reason = _handle(message, kept, send=given["send"])
        answer = {
            "name": message["name"],
            "result": result,
            "reason": without(message["url"], reason),
        }
        os.write(answers, f"{json.dumps(answer)}\n".encode())
        os._exit(0)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    apart = os.dup(1)
    os.dup2(2, 1)  # whatever else is printed
    main(apart)
    os._exit(0)
