"""Rules over pandas frames as transformers: `@pandas_transformer` on a function or a class."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from taxietl.errors import ConfigError
from taxietl.tlc.datasets import Dataset

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Class = TypeVar("Class", bound=type)


@overload
def pandas_transformer(rule: Class, /) -> Class: ...  # type: ignore[overload-overlap]
@overload
def pandas_transformer(rule: Callable[..., pd.DataFrame], /) -> FrameRule: ...
def pandas_transformer(rule: Any, /) -> Any:
    """Make a transformer of a rule that takes a frame and gives one back.

    The frame has the dataset's columns with Arrow-backed types, and holds some thousands of the
    month's rows at a time. The rule may drop rows and change values; columns stay as they are.

    Args:
        rule: `(trips, dataset, *, options…) -> frame`, or a class with a method `transform` of
            `(self, trips, dataset)`, its options being those of `__init__`. What has no
            attribute `version` gets the digest of its source text as one.

    Raises:
        ConfigError: there is no source text, and no version either.
    """
    if not isinstance(rule, type):
        return FrameRule(rule)
    over_frames = rule.transform  # type: ignore[attr-defined]

    @functools.wraps(over_frames)
    def transform(self: Any, batch: pa.RecordBatch, dataset: Dataset) -> pa.RecordBatch:
        return _by_frame(batch, lambda trips: over_frames(self, trips, dataset))

    rule.transform = transform  # type: ignore[attr-defined]
    if not hasattr(rule, "version"):
        rule.version = _version(rule)  # type: ignore[attr-defined]
    return rule


class FrameRule:
    """A function over frames; called with its options it makes a transformer."""

    def __init__(self, function: Callable[..., pd.DataFrame]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        parameters = list(inspect.signature(function).parameters.values())
        if [each.kind for each in parameters[:2]] != [inspect.Parameter.POSITIONAL_OR_KEYWORD] * 2:
            raise TypeError(f"{function.__name__} has to take (trips, dataset), then its options")
        options = parameters[2:]
        self.__signature__ = inspect.Signature(
            [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in options]
        )

    def __call__(self, **options: Any) -> _OfFunction:
        given = self.__signature__.bind(**options)
        given.apply_defaults()
        return _OfFunction(self.function, given.arguments)


class _OfFunction:
    """A function with its options set."""

    def __init__(self, function: Callable[..., pd.DataFrame], options: Mapping[str, Any]) -> None:
        self._function = function
        self.options = options
        self.version: str = getattr(function, "version", None) or _version(function)

    def transform(self, batch: pa.RecordBatch, dataset: Dataset) -> pa.RecordBatch:
        """See `protocols.Transformer.transform`."""
        return _by_frame(batch, lambda trips: self._function(trips, dataset, **self.options))


def _version(rule: Any) -> str:
    """What changes with the rule's own text; what it calls is not seen."""
    try:
        text = inspect.getsource(rule)
    except (OSError, TypeError) as error:
        raise ConfigError(
            f"The transformer {rule.__name__!r} does not say its version.",
            hint="Give it an attribute `version`, a text that changes with what it does.",
        ) from error
    return f"source {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _by_frame(
    batch: pa.RecordBatch, rule: Callable[[pd.DataFrame], pd.DataFrame]
) -> pa.RecordBatch:
    """The batch as the rule gives it back, in the batch's own types."""
    import pandas as pd
    import pyarrow as pa

    kept = rule(batch.to_pandas(types_mapper=pd.ArrowDtype))
    if not isinstance(kept, pd.DataFrame):
        raise TypeError(f"it returned {type(kept).__name__}, not a DataFrame")
    if list(kept.columns) != batch.schema.names:
        raise ValueError(f"it changed the columns{_difference(batch.schema.names, kept)}")
    arrays = []
    for field in batch.schema:
        try:
            arrays.append(pa.array(kept[field.name], field.type, from_pandas=True))
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise ValueError(f"it made {field.name} other than {field.type}: {error}") from error
    return pa.RecordBatch.from_arrays([_whole(each) for each in arrays], schema=batch.schema)


def _difference(names: Sequence[str], kept: pd.DataFrame) -> str:
    gone = [name for name in names if name not in kept.columns]
    new = [str(name) for name in kept.columns if name not in names]
    told = [f"{what} {', '.join(each)}" for what, each in (("no", gone), ("new", new)) if each]
    return f": {'; '.join(told)}" if told else ", their order"


def _whole(array: Any) -> pa.Array:
    """One array of what pandas may give in chunks."""
    import pyarrow as pa

    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
