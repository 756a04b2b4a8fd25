"""A small file at an address, whole and never cached: the zone look-up table."""

from __future__ import annotations

import io

from taxietl.config.sources import check_address, holds_months
from taxietl.errors import ConfigError, CorruptFileError
from taxietl.extract.http.answers import described
from taxietl.extract.http.checks import Check
from taxietl.extract.http.client import Patience, Question, ask
from taxietl.steps.protocols import NEVER, Cancellation

_MOST_BYTES = 1 << 20


def content_of(address: str, *, cancellation: Cancellation = NEVER) -> bytes:
    """The bytes of a file of at most 1 MB.

    Raises:
        ConfigError: it is no address of one file.
        SchemaError: it is a text in another encoding, or JSON.
        CorruptFileError: what is there is longer, a web page, or of unknown length.
        TransferError: it could not be had this time.
        SourceError: it is not there, or cannot be reached at all.
    """
    try:
        is_open = holds_months(check_address(address))
    except ValueError as error:
        raise ConfigError(f"The address {error}.", hint="Write https://HOST/…/FILE.") from None
    if is_open:
        raise ConfigError("The address is that of many files.", hint="Write it out in full.")
    question, content = Question("GET", address), bytearray()
    with ask(question, patience=Patience(), cancellation=cancellation) as answer:
        file = described(answer.status, answer.headers, question.name)
        for chunk in answer.chunks():
            cancellation.check()
            content += chunk
            if len(content) > _MOST_BYTES:
                raise CorruptFileError(
                    f"{question.name} is longer than {_MOST_BYTES:,} bytes.",
                    hint="That is no small file. Check the address.",
                )
    if not file.is_delimited:
        raise CorruptFileError(
            f"{question.name} came without its length, so that a cut file could not be told from "
            "a whole one.",
            hint="Fetch it by hand, and name the file.",
        )
    check = Check(question.name)
    check.feed(bytes(content))
    check.finish(io.BytesIO(content))
    return bytes(content)
