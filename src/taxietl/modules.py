"""Load Python of the user's own: a file, or a module by its dotted name.

What is wrong with it is told with its line: nobody wants the importer's own frames.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType

from taxietl.errors import Cancelled, ConfigError, TaxietlError


class UserCodeError(TaxietlError):
    """A file or module is there, and cannot be loaded: a fault in its own code."""

    def __init__(self, where: str, line: int | None, problem: str, *, hint: str = "") -> None:
        self.where, self.line = where, line
        at = f"line {line}: " if line else ""
        super().__init__(
            f"{where} cannot be loaded: {at}{problem.rstrip('.')}.",
            hint=hint or "Run with --debug for the traceback.",
        )


def load_module(
    where: str,
    *,
    name: str,
    folder: Path | None = None,
    around: AbstractContextManager[object] | None = None,
) -> ModuleType:
    """The module of a file or of a dotted name, newly loaded if it is a file.

    Args:
        where: `flows.py`, or `package.module`.
        name: what is wanted of it, as the help calls it: `FLOW`.
        folder: where modules are looked for first; left out, the working directory.
        around: entered while the module's own code runs.

    Raises:
        ConfigError: there is none.
        UserCodeError: it has a fault.
    """
    forms = _forms(name)
    path = Path(where)
    is_dotted = all(part.isidentifier() for part in where.split("."))
    if path.suffix == ".py" or path.is_file() or (where and path.is_dir() and not is_dotted):
        return _from_file(path, name, around)
    if not is_dotted:
        raise ConfigError(f"There is no file or module {where!r}.", hint=forms)
    _look_in(folder or Path.cwd())
    with _loading(where, around):
        try:
            return importlib.import_module(where)
        except ModuleNotFoundError as error:
            if error.name and f"{where}.".startswith(f"{error.name}."):
                raise ConfigError(
                    f"There is no module {error.name!r}.",
                    hint=f"{forms} Modules are looked for in the working directory, too.",
                ) from error
            raise


def refuse_missing(path: Path, *, name: str) -> None:
    """ConfigError, with a guess, unless that file is there; `name` as for `load_module`."""
    forms = _forms(name)
    if path.is_dir():
        raise ConfigError(f"{path} is a folder.", hint=forms)
    if not path.is_file():
        siblings = [each.name for each in path.parent.glob("*.py")]
        close = difflib.get_close_matches(path.name, siblings, n=1)
        guess = f"Did you mean {path.with_name(close[0])}? " if close else ""
        raise ConfigError(f"There is no file {path}.", hint=f"{guess}{forms}")
    if path.suffix != ".py":
        raise ConfigError(f"{path} is no Python file.", hint=forms)


def _from_file(
    path: Path, wanted: str, around: AbstractContextManager[object] | None
) -> ModuleType:
    refuse_missing(path, name=wanted)
    path = path.resolve()
    name = _free_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    _look_in(path.parent)
    sys.modules[name] = module  # dataclasses and pydantic look types up there
    try:
        with _loading(path.name, around):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _free_name(path: Path) -> str:
    """The file's own name; another one where that is a module of somebody else's."""
    name = path.stem.replace(".", "_")
    known = sys.modules.get(name)
    is_free = known is None or getattr(known, "__file__", None) == str(path)
    return name if is_free and name not in sys.stdlib_module_names else f"taxietl_user_{name}"


def _look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@contextmanager
def _loading(where: str, around: AbstractContextManager[object] | None) -> Iterator[None]:
    """Say of whatever is raised while a module is loaded where in it that was."""
    try:
        with around or nullcontext():
            yield
    except (TaxietlError, Cancelled, KeyboardInterrupt):
        raise
    except SyntaxError as error:
        name = Path(error.filename).name if error.filename else where
        raise UserCodeError(name, error.lineno, error.msg) from error
    except SystemExit as error:
        raise UserCodeError(
            where,
            _line(error),
            "it ends the process",
            hint='Put what is for scripts only under `if __name__ == "__main__":`.',
        ) from error
    except ModuleNotFoundError as error:
        hint = f"Install what it needs into the environment of taxietl, {sys.prefix}."
        if (error.name or "").startswith("taxietl."):
            hint = "taxietl has none of that name; docs/from-prefect.md says what there is instead."
        raise UserCodeError(where, _line(error), str(error), hint=hint) from error
    except Exception as error:
        raise UserCodeError(where, _line(error), f"{type(error).__name__}: {error}") from error


def _line(error: BaseException) -> int | None:
    """The line of the user's module that was under way: the first that is not the importer's."""
    for frame in traceback.extract_tb(error.__traceback__):
        is_importer = frame.filename.startswith("<frozen ") or "importlib" in frame.filename
        if frame.filename != __file__ and not is_importer:
            return frame.lineno
    return None


def _forms(name: str) -> str:
    return f"Write FILE.py:{name} or MODULE:{name}."
