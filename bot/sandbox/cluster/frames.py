"""What one container does over time: a film of frames, each with the moment it begins.

Decides states, restarts and back-off for a behaviour; pure, in seconds after the container's first start. Real
kubelets alternate between states (Error, running, CrashLoopBackOff; ErrImagePull, ImagePullBackOff): so does this.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.sandbox.cluster.images import Behaviour

READY_AFTER = 0.5
BACKOFF_CAP = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run of the container that is over: offsets in seconds and the exit code."""

    started: float
    finished: float
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The container between two changes. `state` is running, waiting or terminated."""

    state: str
    reason: str = ""
    ready: bool = False
    restarts: int = 0
    started: float = 0.0
    ended: Ended | None = None
    before: Ended | None = None
    delay: float = 0.0


Film = Iterator[tuple[float, Frame]]


def film(behaviour: Behaviour, unit: float, *, finite: bool, restarts: bool) -> Film:
    """The frames of a container. `unit`: seconds a pod needs to become ready; `finite`: it is meant to end (a Job, an
    init container); `restarts`: the kubelet starts it again after a failure."""
    match behaviour.name:
        case "pull":
            return _pull(unit)
        case "hang":
            return iter([(0.0, Frame(state="running"))])
        case "crash":
            return _crash(0.0, 0.3 * unit, unit, restarts=restarts)
        case "bad_later" if not finite:
            return _bad_later(behaviour.seconds, unit)
        case _:
            return _fine(unit, finite=finite)


def at(frames: Film, age: float) -> tuple[Frame, float | None]:
    """The frame that shows at an age, and the age at which the next one begins (None: never)."""
    _, shown = next(frames)
    for begins, frame in frames:
        if begins > age:
            return shown, begins
        shown = frame
    return shown, None


def _fine(unit: float, *, finite: bool) -> Film:
    yield 0.0, Frame(state="running", ready=False)
    if finite:
        ended = Ended(started=0.0, finished=0.7 * unit, code=0)
        yield ended.finished, Frame(state="terminated", reason="Completed", ended=ended)
        return
    yield READY_AFTER * unit, Frame(state="running", ready=True)


def _bad_later(healthy: float, unit: float) -> Film:
    yield 0.0, Frame(state="running", ready=False)
    yield READY_AFTER * unit, Frame(state="running", ready=True)
    yield from _crash(0.0, READY_AFTER * unit + healthy, unit, restarts=True, shown=True)


def _crash(start: float, lasts: float, unit: float, *, restarts: bool, shown: bool = False) -> Film:
    count, before = 0, None
    while True:
        if not shown:
            yield start, Frame(state="running", restarts=count, started=start, before=before)
        shown = False
        ended = Ended(started=start, finished=start + lasts, code=1)
        yield ended.finished, Frame(state="terminated", reason="Error", restarts=count, ended=ended, before=before)
        if not restarts:
            return
        start, lasts = ended.finished + 0.2 * unit, 0.3 * unit
        if count:
            delay = min(unit * 2.0 ** min(count - 1, 10), BACKOFF_CAP * unit)
            waiting = Frame(state="waiting", reason="CrashLoopBackOff", restarts=count, before=ended, delay=delay)
            yield start, waiting
            start += delay
        count, before = count + 1, ended


def _pull(unit: float) -> Film:
    start, delay = 0.0, unit
    while True:
        yield start, Frame(state="waiting", reason="ErrImagePull")
        yield start + 0.3 * unit, Frame(state="waiting", reason="ImagePullBackOff", delay=delay)
        start += 0.3 * unit + delay
        delay = min(delay * 2, BACKOFF_CAP * unit)
