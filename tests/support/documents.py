"""The JSON documents as the reference describes them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

REFERENCE = Path(__file__).parents[2] / "docs" / "reference.md"


def _definitions() -> dict[str, Any]:
    (block,) = re.findall(r"```json\n(.*?)```", REFERENCE.read_text(), re.DOTALL)
    definitions: dict[str, Any] = json.loads(block)
    return definitions


@cache
def _validator(definition: str) -> Draft202012Validator:
    """Kept: to check the schema itself takes 0.2 s."""
    schema = _definitions() | {"$ref": f"#/$defs/{definition}"}
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check(document: Any, definition: str) -> None:
    """Demand that a document is as its definition in docs/reference.md says."""
    _validator(definition).validate(document)
