"""One stage's cluster: everything its followers learn, kept as the states of its workloads.

Decides when the stage counts as seen, and which changes are news. A thread per followed list waits for the API; nothing is asked
per service, and a change costs only the workload it belongs to. How objects stand is decided in `workloads`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, RLock, Thread
from typing import Any

from bot.adapters.kubernetes import access
from bot.adapters.kubernetes.api import Api
from bot.adapters.kubernetes.follower import SILENCE_SECONDS, Follower
from bot.adapters.kubernetes.kinds import KINDS, WORKLOADS, Kind
from bot.adapters.kubernetes.slim import lean
from bot.config.stage import Cluster
from bot.domain.errors import UserError
from bot.domain.replicas import WorkloadKey
from bot.domain.rollout import ClusterSnapshot, WorkloadRef, WorkloadState
from bot.workloads.cache import Cache
from bot.workloads.deciders import AUTOSCALERS, DECIDERS, called, ruled_by
from bot.workloads.describe import describe, gone, reference, until_rolled_out
from bot.workloads.family import Key
from bot.workloads.fields import items

GRACE = timedelta(seconds=15)
DEAF = timedelta(seconds=SILENCE_SECONDS + 15)
KEPT_CHANGES = 64
KEPT_GONE = 500
SOURCES = ("GitRepository", "OCIRepository")


@dataclass(slots=True)
class StageWatch:
    """The live picture of one stage. `notify` is called with the stage's name from a follower's thread, outside of the lock."""

    stage: str
    cluster: Cluster
    clock: Callable[[], datetime]
    notify: Callable[[str], None]
    api: Api
    stop: Event = field(default_factory=Event)
    lock: RLock = field(default_factory=RLock)
    cache: Cache = field(default_factory=Cache)
    states: dict[Key, WorkloadState] = field(default_factory=dict)
    timelines: dict[WorkloadRef, deque[WorkloadState]] = field(default_factory=dict)
    followers: list[Follower] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    ruled: dict[Key, tuple[WorkloadKey, ...]] = field(default_factory=dict)
    unlooked: set[Key] = field(default_factory=set)
    refusal: str = ""

    def start(self) -> None:
        """Begin to follow; returns at once."""
        for kind, namespace in wanted_lists(self.cluster):
            follower = Follower(api=self.api, kind=kind, namespace=namespace, sink=self, clock=self.clock, stop=self.stop, keep=lean)
            self.followers.append(follower)
            place = namespace or "all"
            self.threads.append(Thread(target=follower.run, name=f"{self.stage}:{kind.plural}:{place}", daemon=True))
        for thread in self.threads:
            thread.start()

    def close(self, timeout: float = 5.0) -> None:
        """Stop following and wait for the threads, `timeout` seconds each at most."""
        self.stop.set()
        for follower in self.followers:
            follower.close()
        for thread in self.threads:
            thread.join(timeout)

    def listed(self, kind: Kind, namespace: str | None, found: Iterable[dict[str, Any]], version: int | None) -> None:
        """A follower's whole list. What it concerns is looked at when somebody asks: at the start several lists concern the same."""
        with self.lock:
            tops, ruled = self.concerned(self.cache.listed(kind.kind, namespace, found, version))
            self.unlooked |= tops
        if tops or ruled:
            self.notify(self.stage)

    def event(self, kind: Kind, change: str, obj: dict[str, Any]) -> None:
        """A follower's watch event. The workload above is looked up before and after: a deletion cuts the link."""
        with self.lock:
            obj.setdefault("kind", kind.kind)
            key = (kind.kind, reference(obj).namespace, reference(obj).name)
            above = self.cache.family.tops(key)
            news = self.refresh(key, above) if self.cache.event(change, obj) else False
        if news:
            self.notify(self.stage)

    def renew(self) -> None:
        """The API does not take the token: read the credentials again (a projected token rotates)."""
        try:
            self.api.renew(access.configure(self.cluster))
        except UserError as error:
            with self.lock:
                self.refusal = f"{error.what}: {error.fix}"

    def woke(self) -> None:
        """What can be seen of the cluster changed."""
        self.notify(self.stage)

    def concerned(self, changed: set[Key]) -> tuple[set[Key], bool]:
        """The workloads that the changed objects belong to, and whether it is news whose replicas these objects decide."""
        tops: set[Key] = set()
        for key in changed:
            tops |= self.cache.family.tops(key) | {key} | self.cache.borrowers(key)
            if key[0] in SOURCES:
                tops |= set(self.cache.keys("Kustomization"))
        ruled = [self.rule(key) for key in changed if key[0] in DECIDERS]
        return {key for key in tops if key[0] in WORKLOADS}, any(ruled)

    def refresh(self, changed: Key, above: Iterable[Key]) -> bool:
        """Look at once at what one object belongs to, or belonged to; True when that is news."""
        tops, ruled = self.concerned({changed})
        tops |= {key for key in above if key[0] in WORKLOADS}
        self.unlooked -= tops
        looked = [self.look(key) for key in tops]
        return ruled or any(looked)

    def rule(self, key: Key) -> bool:
        """Whose replicas an object decides; True when that is news."""
        obj = self.cache.objects.get(key)
        before, now = self.ruled.pop(key, ()), ruled_by(obj) if obj is not None else ()
        if now:
            self.ruled[key] = now
        return before != now

    def look(self, key: Key) -> bool:
        """One workload's state anew; True when it is news."""
        now, before, obj = self.clock(), self.states.get(key), self.cache.objects.get(key)
        if obj is None:
            if before is None:
                return False
            del self.states[key]
            self.remember(gone(before.ref, at=now, reason=f"{before.ref} was deleted"), news=True)
            return True
        if owned(obj):
            return False
        related = self.cache.below(key)
        if key[0] == "Kustomization":
            related = related + list(self.cache.of(*SOURCES))
        state = until_rolled_out(describe(obj, related=related, at=now))
        news = before is None or essence(before) != essence(state)
        self.states[key] = state
        self.remember(state, news=news)
        return news

    def remember(self, state: WorkloadState, *, news: bool) -> None:
        """Write the timeline on: a new entry for news, else only fresher words on the last one."""
        line = self.timelines.setdefault(state.ref, deque(maxlen=KEPT_CHANGES))
        if news or not line:
            line.append(state)
        elif line[-1].reason != state.reason:
            kept = line.pop()
            line.append(state.__class__(**{**fields_of(state), "observed_at": kept.observed_at}))
        while len(self.timelines) > len(self.states) + KEPT_GONE:
            dead = next(ref for ref, line in self.timelines.items() if not line[-1].uid)
            del self.timelines[dead]

    def snapshot(self) -> ClusterSnapshot:
        """What is known now; no request is made."""
        now = self.clock()
        problem, since = self.trouble(now)
        blind, why = self.blind(now)
        with self.lock:
            for key in tuple(self.unlooked):
                self.look(key)
                self.unlooked.discard(key)
            return ClusterSnapshot(
                at=since or now,
                reachable=not problem,
                problem=problem,
                workloads=tuple(sorted(self.states.values(), key=lambda state: state.ref)),
                timelines={ref: tuple(line) for ref, line in self.timelines.items()},
                deciders=None if blind else {target: called(*key) for key, targets in self.ruled.items() for target in targets},
                deciders_problem=why,
            )

    def blind(self, now: datetime) -> tuple[bool, str]:
        """Whether nobody can tell yet which workloads an autoscaler owns, and what stands in the way (empty before the first answers)."""
        out_of_sight = [one for one in self.followers if one.kind.kind in AUTOSCALERS and unseen(one, now)[0]]
        told = next((unseen(one, now)[0] for one in out_of_sight if one.listed_once or one.problem), "")
        return bool(out_of_sight), told

    def trouble(self, now: datetime) -> tuple[str, datetime | None]:
        """Why the stage does not count as seen, and since when; empty when it does."""
        if self.refusal:
            return f"stage {self.stage}: {self.refusal}", None
        agents = [follower for follower in self.followers if follower.kind.agent]
        for follower in self.followers:
            if follower.kind.essential or follower.kind.agent:
                told, since = unseen(follower, now)
                if told:
                    return f"stage {self.stage}: {told}", since
        if agents and all(follower.absent for follower in agents):
            what = f"its agent is {self.cluster.agent}, but the cluster serves none of its kinds; install it or change cluster.agent"
            return f"stage {self.stage}: {what}", None
        return "", None

    def remarks(self) -> list[str]:
        """What is missing without making the stage unseen: rules for kinds that only add words."""
        return [follower.problem for follower in self.followers if follower.problem and not follower.kind.essential]


