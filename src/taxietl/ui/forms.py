"""What a form holds, as browsers send it by default."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

MAX_FIELDS = 100


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of the form that was sent, by name.

    Raises:
        HTTPException: it is none (400).
    """
    try:
        text = (await request.body()).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise HTTPException(400) from error
