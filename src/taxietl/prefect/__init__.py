"""Prefect's words for whoever has flows of Prefect's: the line of the import changes, no other.

    from taxietl.prefect import flow, task          # was: from prefect import flow, task

Each word is translated into the one that `taxietl.orchestrator` has for it, which runs everything;
a plain flow imports nothing from here. What Prefect has and taxietl has not is refused where it is
written, by a sentence that names what there is instead. Modules are called as Prefect's, so that
`from prefect.tasks import task_input_hash` changes in the same way; docs/from-prefect.md has the
few things that are not the same.
"""

from taxietl.prefect import runtime
from taxietl.prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from taxietl.prefect.blocks.system import Secret
from taxietl.prefect.context import (
    PrefectFuture,
    State,
    allow_failure,
    get_run_logger,
    tags,
    unmapped,
)
from taxietl.prefect.deployments import (
    Deployment,
    deploy,
    pause_flow_run,
    serve,
    suspend_flow_run,
)
from taxietl.prefect.flows import Flow, flow
from taxietl.prefect.futures import as_completed, wait
from taxietl.prefect.gcp import GcpCredentials, GcsBucket
from taxietl.prefect.sqlalchemy import SqlAlchemyConnector
from taxietl.prefect.states import Cancelled, Completed, Crashed, Failed
from taxietl.prefect.task_runners import (
    ConcurrentTaskRunner,
    DaskTaskRunner,
    RayTaskRunner,
    SequentialTaskRunner,
    ThreadPoolTaskRunner,
)
from taxietl.prefect.tasks import Task, exponential_backoff, task, task_input_hash
from taxietl.prefect.variables import Variable

__all__ = [
    "Cancelled",
    "Completed",
    "ConcurrentTaskRunner",
    "Crashed",
    "DaskTaskRunner",
    "Deployment",
    "Failed",
    "Flow",
    "GcpCredentials",
    "GcsBucket",
    "PrefectFuture",
    "RayTaskRunner",
    "Secret",
    "SequentialTaskRunner",
    "SqlAlchemyConnector",
    "State",
    "Task",
    "ThreadPoolTaskRunner",
    "Variable",
    "allow_failure",
    "as_completed",
    "create_image_artifact",
    "create_link_artifact",
    "create_markdown_artifact",
    "create_table_artifact",
    "deploy",
    "exponential_backoff",
    "flow",
    "get_run_logger",
    "pause_flow_run",
    "runtime",
    "serve",
    "suspend_flow_run",
    "tags",
    "task",
    "task_input_hash",
    "unmapped",
    "wait",
]
