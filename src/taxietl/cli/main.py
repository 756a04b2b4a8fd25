"""The entry point: the only place that turns an error into `error:`, `hint:` and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from taxietl.cli.environment import check_environment
from taxietl.cli.stderr import choose_log_format, show_python_warnings, show_stray_errors
from taxietl.cli.streams import open_closed_streams, writing_to_stdout
from taxietl.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def entry() -> None:
    """Run the command line of this process, and end it."""
    show_stray_errors()
    if "run" not in sys.argv:
        # Nothing of ours computes with matrices. NumPy's library would set up a thread and its
        # memory for each processor, and where it may not have them, interrupt the process.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = main()
    if "run" in sys.argv:  # a flow of the user's own may have things to do at exit
        if "--json" in sys.argv:  # and to say, which is no part of the document
            with suppress(OSError, ValueError):
                os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        sys.exit(code)
    with suppress(OSError, ValueError):  # nobody listens any more
        sys.stderr.flush()
    # Taking Arrow and DuckDB apart, and giving back memory piece by piece, would take 0.1 s.
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # What comes after `--` is another command's.
    own = given[: given.index("--")] if "--" in given else given
    open_closed_streams()
    choose_log_format(own)
    show_python_warnings()
    code = _told(lambda: _done(given), own)
    # What the command left in the buffer may be all that it had to say.
    lost = _told(_flush, own)
    return code or lost


def _done(given: Sequence[str]) -> int:
    """Carry the command line out; raises what went wrong."""
    if not given and "_TAXIETL_COMPLETE" in os.environ:  # a shell asks, at TAB
        from taxietl.cli.completion import answer

        return answer(os.environ)
    if given == ["--version"]:  # without the 0.1 s that the whole command line costs
        from taxietl.version import __version__

        with writing_to_stdout():
            sys.stdout.write(f"taxietl {__version__}\n")
        return 0
    check_environment(given)
    # Imports make objects that stay; looking for garbage among them is a tenth of a short run.
    gc.set_threshold(50_000)
    from taxietl.cli.app import run

    returned = run(given)
    return returned if isinstance(returned, int) else 0


def _flush() -> int:
    with suppress(ValueError), writing_to_stdout():  # a user's flow may have closed it
        sys.stdout.flush()
    return 0


def _told(act: Callable[[], int], given: Sequence[str]) -> int:
    """The exit code of an act; what it raises is told to the user."""
    try:
        return act()
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; the run itself is done.
        sys.stderr.close()
        return 0
    except BaseException as error:  # noqa: BLE001  told to the user, whatever it is
        return _reported(error, given)


def _reported(error: BaseException, given: Sequence[str]) -> int:
    """Say what went wrong, on stderr and, under --json, as the one document on stdout."""
    from taxietl.cli.output import describe_error, write_document
    from taxietl.cli.stderr import say_error, warn

    document = describe_error(error)
    if not document["message"]:  # the help was asked for by naming no command, and printed
        return int(document["exit_code"])
    if "--json" in given:
        with suppress(OSError, TargetError):  # stdout may be what went wrong
            write_document({"error": document, "exit_code": document["exit_code"]})
    for warning in document["warnings"]:
        warn(warning)
    trace = ""
    if "--debug" in given:
        import traceback

        trace = "".join(traceback.format_exception(error))
    say_error(document["message"], document["hint"], trace)
    return int(document["exit_code"])
