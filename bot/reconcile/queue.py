"""The durable queue: DBOS, with one partition per stage, in our own database.

Decides how DBOS is set up and spoken to; what a run does and when one is wanted is decided in `engine`. What was learnt
about DBOS (3.4) and is relied on here:

* `partition_concurrency=1` with `queue_partition_key` runs a stage in one place at a time, over all processes;
* `deduplication_id` would drop a wake-up that arrives during a run, so wake-ups are collapsed by our own mark instead;
* `enqueue_in_transaction` writes on any connection to the same database, so that mark and run commit together;
* a workflow that raises is over for good: ours never raises;
* a queue's worker (`queue_worker_thread`) waits between its looks on the event that ends it: ours is started here, on an event
  that a bell wakes, and it also releases delayed runs that are due. DBOS's own threads for that ask the database every second,
  whatever happens, and are ended: those for queues, schedules, delays and deadlines, of which nothing else is used here;
* DBOS is one per process: a process has one engine.
"""

import contextlib
import logging
import math
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, WorkflowStatusString
from dbos import DBOSPortableJSONSerializer as PlainJson
from dbos._error import DBOSException
from dbos._queue import Queue, queue_worker_thread

from bot.reconcile.bell import Bell, Ear

QUEUE = "stages"
WORKFLOW = "run-stage"
APPLICATION = "promotion-bot"
WORKFLOW_VERSION = "1"
"""Changes only when a run queued by an older program could not be run by this one."""

SCHEMA = "dbos"
WAITING = [WorkflowStatusString.ENQUEUED.value, WorkflowStatusString.PENDING.value]
ENDED = [WorkflowStatusString.SUCCESS.value, WorkflowStatusString.ERROR.value, WorkflowStatusString.CANCELLED.value]
PAGE = 500
IDLE_POLL_SECONDS = 5.0
"""Runs that this process enqueues are taken at once all the same: see `bell`."""
PACE_HOLDS_SECONDS = {True: 5.0, False: 60.0}
"""For so long after a wish for haste (or rest) the same wish is not made again: a busy bot would ask the database for the queue's pace
with each run."""
STOP_SECONDS = 10.0


