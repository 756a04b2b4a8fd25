"""`taxietl schema`: print the column contract and the eras it is filled from."""

from __future__ import annotations

from typing import Any

from taxietl.cli.commands import Commands
from taxietl.cli.options import OnlyColorsOption
from taxietl.cli.output import Output


def register(app: Commands) -> None:
    """Add the command."""
    app.add(schema)


def schema(
    out: Output,
    color: OnlyColorsOption = None,
) -> None:
    """Print the columns and types of each colour, and the published names in each era."""
    from taxietl.tlc.month_texts import parse_colors

    documents = [_described(each) for each in parse_colors(color or ())]
    out.result({"datasets": documents}, "\n".join(_as_text(document) for document in documents))


def _described(color: str) -> dict[str, Any]:
    from taxietl.tlc.datasets import dataset
    from taxietl.tlc.eras import ERAS

    known = dataset(color)
    columns = [
        {"name": each.name, "type": each.kind.sql_type, "kind": each.kind.value, "note": each.note}
        for each in known.columns
    ]
    columns.append(
        {
            "name": "source_month",
            "type": "DATE NOT NULL",
            "kind": "month",
            "note": "first day of the file's month",
        }
    )
    eras = [
        {
            "name": era.name,
            "since": "{:04d}-{:02d}".format(*era.since),
            "until": "{:04d}-{:02d}".format(*era.until) if era.until else None,
            "published": list(era.published),
        }
        for era in ERAS
        if era.color == color
    ]
    return {
        "color": color,
        "table": known.table,
        "contract_version": known.contract_version,
        "columns": columns,
        "eras": eras,
    }


def _as_text(document: dict[str, Any]) -> str:
    lines = [
        f"{document['color']}: table {document['table']}, contract {document['contract_version']}"
    ]
    for column in document["columns"]:
        lines.append(f"  {column['name']:<24} {column['type']:<17} {column['note']}")
    for era in document["eras"]:
        until = f"to {era['until']}" if era["until"] else "on"
        lines.append(
            f"  files of {era['name']} ({era['since']} {until}): {' '.join(era['published'])}"
        )
    return "\n".join(lines) + "\n"
