"""The first line of a CSV: the names in it, or what the file is if they are not the columns'.

Nothing here is asked of a file whose first line names the columns of its month. Of any other, the
reason is looked for in its first lines, so that the refusal says what is wrong with the file and
not what taxietl made of it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from taxietl.errors import ConfigError, CorruptFileError, SchemaError
from taxietl.steps.file_kinds import with_path
from taxietl.tlc.eras import every_name
from taxietl.transform.casting import decoded
from taxietl.transform.lines import fields_of

_SEPARATORS = {
    ";": "';'",
    "\t": "tabs",
    "|": "'|'",
    ":": "':'",
    "^": "'^'",
    "~": "'~'",
    "\x01": r"the character \x01",
    " ": "spaces",
}
"""Characters that may stand where commas should, as a message says it."""

_LONGEST = 1 << 20
"""No line of names is longer; to take a longer one apart might take any amount of memory."""

_LOOKED_AT = 64 << 10

_LINES_LOOKED_AT = 5
_KNOWN_AT_LEAST = 2
_QUOTED_WHOLE = re.compile(r'"[^"]*"')
# Names do not begin as numbers and times do.
_VALUE = re.compile(r"\s*[+-]?\.?[0-9]")


@dataclass(frozen=True)
class CsvFile:
    """The file, as messages name it and commands read it."""

    path: Path
    form: str
    """`csv` or `csv.gz`."""

    def __str__(self) -> str:
        return str(self.path)

    @property
    def lines(self) -> str:
        """The command that prints its plain lines."""
        return with_path("gzip -dc" if self.form == "csv.gz" else "cat", str(self.path))


def check_first_line(header: bytes, rest: bytes, file: CsvFile) -> None:
    """Refuse a first line, without its LF, that is none.

    Raises:
        CorruptFileError: there is nothing in it.
        SchemaError: it goes on after a CR, or without end.
    """
    if not header.strip():
        what = "begins with a blank line" if rest.strip() else "is empty"
        raise CorruptFileError(f"{file} {what}: nothing names its columns.", hint="Fetch it again.")
    if b"\r" in header.rstrip(b"\r"):
        raise lines_end_in_cr(file)
    if len(header) > _LONGEST:
        raise SchemaError(
            f"The first line of {file} has {len(header):,} bytes; no line of names has as many.",
            hint="It should name the columns, separated by commas, and end in LF.",
        )


def names_of(header: bytes, file: CsvFile) -> list[str]:
    """The fields of the first line.

    Raises:
        SchemaError: it is not made of fields.
    """
    try:
        return fields_of(decoded(header).lstrip("\ufeff").rstrip("\r"))
    except csv.Error as error:
        raise SchemaError(
            f"The first line of {file} cannot be taken apart: {error}.",
            hint="It should name the columns, separated by commas.",
        ) from error


def lines_end_in_cr(file: CsvFile) -> SchemaError:
    """The refusal of a file whose lines have the ends that old Macs gave them."""
    return SchemaError(
        f"{file}: its lines end in CR alone; they should end in LF or CRLF.",
        hint=f"Convert them: {file.lines} | tr '\\r' '\\n' > lines.csv, and give "
        "--source lines.csv.",
    )


def explained(
    error: SchemaError | ConfigError, header: bytes, rest: bytes, file: CsvFile
) -> SchemaError | ConfigError:
    """The error that a first line gave, or a better one if the file is of another kind.

    Args:
        error: what finding the file's era gave.
        header: the first line.
        rest: lines after it.
        file: whose they are.
    """
    first = decoded(header[:_LOOKED_AT]).strip("\ufeff\r ")
    known = _known(first, ",")
    best = max(_SEPARATORS, key=lambda each: _known(first, each))
    if _known(first, best) >= max(_KNOWN_AT_LEAST, known + 1):
        return _separated(best, file)
    if known >= _KNOWN_AT_LEAST and _QUOTED_WHOLE.fullmatch(first):
        return SchemaError(
            f"{file} has each line as a whole in quotes, so that it is one field.",
            hint="Write it again without them.",
        )
    if known:
        return error
    lines = rest[:_LOOKED_AT].split(b"\n")[:_LINES_LOOKED_AT]
    for number, line in enumerate(lines, start=2):
        if any(_known(decoded(line), each) >= _KNOWN_AT_LEAST for each in (",", *_SEPARATORS)):
            return SchemaError(
                f"The first line of {file} does not name its columns; line {number} does.",
                hint=f"Leave out what stands before it: {file.lines} | tail -n +{number} "
                "> trips.csv, and give --source trips.csv.",
            )
    fields = [each.strip(' "') for each in first.split(",")]
    if any(_VALUE.match(each) for each in fields):
        return SchemaError(
            f"{file}: there is no header line; the first line is a row already: {first[:60]!r}.",
            hint=f"Put the names in the order of the fields before it: (echo NAME,NAME,…; "
            f"{file.lines}) > trips.csv, and give --source trips.csv. `taxietl schema` lists "
            "the names of every era.",
        )
    return error


def _known(line: str, separator: str) -> int:
    """How many of a line's fields are names of columns, of whichever colour and era."""
    names = (each.strip(' "\r').lower() for each in line.split(separator))
    return sum(each in every_name() for each in names)


def _separated(separator: str, file: CsvFile) -> SchemaError:
    argument = "\\t" if separator == "\t" else "\\x01" if separator == "\x01" else separator
    return SchemaError(
        f"{file} has its columns separated by {_SEPARATORS[separator]}, not by commas.",
        hint=f'Convert it: {file.lines} | python3 -c "import csv, sys; '
        f"csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter='{argument}'))\" "
        "> commas.csv, and give --source commas.csv.",
    )
