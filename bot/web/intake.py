"""Stores a verified webhook and wakes the stages that it concerns, in one transaction.

Decides which stages an event is about (by repository and branch, whatever the repository is called now); what they do then
is theirs. Webhooks that come together are stored together, in one order everywhere: two processes never wait for each other.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.adapters.store import hints as marks
from bot.adapters.store import inbox, presses
from bot.adapters.store.database import Database
from bot.adapters.store.inbox import Delivery, Receipt
from bot.adapters.store.promotions import read as read_promotions
from bot.adapters.store.wakeups import Wakeups
from bot.domain.errors import TransientError, UserError
from bot.domain.people import Person
from bot.domain.press import Press, check_name
from bot.web.group_commit import GroupCommit
from bot.web.hints import LISTENED_TO, Hints, is_echo

IGNORED = "ignored"
APART = timedelta(seconds=0.5)
"""An event has its stage looked at so long after the look before: one look at many events costs no more than a look at one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlace:
    """Where a stage is declared and which stages it comes after, as far as events are sorted by it."""

    name: str
    repository: str
    branch: str
    after: tuple[str, ...] = ()


class StageMap:
    """Which stages must look when something happens in a repository."""

    def __init__(self, stages: Iterable[StagePlace]) -> None:
        self._stages = tuple(stages)
        self._names = {stage.repository.lower(): stage.repository for stage in self._stages}

    def configured(self, repository: str) -> str | None:
        """The name under which the configuration knows the repository; None when it does not."""
        return self._names.get(repository.lower())

    def concerned(self, repository: str, branch: str | None) -> tuple[str, ...]:
        """The stages declared there (on that branch, where it is a stage's), and those that come directly after them."""
        here = [stage for stage in self._stages if stage.repository == repository]
        on_branch = [stage for stage in here if stage.branch == branch]
        first = {stage.name for stage in (on_branch or here)}
        return tuple(sorted(first | {stage.name for stage in self._stages if first & set(stage.after)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One webhook at the door."""

    source: str
    delivery: str
    hints: Hints
    body: bytes


@dataclass(slots=True)
class _Gathered:
    """What a group of webhooks leads to: stages to wake, and why; what must be read again; repositories seen under their numbers."""

    wanted: dict[str, str] = field(default_factory=dict)
    pulls: set[tuple[str, int]] = field(default_factory=set)
    pushed: set[str] = field(default_factory=set)
    seen: dict[int, str] = field(default_factory=dict)


class _TakenBack(Exception):
    """Ends a rehearsal."""


class Intake:
    """The inbox's door. `ours` is the login under which we write, once it is known."""

    def __init__(
        self, database: Database, wakeups: Wakeups, stages: StageMap, *, clock: Callable[[], datetime], ours: Callable[[], str]
    ) -> None:
        self._database = database
        self._wakeups = wakeups
        self._stages = stages
        self._clock = clock
        self._ours = ours
        self._known: dict[int, str] = {}
        self._door = GroupCommit(self._store)

    async def accept(self, source: str, delivery: str, hints: Hints, body: bytes) -> str:
        """Store and wake; the answer is accepted, again, duplicate, replay or ignored. `TransientError` without a database."""
        if hints.event not in LISTENED_TO or is_echo(hints, self._ours()):
            return IGNORED
        return await self._door.put(Arrival(source=source, delivery=delivery, hints=hints, body=body))

    def _store(self, arrivals: Sequence[Arrival]) -> list[str]:
        with self._database.write() as session:
            now, gathered = self._clock(), _Gathered()
            order = sorted(range(len(arrivals)), key=lambda place: arrivals[place].hints.repository)
            placed = {place: self._placed(session, arrivals[place], gathered) for place in order}
            known = [place for place in order if placed[place][0]]
            rows = [(_row(arrivals[place], placed[place][0], now=now), placed[place][1]) for place in known]
            receipts = dict(zip(known, inbox.receive_all(session, rows), strict=True))
            for place, receipt in receipts.items():
                if receipt in (Receipt.ACCEPTED, Receipt.AGAIN):
                    self._mark(session, arrivals[place], *placed[place], gathered, now=now)
            marks.want_pulls(session, gathered.pulls)
            marks.want_fetches(session, gathered.pushed)
            waits = self._wakeups.want_in(session, gathered.wanted, now=now, apart=APART)
        self._known |= gathered.seen
        self._wakeups.committed(waits)
        return [receipts[place].value if place in receipts else IGNORED for place in range(len(arrivals))]

    def _placed(self, session: Session, arrival: Arrival, gathered: _Gathered) -> tuple[str, tuple[str, ...]]:
        """The repository as the configuration names it, empty where it names none, and the stages that are concerned."""
        repository = self._repository(session, arrival.hints, gathered.seen) or ""
        return repository, self._stages.concerned(repository, arrival.hints.branch) if repository else ()

    def _mark(
        self, session: Session, arrival: Arrival, repository: str, stages: tuple[str, ...], gathered: _Gathered, *, now: datetime
    ) -> None:
        hints = arrival.hints
        numbers = {*hints.numbers, *self._with_head(session, hints.commit, stages)}
        gathered.pulls |= {(repository, number) for number in numbers}
        gathered.pushed |= {repository} if hints.pushed else set()
        _keep_press(session, arrival.delivery, repository, hints, stages, now=now)
        for stage in stages:
            gathered.wanted.setdefault(stage, f"{hints.event} {hints.action}".strip())

    def rehearse(self, stage: str) -> None:
        """Store an event that nobody sent, and take it back: the first that is sent waits for no statement to be built then.

        Where that cannot be done now, the first waits.
        """
        arrival = Arrival(source="rehearsal", delivery="-", hints=Hints(event="push"), body=b"")
        with suppress(_TakenBack, TransientError, UserError, SQLAlchemyError), self._database.write() as session:
            now = self._clock()
            inbox.receive_all(session, [(_row(arrival, "", now=now), [stage])])
            marks.want_pulls(session, [("", 0)])
            marks.want_fetches(session, [""])
            self._wakeups.want_in(session, {stage: "rehearsal"}, now=now)
            raise _TakenBack

    def retry(self, delivery: str) -> inbox.StoredDelivery | None:
        """Take a delivery up again; None when it is not known."""
        return retry(self._database, self._wakeups, delivery, now=self._clock())

    def _repository(self, session: Session, hints: Hints, seen: dict[int, str]) -> str | None:
        """The configured name: by the name in the event, else by the number under which it was seen before it was renamed."""
        configured = self._stages.configured(hints.repository)
        number = hints.repository_id
        if configured is None:
            known = None if number is None else (self._known.get(number) or marks.known_repository(session, number))
            return None if known is None else self._stages.configured(known)
        if number is not None and self._known.get(number) != configured:
            marks.remember_repository(session, number, configured)
            seen[number] = configured
        return configured

    def _with_head(self, session: Session, commit: str, stages: Sequence[str]) -> set[int]:
        """Pull requests of ours whose head is this commit: a commit status names no pull request."""
        if not commit:
            return set()
        found = [promotion for stage in stages for promotion in read_promotions(session, stage)]
        return {promotion.number for promotion in found if promotion.head == commit and promotion.number is not None}


def _row(arrival: Arrival, repository: str, *, now: datetime) -> Delivery:
    hints = arrival.hints
    return Delivery(
        source=arrival.source,
        delivery=arrival.delivery,
        event=hints.event,
        action=hints.action,
        repository=repository,
        number=hints.numbers[0] if hints.numbers else None,
        sender=hints.sender,
        meaning=sha256(hints.event.encode() + b"\0" + arrival.body + _twice(hints, arrival.delivery)).hexdigest(),
        received_at=now,
    )


def _twice(hints: Hints, delivery: str) -> bytes:
    """A button that is pressed again may say to the letter what the press before it said: only its delivery tells them apart."""
    return b"\0" + delivery.encode() if hints.button else b""


def _keep_press(session: Session, delivery: str, repository: str, hints: Hints, stages: Sequence[str], *, now: datetime) -> None:
    """What was pressed on a check of these stages: an order, and so kept like one until the stage's run has taken it."""
    if not hints.button or not hints.sender or hints.sender_id is None:
        return
    press = Press(
        key=delivery,
        repository=repository,
        button=hints.button,
        actor=Person(id=hints.sender_id, login=hints.sender, bot=hints.sender_is_bot),
        at=now,
        app=hints.app,
        head=hints.commit,
        check=hints.check,
        number=hints.numbers[0] if hints.numbers else None,
    )
    for stage in stages:
        if hints.check in ("", check_name(stage)):
            presses.keep(session, press, stage)


def retry(database: Database, wakeups: Wakeups, delivery: str, *, now: datetime) -> inbox.StoredDelivery | None:
    """Take a delivery up again and wake its stages; None when it is not known."""
    with database.write() as session:
        found = inbox.retry(session, delivery)
        reasons = dict.fromkeys(found.stages if found is not None else (), "retried by hand")
        waits = wakeups.want_in(session, reasons, now=now)
    wakeups.committed(waits)
    return found