def unseen(follower: Follower, now: datetime) -> tuple[str, datetime | None]:
    """Why a follower's list does not count as seen, and since when. A short trouble is no reason: the last word stands."""
    told, since, heard = follower.problem, follower.problem_since, follower.good_at
    if not follower.listed_once:
        return told or f"{follower.kind.resource} were not listed yet", since
    if told and since is not None and now - since >= GRACE:
        return f"since {since:%Y-%m-%d %H:%M:%S} UTC {told}", since
    if heard is not None and now - heard > DEAF and not follower.absent:
        return f"nothing was heard of {follower.kind.resource} since {heard:%Y-%m-%d %H:%M:%S} UTC", heard
    return "", None


def wanted_lists(cluster: Cluster) -> Iterator[tuple[Kind, str | None]]:
    """Which lists are followed: each kind once, in all namespaces or in each of the stage's, and the agent's own places."""
    for kind in KINDS:
        if kind.agent and kind.agent != cluster.agent:
            continue
        spaces: tuple[str, ...] = cluster.namespaces
        if kind.agent:
            spaces = tuple(dict.fromkeys(cluster.agent_namespaces or cluster.namespaces))
        for namespace in spaces or (None,):
            yield kind, namespace


def essence(state: WorkloadState) -> tuple[object, ...]:
    """What of a state is news; fresher words alone are not (a back-off counts its seconds)."""
    return (state.state, state.images, state.uid, state.generation, state.rolled_out, state.restarts, state.revision, state.replicas)


def fields_of(state: WorkloadState) -> dict[str, Any]:
    """A state's fields by name."""
    return {name: getattr(state, name) for name in state.__slots__}


def owned(obj: dict[str, Any]) -> bool:
    """Whether a controller made the object; then it is judged through its maker."""
    return any(entry.get("controller") is True for entry in items(obj, "metadata", "ownerReferences"))