class StageQueue:
    """One process's end of the queue. `run(stage, run id)` must not raise."""

    def __init__(self, engine: sa.Engine, *, workers: int, poll_seconds: float, bell: Bell) -> None:
        """`bell` is rung by whoever enqueued a run in this process."""
        self._engine = engine
        self._workers = workers
        self._poll = poll_seconds
        self._bell = bell
        self._ear: Ear | None = None
        self._worker: threading.Thread | None = None
        self._wish: tuple[bool, float] = (False, -math.inf)

    def start(self, executor: str, run: Callable[[str, str], None]) -> None:
        """Create DBOS's tables where they lack, register the queue, begin to take runs under this executor's name."""
        instance = DBOS(config=self._config(executor))
        _take_over_logging()

        def run_stage(stage: str) -> None:
            run(stage, DBOS.workflow_id or "")

        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(run_stage)
        DBOS.listen_queues([])
        DBOS.launch()
        _end_own_threads(instance)
        queue = DBOS.register_queue(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=self._workers,
            polling_interval_sec=self._poll,
            on_conflict="always_update",
        )
        self._wish = (False, -math.inf)
        self._ear = Ear(self._bell, gap=self._poll, release=partial(_release, instance), release_gap=IDLE_POLL_SECONDS)
        self._worker = threading.Thread(target=_listen, args=(self._ear, instance, queue), name="queue-worker", daemon=True)
        self._worker.start()

    def _config(self, executor: str) -> DBOSConfig:
        return DBOSConfig(
            name=APPLICATION,
            system_database_engine=self._engine,
            dbos_system_schema=SCHEMA,
            application_version=WORKFLOW_VERSION,
            executor_id=executor,
            enable_otlp=False,
            log_level="WARNING",
            console_log_level="ERROR",
            serializer=PlainJson(),
            use_listen_notify=False,
            max_executor_threads=self._workers + 4,
            notification_listener_polling_interval_sec=2.0,
        )

    def hurry(self, busy: bool) -> None:
        """Ask the database for runs often while there is work, and seldom while there is none: an idle bot costs next to nothing.

        The pace is the queue's, for all processes that share it: a run that another process enqueued while it was leaving may wait
        for `IDLE_POLL_SECONDS`.
        """
        wished, at = self._wish
        if wished == busy and monotonic() - at < PACE_HOLDS_SECONDS[busy]:
            return
        wanted = self._poll if busy else max(IDLE_POLL_SECONDS, self._poll)
        with contextlib.suppress(sa.exc.SQLAlchemyError, DBOSException):
            queue = DBOS.retrieve_queue(QUEUE)
            if queue is not None and queue.polling_interval_sec != wanted:
                queue.set_polling_interval_sec(wanted)
                self._bell.ring()
            self._wish = (busy, monotonic())

    def stop(self) -> None:
        """Take no more runs and close. Those under way are not waited for."""
        if self._ear is not None and self._worker is not None:
            self._ear.set()
            self._worker.join(timeout=STOP_SECONDS)
        DBOS.destroy(workflow_completion_timeout_sec=0, destroy_registry=True)

    def take_over(self, executor: str) -> list[str]:
        """Put a dead executor's runs back into the queue; the caller alone has claimed it. Their ids."""
        runs = sorted(run for run, holder in self.held().items() if holder == executor)
        self.put_back(runs)
        return runs

    def held(self) -> dict[str, str]:
        """Each run that was given to an executor and has not ended, and that executor's name."""
        found = DBOS.list_workflows(status=[WorkflowStatusString.PENDING.value], load_input=False, load_output=False)
        return {status.workflow_id: status.executor_id or "" for status in found}

    def put_back(self, runs: Sequence[str]) -> None:
        """Let somebody take these runs again."""
        if runs:
            DBOS.resume_workflows(list(runs), queue_name=QUEUE)

    def waiting(self) -> set[str]:
        """The stages for which a run is queued or under way. Delayed ones are left out: where a clock was set back, what is delayed may be
        so for long, and counts as lost after a while."""
        found = DBOS.list_workflows(status=WAITING, queue_name=QUEUE, load_input=False, load_output=False)
        return {status.queue_partition_key for status in found if status.queue_partition_key}

    def prune(self, *, before: datetime) -> int:
        """Forget runs that ended before an instant; how many."""
        total = 0
        while True:
            found = DBOS.list_workflows(
                status=ENDED, completed_before=before.astimezone(UTC).isoformat(), limit=PAGE, load_input=False, load_output=False
            )
            ids = [status.workflow_id for status in found]
            if ids:
                DBOS.delete_workflows(ids)
            total += len(ids)
            if len(ids) < PAGE:
                return total


def _listen(ear: Ear, instance: DBOS, queue: Queue) -> None:
    """A worker that ends is begun anew, as DBOS does with its own."""
    while not ear.is_set():
        try:
            queue_worker_thread(ear, instance, queue)
        except Exception:
            logging.getLogger("engine").exception("the queue's worker failed; it begins again")
        ear.wait(1.0)


def _end_own_threads(instance: DBOS) -> None:
    """DBOS ends these itself when it is closed; done now, they cost nothing while nothing happens."""
    for event in (*instance.background_thread_stop_events, instance._background_jobs_stop_event):
        event.set()


def _release(instance: DBOS) -> None:
    """Let the delayed runs that are due be taken. What cannot be done now is done with the next look."""
    try:
        instance._sys_db.transition_delayed_workflows()
    except Exception:
        logging.getLogger("engine").warning("delayed runs could not be released; that is tried again soon", exc_info=True)


def _take_over_logging() -> None:
    """DBOS brings a handler of its own; its lines go the way of all others instead, past the masking of secrets."""
    theirs = logging.getLogger("dbos")
    theirs.handlers = []
    theirs.propagate = True
    theirs.setLevel(logging.WARNING)


class Enqueuer:
    """Writes runs into the queue on a connection of the caller, in the caller's transaction. Needs no running queue, only its tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=engine,
            dbos_system_schema=SCHEMA,
            serializer=PlainJson(),
            application_name=APPLICATION,
            lazy=True,
        )

    def __call__(self, connection: sa.Connection, stage: str, run: str, wait_seconds: float) -> None:
        """One run of the stage, after a while; one with this id that is there already is that one."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "queue_partition_key": stage,
            "workflow_id": run,
            "app_version": WORKFLOW_VERSION,
        }
        if wait_seconds > 0:
            options["delay_seconds"] = wait_seconds
        self._client.enqueue_in_transaction(connection, options, stage)

    def close(self) -> None:
        self._client.destroy()
