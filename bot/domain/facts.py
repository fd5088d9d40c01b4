"""What was observed, frozen: the only thing that planning and gates may look at, beside the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.arrival import Arrival
from bot.domain.directive import Directive
from bot.domain.people import Approval, Person
from bot.domain.promotion import Move, Promotion
from bot.domain.pull import Check, PullRequest
from bot.domain.release import Release
from bot.domain.rollout import RolloutState, WorkloadRef, WorkloadState
from bot.domain.slot import Slot, SlotProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """A service as a stage's branch declares it: where its versions stand.

    `release` is None when slots of one component disagree (`ambiguous`). `components` says which component an artifact is
    (the same component may be another artifact in another stage). `problems` are those of the files its slots stand in.
    """

    service: str
    slots: tuple[Slot, ...]
    release: Release | None
    components: Mapping[str, str] = field(default_factory=dict)
    ambiguous: bool = False
    problems: tuple[SlotProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A service's rollout in a stage's cluster, for the release that git declares there.

    `since` is when this state began for this release, as recorded (UTC). `taken` is true when the cluster's workloads want what git
    declares; `running` are the image references it runs. `unknown` carries in `reason` why nothing can be said. `steady_since` is since
    when the release has been healthy here, short interruptions aside (None: it is not, or was interrupted for too long); `left_at` is
    when the present interruption began. `drift` says where the cluster wants other replicas than git declares, since `drift_since`;
    `remark` says so where nobody can tell whether that is an autoscaler's work.
    """

    service: str
    state: RolloutState
    release: Release | None
    since: datetime
    reason: str = ""
    taken: bool = False
    running: tuple[str, ...] = ()
    workloads: tuple[WorkloadState, ...] = ()
    steady_since: datetime | None = None
    left_at: datetime | None = None
    drift: str = ""
    drift_since: datetime | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """A stage as observed: its branch head and what stands in it, and its cluster.

    `problem` says why the repository could not be read now (then `services` are those of the last good read, or empty).
    `cluster_problem` says why the cluster could not be asked; then every health is unknown. `timelines` are the latest changes of
    each workload, oldest first.
    """

    stage: str
    head: str | None
    services: Mapping[str, ServiceView]
    health: Mapping[str, Health]
    problems: tuple[SlotProblem, ...] = ()
    problem: str = ""
    cluster_problem: str = ""
    timelines: Mapping[WorkloadRef, tuple[WorkloadState, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A stretch in which a stage ran a release healthily, from `since` until another release took its place (UTC)."""

    release: Release
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A version that failed in `stage`: it does not enter it, or any stage after it, by itself, until `lifted_at`."""

    stage: str
    service: str
    release: Release
    at: datetime
    reason: str
    promotion: str
    lifted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageHold:
    """The whole stage is stopped by the bot itself (two reverts in a row) until a person lifts it."""

    stage: str
    at: datetime
    reason: str
    lifted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a gate wants to know from outside: `source` names the collector ("metric", "http", "image", "webhook", ...).

    Equal questions are asked once. `params` are sorted pairs, so that a question can be a key.
    """

    source: str
    params: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A collector's answer at `at` (UTC). `value` is None, with `problem`, when there is none: then the gate is unknown."""

    at: datetime
    value: object = None
    problem: str = ""
    look_again: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything observed for one run of one stage.

    `stages` holds this stage, all its upstreams, and whatever gates need. `recorded` is this stage's health as last saved, by service.
    `branches` are the promotion branches of the stage's
    repository with their heads. `changed` maps an open promotion's id to the paths that changed on the stage's branch since its base.
    `not_taken` maps a promotion's id to the commit at which the stage's GitOps agent still stands, where that does not hold its change.
    `unshown` are ids of promotions that ended while their pull request still shows an earlier state.
    `recovered` are promotions that the database knows nothing of, found again in the branch's log.
    `forge_problem` says why pull requests could not be read; then `pulls` are those of the last good read. `offers` are the newest
    versions that were offered to a first stage, by artifact; `offer_problems` say why the newest of an artifact is not known. `proven` are
    the finished stretches of health of the upstream stages, by stage and service, oldest first, as far as they are long enough for this
    stage; only where it follows every version.
    """

    now: datetime
    stage: str
    stages: Mapping[str, StageView]
    promotions: tuple[Promotion, ...] = ()
    recorded: Mapping[str, Health] = field(default_factory=dict)
    pulls: Mapping[int, PullRequest] = field(default_factory=dict)
    branches: Mapping[str, str] = field(default_factory=dict)
    directives: tuple[Directive, ...] = ()
    approvals: Mapping[int, tuple[Approval, ...]] = field(default_factory=dict)
    quarantines: tuple[Quarantine, ...] = ()
    stage_holds: tuple[StageHold, ...] = ()
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_taken: Mapping[str, str] = field(default_factory=dict)
    recovered: tuple[Promotion, ...] = ()
    unshown: frozenset[str] = frozenset()
    forge_problem: str = ""
    offers: Mapping[str, Arrival] = field(default_factory=dict)
    offer_problems: Mapping[str, str] = field(default_factory=dict)
    proven: Mapping[str, Mapping[str, tuple[Proven, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One upstream stage as a gate sees it: does it run exactly the version, how is it, since when without a break.

    `until` is set where a stage that follows every version looks back: so long it ran there, until another took its place.
    """

    stage: str
    declares: bool
    state: RolloutState
    healthy_since: datetime | None = None
    reason: str = ""
    release: Release | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One promotion, as gates see it: pure data, everything bound to `head` and `base`.

    `checks` is None when the forge could not be asked. `target` is the stage's own health per service before the change.
    `present` are the versions that stand, and run healthily, in the target stage (for `depends`).
    """

    now: datetime
    stage: str
    name: str
    moves: tuple[Move, ...]
    upstreams: tuple[Upstream, ...]
    needs_all: bool = True
    head: str = ""
    base: str = ""
    number: int | None = None
    starter: str = ""
    pushers: tuple[Person, ...] = ()
    checks: tuple[Check, ...] | None = ()
    approvals: tuple[Approval, ...] = ()
    directives: tuple[Directive, ...] = ()
    target: Mapping[str, Health] = field(default_factory=dict)
    target_problem: str = ""
    present: Mapping[str, Release] = field(default_factory=dict)
    stage_holds: tuple[StageHold, ...] = ()
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    hotfix: bool = False
