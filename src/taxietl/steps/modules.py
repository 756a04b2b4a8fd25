"""Load code of the user's own, named as `FILE_OR_MODULE:NAME` on the command line."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from taxietl.errors import ConfigError


def load_module(where: str, *, name: str) -> ModuleType:
    """The module behind a file's path or a dotted name, looked for in the working folder, too.

    Args:
        where: `flows.py`, or `package.module`.
        name: what is wanted of it, as the help calls it: `FLOW`.

    Raises:
        ConfigError: there is none. What its own code raises comes out as it is.
    """
    path = Path(where).expanduser()
    if path.suffix != ".py":
        _look_in(Path.cwd())
        try:
            return importlib.import_module(where)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"There is no module {error.name!r}.",
                hint=f"Write FILE.py:{name} or MODULE:{name}; modules are looked for here, too.",
            ) from error
    if not path.is_file():
        raise ConfigError(
            f"There is no file {path}.", hint=f"Write FILE.py:{name} or MODULE:{name}."
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses and pydantic look types up there
    _look_in(path.resolve().parent)
    spec.loader.exec_module(module)
    return module


def _look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
