"""Options that people know from Prefect and that are something else here: which, in a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from taxietl.errors import ConfigError

_RESULTS = (
    "Results are kept as JSON in the history, files by their fingerprint; persist_result=False"
    " on a task keeps none."
)
_BOTH = {
    "cache_result_in_memory": _RESULTS,
    "description": "Write a docstring.",
    "on_cancellation": "Write on_cancel=[…]; a hook gets one argument, the run.",
    "on_crashed": "Write on_crash=[…]; a hook gets one argument, the run.",
    "on_running": "Do it at the beginning of the function itself.",
    "retry_condition_fn": "Write retry_if=function with a function of the error.",
    "retry_jitter_factor": "Write retry=Retry(on=…, jitter=0.5).",
    "result_serializer": _RESULTS,
    "result_storage": _RESULTS,
    "result_storage_key": _RESULTS,
}
_OF_TASKS = _BOTH | {
    "asset_deps": "There are no assets: return the path of the file that was made.",
    "cache_expiration": "Write cache=Cache(expires=timedelta(…)).",
    "cache_key_fn": "Write cache=Cache(), or Cache(key=function) with a function of the arguments.",
    "cache_policy": "Write cache=Cache(): its key is function, code or version=, and arguments.",
    "flow_run_name": 'Write run_name="{color}-{month}", on the flow.',
    "on_commit": "There are no transactions: write beside and rename, in the task itself.",
    "on_rollback": "There are no transactions: write beside and rename, in the task itself.",
    "refresh_cache": "Write cache=Cache(refresh=True).",
    "task_run_name": 'Write run_name="{color}-{month}".',
    "validate_parameters": "Only a flow's parameters are checked, always.",
    "viz_return_value": "`taxietl runs show NAME` shows the tree of a run.",
}
_ON_TASKS = "Put it on the flow's tasks."
_OF_FLOWS = _BOTH | {
    "cache": _ON_TASKS,
    "flow_run_name": 'Write run_name="{color}-{month}".',
    "isolate": _ON_TASKS,
    "persist_result": "What a flow returns is kept with the history if it has a JSON form.",
    "tags": "A tag is for limits: put it on the flow's tasks, or write `with tags(…):` in it.",
    "task_runner": "`.submit()` runs a task in a thread; Engine(workers=…) limits how many.",
    "validate_parameters": "A flow's parameters are always checked.",
    "version": "The history keeps the SHA-256 of the flow's file; a task has version=.",
}


def refuse_options(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse options that `@task` or `@flow` does not have.

    Args:
        kind: "task" or "flow".
        given: the names of the options that it was given.
        known: those that it has.

    Raises:
        ConfigError: there is one; the hint names ours.
    """
    ours: Mapping[str, str] = _OF_TASKS if kind == "task" else _OF_FLOWS
    names = sorted(known)
    for option in given:
        if option in names:
            continue
        close = difflib.get_close_matches(option, names, n=1)
        guess = f"Did you mean {close[0]}=? " if close else ""
        raise ConfigError(
            f"@{kind} has no {option}=.",
            hint=ours.get(option) or f"{guess}It has {', '.join(f'{each}=' for each in names)}.",
        )
