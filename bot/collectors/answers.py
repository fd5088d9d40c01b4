"""Answers to the gates' questions, with their ages: asked when due, kept while fresh, asked ever more rarely while they fail.

Decides when a question is asked again and for how long a run waits for it; a question whose answer is late is unknown until it is
there, so that one slow server holds nobody else up. What an answer holds is each asker's own.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from prometheus_client import Counter

from bot.domain.errors import TransientError, UserError
from bot.domain.facts import Answer, Question

log = structlog.get_logger("answers")

ASKED = Counter("promotion_bot_gate_questions_total", "Questions of gates that were asked of the outside.", ["source", "outcome"])

PATIENCE_SECONDS = 3.0
"""How long a run waits for answers that are not there yet; they go on being fetched and are there at the next look."""
LATE = timedelta(seconds=2)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
FORGET = timedelta(hours=1)
KEPT = 5_000
WORKERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an asker found, and after how long it should be asked again.

    `holds` is how long it may still be shown when asking again fails. `problem` says why there is no value, where the other side
    itself said so.
    """

    value: object
    fresh: timedelta
    holds: timedelta = timedelta(0)
    problem: str = ""


class Asker(Protocol):
    """Asks one kind of question. `before` is the value found last, or None. Raises `TransientError` or `UserError`."""

    source: str

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found: ...


@dataclass(slots=True)
class _Entry:
    wanted_at: datetime
    found: Found | None = None
    at: datetime | None = None
    due: datetime | None = None
    problem: str = ""
    since: datetime | None = None
    failures: int = 0
    running: Future[None] | None = field(default=None, repr=False)


class HeldAnswers:
    """One source's answers. Safe for several threads."""

    def __init__(self, asker: Asker, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.source = asker.source
        self._asker = asker
        self._patience = patience_seconds
        self._entries: dict[Question, _Entry] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix=f"ask-{asker.source}")

    def answer(self, questions: Sequence[Question], *, now: datetime) -> Mapping[Question, Answer]:
        """An answer for each question: what is known, after asking for what is due."""
        running = []
        with self._lock:
            self._forget(now)
            for question in questions:
                entry = self._entries.setdefault(question, _Entry(wanted_at=now))
                entry.wanted_at = now
                if entry.running is None and (entry.due is None or entry.due <= now):
                    entry.running = self._pool.submit(self._ask, question, entry, now)
                if entry.running is not None:
                    running.append(entry.running)
        if running:
            wait(running, timeout=self._patience)
        with self._lock:
            return {question: _answer(self._entries[question], now) for question in questions}

    def close(self) -> None:
        """Ask nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, question: Question, entry: _Entry, now: datetime) -> None:
        found: Found | None = None
        problem, pause = "", None
        try:
            found = self._asker.ask(dict(question.params), now=now, before=entry.found.value if entry.found else None)
        except TransientError as error:
            problem, pause = error.what, error.retry_after
        except UserError as error:
            told = not error.fix or error.fix in error.what
            problem = error.what if told else f"{error.what.rstrip('.')} ({error.fix})"
        except Exception as error:
            log.exception("answers.failed", source=self.source)
            problem = f"internal error ({type(error).__name__})"
        ASKED.labels(source=self.source, outcome="answered" if found is not None else "failed").inc()
        with self._lock:
            entry.running = None
            if found is not None:
                entry.found, entry.at, entry.due = found, now, now + found.fresh
                entry.problem, entry.since, entry.failures = "", None, 0
                return
            entry.failures += 1
            entry.problem, entry.since = problem, entry.since or now
            backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(entry.failures - 1, 10))
            entry.due = now + min(max(pause or backoff, FIRST_PAUSE), LONGEST_PAUSE)

    def _forget(self, now: datetime) -> None:
        if len(self._entries) < KEPT:
            return
        idle = [question for question, entry in self._entries.items() if entry.running is None and now - entry.wanted_at > FORGET]
        for question in idle:
            del self._entries[question]


def _answer(entry: _Entry, now: datetime) -> Answer:
    if entry.running is not None and (entry.found is None or entry.at is None or now >= entry.at + entry.found.fresh + entry.found.holds):
        return Answer(at=now, problem="the answer is still awaited", look_again=now + LATE)
    if entry.found is not None and entry.at is not None and (not entry.problem or now - entry.at < entry.found.fresh + entry.found.holds):
        return Answer(at=entry.at, value=entry.found.value, problem=entry.found.problem, look_again=entry.due)
    since = f", since {_clock(entry.since)}" if entry.since is not None and entry.since < now else ""
    last = f"; the last answer is from {_clock(entry.at)}" if entry.at is not None else ""
    return Answer(at=now, problem=f"{entry.problem.rstrip('.')}{since}{last}", look_again=entry.due)


def _clock(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else ""
