"""Secrets in text, masked: whatever is stored or shown of a text went through `masked`.

A secret of ours has a type (`SecretStr`, a reference in the configuration). In a text it has only
its place: the password of a URL, a token in its query, `password=…` of a connection string, a
field `"token": "…"`, a private key, an Authorization header. Where it cannot be told where a
password ends, too much is masked rather than too little.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

MASK = "**********"

_NAME = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token|(?:api|private|secret|access|account)[_-]?key)"
)
"""What the names of fields, parameters and settings end with that hold a secret."""
_USER = r"""[^\s/:@?#\[\]"'<>]*"""
_NO_WEB = r"(?<!http)(?<!https)"

# PASSWORD in capitals is what a hint says of the form of an address.
_IN_ADDRESSES = (
    # The password ends at the last @ before a blank or a quote.
    rf"""{_NO_WEB}(:/{{1,3}}{_USER}:)(?!\*+@|(?-i:PASSWORD)@)[^\s"]{{1,999}}(?=@)""",
    # Without one, it holds such itself; but a number there is a port.
    rf"""{_NO_WEB}(:/{{1,3}}{_USER}:)(?!\*+@|(?-i:PASSWORD)@|\d{{1,5}}\b|\s)[^\n]{{1,199}}?(?=@)""",
    # On the web an @ may come later, too: http://host:8080/a@b.
    rf"""(https?:/{{1,3}}{_USER}:)(?!\*+@|(?-i:PASSWORD)@|\d{{1,5}}(?:[/?#\s]|$))[^\s"]{{1,999}}(?=@)""",
    # A token in the place of the user.
    r"""(https?://)(?!\*+@|(?-i:PASSWORD)@)[^\s/:@?#"'<>]+(?=@)""",
)
_BY_NAME = (
    # A signed address, or one with a token.
    r"""([?&](?:[\w-]*(?:signature|credential)|sig|key|auth|authorization)=)"""
    r"""(?!\*+(?:[&#\s"']|$))[^&#\s"'<>]+""",
    # A connection string or a line of code; a reference to where a secret lies is none.
    rf"""({_NAME}(?:=(?=\S)|\s*=\s*(?=["'])))"""
    r"""(?!["']?(?:env|file|credential):|\{\s*(?:env|file|credential)\b|["']?(?:\*+|…))"""
    r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|["']?(?:[^\s&"']|["'](?=[^\s,;:)\]}&"']))+)""",
    # A field of JSON, of a dictionary or of YAML.
    rf"""({_NAME}\\?["']?\s*:\s*b?(\\?["']))(?!\*+["'\\])(?:(?!\2)(?:\\.|[^\\]))+""",
    # Without quotes a word may be one of a sentence; with a digit in it, it is hardly.
    rf"({_NAME}\s*[:=]\s+)(?=\S*\d)[\w.~+/$%!-]{{6,}}(?![\w(\[{{])",
    r"(\bbearer\s+)(?=\S*\d)[\w.~+/=-]{6,}",
    # An option of a program.
    rf"(--[\w-]*{_NAME}\s+)(?![-*])\S+",
    # A header.
    r"""(\bauthorization["']?\s*[:=]\s*["']?)(?!(?:\w+\ )?\*)(?:\w+ )?[^\s"',;]{4,}""",
    r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?!\*).*?(?=-----END|\Z)",
)
_WORDS = (
    *("passw", "passphrase", "pwd", "secret", "token", "key"),
    *("sig=", "signature=", "credential", "auth", "bearer"),
)
"""One of these, in any case of letters, is in every text that those by name find anything in."""

_WHOLE = r"(?s)\A(\s*[\w+.-]+:/{1,3}[^\s/:@]*:|[^\s/:@]*:(?!/))(?!\*+@|(?-i:PASSWORD)@).+(?=@)"
"""A text that is an address from end to end, with its scheme or without."""


def masked(text: str) -> str:
    """The text, each secret in it replaced by `MASK`."""
    if _is_plain(text):
        return text
    for rule in _rules(text):
        text = _compiled(rule).sub(_hidden, text)
    return text


def holds_secret(text: str) -> bool:
    """Whether `masked` would change the text."""
    return not _is_plain(text) and any(_compiled(rule).search(text) for rule in _rules(text))


def _is_plain(text: str) -> bool:
    """Nothing is to be found: so it is with most texts, and every task logs and stores some."""
    found = "@" in text or "=" in text or ":" in text or "KEY" in text
    return not (found or "--" in text or "earer " in text)


def _rules(text: str) -> tuple[str, ...]:
    """Those that may find anything in a text that is not plain."""
    lowered = text.lower()
    by_name = _BY_NAME if any(word in lowered for word in _WORDS) else ()
    return (_IN_ADDRESSES if "@" in text else ()) + by_name


@functools.cache  # asked for the same few names again and again
def is_secret_name(name: str) -> bool:
    """Whether a field or parameter of that name holds a secret."""
    return _compiled(rf"{_NAME}\Z").search(name) is not None


def masked_json(
    value: Any, *, by_name: bool = False, plain: Callable[[Any], Any] = lambda value: value
) -> Any:
    """JSON values, every text among them masked.

    Args:
        value: text, numbers, mappings, lists.
        by_name: mask a text also since its field is called `password` or the like.
        plain: makes such of what is none; left out, that stays as it is.
    """
    match value:
        case str():
            return masked(value)
        case Mapping():
            return {
                masked(name) if isinstance(name, str) else name: MASK
                if by_name and isinstance(each, str) and is_secret_name(str(name))
                else masked_json(each, by_name=by_name, plain=plain)
                for name, each in value.items()
            }
        case list() | tuple():
            return [masked_json(each, by_name=by_name, plain=plain) for each in value]
    made = plain(value)
    return made if made is value else masked_json(made, by_name=by_name, plain=plain)


def name_shown(name: str) -> str:
    """What was given where a name belongs, to be shown: it may be an address with a password.

    Its mask is a shorter one than that of `masked`, which leaves it as it is: the result is a name.
    """
    shown = _compiled(_WHOLE).sub(_hidden, name)
    return masked(shown).replace(MASK, "***")


@functools.cache
def _compiled(rule: str) -> re.Pattern[str]:
    return re.compile(rule, re.IGNORECASE)  # at its first use: some milliseconds for all of them


def _hidden(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}"
