"""What a command may look at: who gave it, where, when, and what stands in the stages just then. Pure data, and how words are sorted.

Built from history and the run's facts by whoever carries commands out; verbs decide from this alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.commands.model import Effect, Problem, refused
from bot.domain.directive import Directive, Order
from bot.domain.facts import Quarantine, StageHold
from bot.domain.people import Person

_VERSION = re.compile(r"[A-Za-z0-9_~^][A-Za-z0-9._+:@/~^-]{0,255}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAt:
    """A service in a stage: the version that stands there, the release's full text, and its promotion there, if any.

    `before` is the version that the last finished promotion replaced. `number` and `url` are those of the open or rolling one.
    """

    version: str = ""
    text: str = ""
    before: str = ""
    number: int | None = None
    url: str = ""
    into: str = ""
    by_promotion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stage: its neighbours, services, gates (label -> may be overridden), and the bot's own stops of it."""

    stage: str
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    merge: str = "auto"
    services: Mapping[str, ServiceAt] = field(default_factory=dict)
    gates: Mapping[str, bool] = field(default_factory=dict)
    holds: tuple[StageHold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The pull request that a command stands on. `services` maps each to the version that it brings; `head_since` (UTC) is when the
    present head was first seen; `stage_head` is the commit of the stage's branch now; `open` and `merged` say how it stands."""

    number: int
    stage: str
    name: str
    services: Mapping[str, str]
    head: str = ""
    head_since: datetime | None = None
    stage_head: str = ""
    base: str = ""
    open: bool = True
    merged: bool = False
    healthy: bool = False
    taken_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything at hand for one command. `at` (UTC) is when it was given, `now` when it is carried out. `key` makes its orders unique.

    `directives` are all orders that stand in any stage.
    """

    actor: Person
    at: datetime
    now: datetime
    key: str
    source: str = "command"
    places: Mapping[str, Place] = field(default_factory=dict)
    subject: Subject | None = None
    directives: tuple[Directive, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()

    @property
    def stage(self) -> str:
        """The pull request's stage; empty where the command stands on none."""
        return self.subject.stage if self.subject is not None else ""

    def active(self, *orders: Order) -> list[Directive]:
        """The orders of these kinds that are in force."""
        return [found for found in self.directives if found.order in orders and found.active(self.now)]

    def directive(self, order: Order, *, part: str = "", **more: object) -> Directive:
        """A new order of this command. `part` keeps several of one line apart."""
        key = f"{self.key}:{part}" if part else self.key
        fields: dict[str, object] = {"key": key, "order": order, "actor": self.actor, "at": self.at, "source": self.source}
        return Directive(**{**fields, **more})  # type: ignore[arg-type]

    def services(self) -> set[str]:
        """The names of all services in any stage."""
        here = set(self.subject.services) if self.subject is not None else set()
        return here | {name for place in self.places.values() for name in place.services}


def ban(scene: Scene, stage: str, service: str, version: str) -> str:
    """Why this version may not enter the stage, whoever asks for it; empty where nothing bans it."""
    upstream = {stage, *ancestors(scene, stage)}
    for quarantine in scene.quarantines:
        main = quarantine.release.main
        lifted = quarantine.lifted_at is not None or any(
            order.order is Order.RETRY
            and order.service in ("", service)
            and order.stage in ("", quarantine.stage)
            and order.at > quarantine.at
            for order in scene.directives
        )
        if quarantine.service == service and quarantine.stage in upstream and version in (main.tag, str(main)) and not lifted:
            return f"{service} {version} failed in {quarantine.stage}. `retry {service} {quarantine.stage}` lets it in again"
    for order in scene.active(Order.VETO):
        if (order.service, order.version) == (service, version) and order.stage in ("", *upstream):
            return f"@{order.actor.login} vetoed {service} {version}. `unveto {service}@{version}` lifts that"
    for order in scene.active(Order.PIN):
        if (order.stage, order.service) == (stage, service) and order.version != version:
            return f"@{order.actor.login} pinned {service} in {stage} at {order.version}. `unpin {service} {stage}` lifts that"
    return ""


def ancestors(scene: Scene, stage: str) -> set[str]:
    """All stages before this one."""
    found: set[str] = set()
    todo = list(scene.places[stage].after)
    while todo:
        name = todo.pop()
        if name not in found and name in scene.places:
            found.add(name)
            todo.extend(scene.places[name].after)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Words sorted by what they name: stages, services (with a version where one was given), and the rest."""

    stages: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    version: str = ""
    others: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        return self.stages[0] if self.stages else ""

    @property
    def service(self) -> str:
        return self.services[0] if self.services else ""


def sort(words: tuple[str, ...], scene: Scene) -> Named:
    """Which word is a stage and which a service; `service@version` is taken apart. A stage's name wins over a service's."""
    stages: list[str] = []
    services: list[str] = []
    others: list[str] = []
    version = ""
    known = scene.services()
    for word in words:
        name, at, tail = word.partition("@")
        if word in scene.places and word not in stages:
            stages.append(word)
        elif name in known and name not in services:
            services.append(name)
            version = version or (tail if at else "")
        else:
            others.append(word)
    return Named(stages=tuple(stages), services=tuple(services), version=version, others=tuple(others))


def unknown(word: str, scene: Scene) -> Effect:
    """A word that names nothing."""
    stages, services = ", ".join(scene.places), ", ".join(sorted(scene.services())[:20])
    return refused(
        f"{quoted(word)} is no stage and no service here. Stages: {stages or 'none'}. Services: {services or 'none known yet'}.",
        problem=Problem.NOT_FOUND,
    )


def odd(version: str) -> Effect | None:
    """The refusal of a typed version that none can be: what is stored goes into messages, commits and files."""
    if _VERSION.fullmatch(version):
        return None
    return refused(
        f"{quoted(version)} is no version: it holds letters, digits and `. _ + - : @ / ~ ^` only, "
        "and begins with a letter, a digit, `_`, `~` or `^`."
    )


def needs_pull(verb: str) -> Effect:
    """The command speaks of a pull request and stands on none."""
    return refused(f"`{verb}` is about one promotion: give it on its pull request, or name it with `--promotion NUMBER`.")


def quoted(text: str) -> str:
    """Text from outside in a code span of a reply."""
    clean = "".join(sign if sign.isprintable() and sign not in "`" else "·" for sign in text)
    return f"`{clean[:80]}{'…' if len(clean) > 80 else ''}`"


def short(commit: str) -> str:
    return commit[:7]
