"""Watches registries for new versions and keeps what came; wakes the pipeline's first stages when something did.

Decides when a registry is asked (each watch in its own rhythm, sooner on a hint, ever more rarely while it fails). Which tag is meant
is `planning.picking`'s word, what becomes of it that of the plan: an arrival is a fact, and not an order.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.config.artifacts import Watch
from bot.config.schema import Config
from bot.domain.arrival import Arrival
from bot.domain.errors import TransientError, UserError
from bot.domain.image import ImageRef, Version
from bot.messages.words import instant
from bot.planning.picking import pick

log = structlog.get_logger("artifacts")

STEP_SECONDS = 0.5
LONGEST_PAUSE = timedelta(hours=1)
SHOWN_TAGS = 20
HINTS_APART = timedelta(seconds=5)
"""A registry is asked no sooner after the last time, however many hints come."""


class RegistryReader(Protocol):
    """What a registry says of an image. Raises `TransientError` or `UserError`."""

    def tags(self, image: str) -> tuple[str, ...]:
        """All tags of the OCI grammar."""
        ...

    def digest(self, image: str, tag: str) -> str | None:
        """The digest of what the tag names now; None when it names nothing."""
        ...

    def built(self, image: str, tag: str) -> datetime | None:
        """When it was built, where it says so."""
        ...


class Arrivals(Protocol):
    """Who keeps the newest arrival of each artifact."""

    def newest(self) -> Mapping[str, Arrival]: ...

    def add(self, arrival: Arrival) -> bool: ...


@dataclass(slots=True)
class _Standing:
    watch: Watch
    asked_at: datetime | None = None
    due: datetime | None = None
    failures: int = 0
    problem: str = ""
    since: datetime | None = None


class RegistryWatch:
    """The watches of a configuration. Safe for several threads; `poll` is called again and again by one."""

    def __init__(
        self,
        config: Config,
        reader: RegistryReader,
        arrivals: Arrivals,
        *,
        wake: Callable[[str, str], None],
        charts: RegistryReader | None = None,
        board: MutableMapping[str, str] | None = None,
    ) -> None:
        """`wake` is called with a stage and why. `charts` reads Helm repositories, for the watches that name one. On `board` stands why a
        watched image's newest version is not known, for whoever plans."""
        self._board = board if board is not None else {}
        self._charts = charts or reader
        self._stages = first_stages(config)
        self._reader = reader
        self._arrivals = arrivals
        self._wake = wake
        self._odd: dict[str, tuple[str, ...]] = {}
        self._watches = [_Standing(watch=watch) for watch in config.artifacts.watch]
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, clock: Callable[[], datetime]) -> None:
        """Poll in the background, in a thread of its own: registries may be slow. Nothing to do without a watch."""
        if self._watches:
            self._stop.clear()
            self._thread = threading.Thread(target=self._loop, args=(clock,), name="registry-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask no more; what is being asked may still end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _loop(self, clock: Callable[[], datetime]) -> None:
        while not self._stop.wait(STEP_SECONDS):
            try:
                self.poll(clock())
            except Exception:
                log.exception("artifacts.failed")

    def problems(self) -> Mapping[str, str]:
        """Why a watched image's newest version is not known, by image."""
        with self._lock:
            return {standing.watch.image: standing.problem for standing in self._watches if standing.problem}

    def unasked(self) -> tuple[str, ...]:
        """The watched images that nobody has asked about yet."""
        with self._lock:
            return tuple(standing.watch.image for standing in self._watches if standing.asked_at is None)

    def hint(self, texts: Iterable[str], *, now: datetime) -> int:
        """Somebody says that something was pushed: every watch whose repository is named is due. How many that are."""
        named = {text.lower() for text in texts}
        found = 0
        with self._lock:
            for standing in self._watches:
                if _names(standing.watch.image) & named:
                    found += 1
                    soonest = standing.asked_at + HINTS_APART if standing.asked_at is not None else now
                    standing.due = min(standing.due or now, max(now, soonest))
        return found

    def poll(self, now: datetime) -> None:
        """Ask for what is due; a watch that fails holds no other up."""
        with self._lock:
            due = [standing for standing in self._watches if standing.due is None or standing.due <= now]
        for standing in due:
            if self._stop.is_set():
                return
            problem, pause = self._look(standing.watch, now)
            with self._lock:
                if problem and problem != standing.problem:
                    log.warning("artifacts.watch", image=standing.watch.image, reason=problem)
                changed = problem != standing.problem
                standing.failures = standing.failures + 1 if problem else 0
                slower = min(LONGEST_PAUSE, standing.watch.every * 2 ** min(standing.failures, 8))
                standing.problem, standing.asked_at = problem, now
                standing.due = now + (max(slower, pause) if problem else standing.watch.every)
            if changed:
                self._tell(standing, problem, now)

    def _passed_over(self, image: str, tags: tuple[str, ...]) -> None:
        """Say once which tags fit and are never chosen, because nobody can tell their order."""
        if tags != self._odd.get(image, ()):
            self._odd[image] = tags
            log.warning("artifacts.passed_over", image=image, tags=list(tags[:SHOWN_TAGS]), count=len(tags))

    def _tell(self, standing: _Standing, problem: str, now: datetime) -> None:
        """Put a new problem on the board, or take one off, and let the first stages say it. It stays told since when."""
        image = standing.watch.image
        standing.since = (standing.since or now) if problem else None
        if problem and standing.since is not None:
            known = self._arrivals.newest().get(image)
            last = f" The last one that is known is {known.version}, of {instant(known.at)}." if known is not None else ""
            self._board[image] = f"{problem.rstrip('.')} (since {instant(standing.since)}).{last}"
        else:
            self._board.pop(image, None)
        for stage in self._stages:
            self._wake(stage, f"new versions of {image}: {problem or 'known again'}")

    def _look(self, watch: Watch, now: datetime) -> tuple[str, timedelta]:
        """Why nothing can be said and how long to wait at least; empty when all is well."""
        reader = self._reader if watch.helm is None else self._charts
        try:
            tags = (watch.tag,) if watch.pick == "digest" else reader.tags(watch.image)
            picked = pick(watch, tags, built=lambda tag: reader.built(watch.image, tag))
            self._passed_over(watch.image, picked.passed_over)
            if picked.tag is None:
                return picked.problem, timedelta(0)
            known = self._arrivals.newest().get(watch.image)
            if watch.pick != "digest" and known is not None and known.version.tag == picked.tag and known.version.digest:
                return "", timedelta(0)
            digest = reader.digest(watch.image, picked.tag)
        except TransientError as error:
            return error.what, error.retry_after or timedelta(0)
        except UserError as error:
            return f"{error.what} {error.fix}".strip(), timedelta(0)
        if digest is None and watch.helm is None:
            return f"{watch.image}:{picked.tag} does not exist", timedelta(0)
        arrival = Arrival(artifact=watch.image, version=Version(tag=picked.tag, digest=digest), at=now, source="registry")
        keep(self._arrivals, arrival, self._stages, self._wake)
        return "", timedelta(0)


def keep(arrivals: Arrivals, arrival: Arrival, stages: Iterable[str], wake: Callable[[str, str], None]) -> bool:
    """Keep an arrival and wake these stages; False, and nobody is woken, when it was known."""
    if not arrivals.add(arrival):
        return False
    log.info("artifacts.arrived", artifact=arrival.artifact, version=str(arrival.version), source=arrival.source, by=arrival.by)
    for stage in stages:
        wake(stage, f"{arrival.artifact} {arrival.version} arrived")
    return True


def first_stages(config: Config) -> tuple[str, ...]:
    """Where versions enter: the stages that come after none."""
    return tuple(stage.name for stage in config.pipeline.stages if not stage.after)


def _names(image: str) -> frozenset[str]:
    """The spellings under which registries name an image's repository in their notices."""
    found = ImageRef.parse(image)
    if found is None:
        return frozenset({image.lower()})
    last = found.repository.rpartition("/")[2]
    return frozenset({image.lower(), found.repository.lower(), f"{found.registry}/{found.repository}".lower(), last.lower()})
