"""What every command has: --json, -q, -v, --debug, --log-format; results go to stdout."""

from __future__ import annotations

import errno
import inspect
import json
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from taxietl.cli.state_colors import with_colors
from taxietl.cli.stderr import LogFormat, log_format, say, write_line
from taxietl.cli.streams import real_stdout, stdout_kept_for_a_document, writing_to_stdout
from taxietl.errors import Cancelled, TargetError, TaxietlError, out_of_memory
from taxietl.masking import masked, masked_json
from taxietl.terminal import visible, visible_json

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print only results, warnings and errors.")
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Print more log lines.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Print tracebacks.")]
LogFormatOption = Annotated[
    LogFormat, typer.Option("--log-format", help="Format of log lines, warnings and errors.")
]

_BEFORE = ("--config", "--home", "--version")
_AFTER = ("--json", "-q", "--quiet", "-v", "--verbose", "--debug", "--log-format")

ROWS_AT_ONCE = 1_000
"""Of a long result, written in one go."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Output:
    """How a command was asked to speak."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False

    def result(self, document: Mapping[str, Any], text: str, *, as_is: bool = False) -> None:
        """Write a command's result: the document under --json, the text otherwise.

        Args:
            document: for programs.
            text: for people.
            as_is: they are data, which nothing is masked in; the text is fit for a terminal.
        """
        if self.json:
            write_document(document, as_is=as_is)
        else:
            shown = text if as_is else with_colors(visible(masked(text)))
            _write(shown if shown.endswith("\n") else f"{shown}\n")

    def long_result(self, head: Mapping[str, Any], name: str, rows: Iterable[Any]) -> None:
        """Write a result of many rows while they come.

        Args:
            head: what the document has besides.
            name: of the rows in the document.
            rows: texts for people, or under --json what becomes JSON.
        """
        opening = json.dumps(head, default=plain, ensure_ascii=False).removesuffix("}")
        if self.json:
            _write(visible_json(f"{opening}, {json.dumps(name)}: ["))
        before, left = "\n", iter(rows)
        while some := list(islice(left, ROWS_AT_ONCE)):
            if self.json:
                written = (
                    json.dumps(masked_json(each, plain=plain), default=plain, ensure_ascii=False)
                    for each in some
                )
                _write(visible_json(before + ",\n".join(written)))
                before = ",\n"
            else:
                _write(visible(masked("".join(f"{each}\n" for each in some))))
        if self.json:
            _write("\n]}\n")

    def note(self, text: str) -> None:
        """Tell something by the way, on stderr, unless --quiet."""
        if not self.quiet:
            say(text)

    def log_to_stderr(self) -> None:
        """Show log lines from here on."""
        _show_log(self.log_level)

    def log_little_to_stderr(self) -> None:
        """Show none but critical log lines from here on: something else shows the months."""
        _show_log(logging.CRITICAL)

    @property
    def log_level(self) -> int:
        """The least level of log lines shown on stderr."""
        if self.verbose or self.debug:
            return logging.DEBUG
        # What fails is told by its `error:` line, which says what the log says four times.
        return logging.CRITICAL if self.quiet else logging.INFO


def _show_log(level: int) -> None:
    from taxietl.orchestrator import configure_logging

    configure_logging(level, as_json=log_format() is LogFormat.JSON)


class UnshownLog(logging.Handler):
    """Writes what is logged while no log is shown: warnings and worse."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a mistake in the line of somebody's library
            text = str(record.msg)
        write_line(record.levelname, text, f"{record.levelname.lower()}: {text}")


def with_output(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options above; its first parameter, `out`, becomes an `Output`."""

    @wraps(command)
    def wrapped(
        *args: Any,
        json: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        debug: bool = False,
        log_format: LogFormat = LogFormat.TEXT,
        **kwargs: Any,
    ) -> Any:
        out = Output(json, quiet, verbose, debug)
        # Whoever begins no run sets up no logging: it is told of long waits all the same.
        logging.lastResort = UnshownLog(logging.WARNING)
        logging.getLogger("taxietl").setLevel(out.log_level)
        if log_format is LogFormat.JSON:
            out.log_to_stderr()
        with stdout_kept_for_a_document() if json else nullcontext():
            return command(out, *args, **kwargs)

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    common = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        for name, annotation, default in (
            ("json", JsonOption, False),
            ("quiet", QuietOption, False),
            ("verbose", VerboseOption, False),
            ("debug", DebugOption, False),
            ("log_format", LogFormatOption, LogFormat.TEXT),
        )
    ]
    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    wrapped.__signature__ = inspect.Signature([*named, *common])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {each.name: each.annotation for each in [*named, *common]}
    return wrapped


def describe_error(error: BaseException) -> dict[str, Any]:
    """An error as message, hint, kind and exit code; for one of ours, of typer's or a bug."""
    error = out_of_memory(error) or error
    kind = type(error).__name__
    if isinstance(error, TaxietlError):
        return {
            "kind": kind,
            "message": error.message,
            "hint": error.hint,
            "exit_code": error.exit_code,
            "warnings": list(error.warnings),
        }
    return {"kind": kind, "hint": "", "warnings": [], **_described(error)}


def _described(error: BaseException) -> dict[str, Any]:
    """The same of an error that is none of ours."""
    if isinstance(error, Cancelled):
        return {"message": error.reason, "exit_code": error.exit_code}
    if isinstance(error, KeyboardInterrupt):  # outside a run
        return {"kind": "Cancelled", "message": "Interrupted.", "exit_code": 130}
    if isinstance(error, typer.exceptions.TyperException) and hasattr(error, "format_message"):
        return {
            "kind": "UsageError",
            # A choice that is none comes as what Python calls the trouble of pydantic.
            "message": str(error.format_message()).replace(": Value error, ", ": "),
            "hint": _usage(error),
            "exit_code": 2,
        }
    if isinstance(error, OSError) and error.errno in _FULL:
        return {
            "message": f"{error.filename or 'The output'} cannot be written: {error.strerror}.",
            "hint": "Free some space, or send the output elsewhere.",
            "exit_code": TargetError.exit_code,
        }
    hint = "Run with --debug for the traceback."
    if isinstance(error, SystemExit):  # its number would mean something of ours, or success
        hint = "A flow ends when its function returns; raise an error to fail it."
    from taxietl.orchestrator.store.lines import described

    return {"message": described(error), "hint": hint, "exit_code": 1}


def _usage(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    if context is None:
        return "See `taxietl --help`."
    option = getattr(error, "option_name", "")
    if option in _BEFORE:
        return f"It goes before the command: taxietl {option} … {context.info_name} …"
    if option in _AFTER and context.parent is None:
        return f"It goes after the command: taxietl COMMAND … {option}"
    usage = " ".join(context.get_usage().split())
    return f"{usage}  See `{context.command_path} --help`."


def write_document(document: Mapping[str, Any], *, as_is: bool = False) -> None:
    """Write one JSON document to stdout; without secrets, unless it is data."""
    shown = document if as_is else masked_json(document, plain=plain)
    text = json.dumps(shown, default=plain, indent=2, ensure_ascii=False)
    _write(f"{visible_json(text)}\n")


def _write(text: str) -> None:
    with writing_to_stdout(), real_stdout():
        sys.stdout.write(text)


def without_secrets(value: Any) -> Any:
    """What a flow of the user's own returned, to be shown; a field named `password` is masked."""
    try:
        return masked_json(value, by_name=True, plain=plain)
    except RecursionError:  # it holds itself
        return f"<{type(value).__name__}>"


def plain(value: Any) -> Any:
    """What JSON does not know, as what it knows: dataclasses, dates, paths."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
