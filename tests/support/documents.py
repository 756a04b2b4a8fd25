"""The JSON documents as their schemas describe them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


@cache
def _schema(file: str) -> Any:
    return json.loads((SCHEMAS / file).read_text())


_REGISTRY: Registry[Any] = Registry(retrieve=lambda file: Resource.from_contents(_schema(file)))


@cache
def _validator(name: str) -> Draft202012Validator:
    """Kept: to check the schema itself takes a while."""
    schema = _schema(f"{name}.json")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, registry=_REGISTRY)


def check(document: Any, name: str) -> None:
    """Demand that a document is as docs/schemas/NAME.json says."""
    _validator(name).validate(document)
