"""Builders with defaults, so that a test states only what differs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.config.schema import Config
from bot.domain.facts import Facts, Health, ServiceView, StageView
from bot.domain.image import Version
from bot.domain.people import Person
from bot.domain.promotion import Promotion, PromotionState, branch_name
from bot.domain.pull import PullRequest, PullState
from bot.domain.release import Release
from bot.domain.rollout import RolloutState
from bot.domain.slot import Holds, ObjectRef, Slot

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
HEAD = "a" * 40
BASE = "b" * 40
BOT = Person(id=1, login="promotion-bot[bot]", bot=True)
ANA = Person(id=2, login="ana")


def config(**stages: Any) -> Config:
    """dev -> qa with the given settings of stages on top; a stage that is new here goes after the one before it."""
    settings: dict[str, dict[str, Any]] = {"dev": {}, "qa": {"after": "dev"}}
    names = list(settings)
    for name, more in stages.items():
        if name in ("services", "people", "discovery"):
            continue
        if name not in settings:
            settings[name] = {"after": names[-1]}
            names.append(name)
        settings[name].update(more)
    for name in names:
        settings[name].setdefault("repository", f"acme/env-{name}")
    top = {key: stages[key] for key in ("services", "people", "discovery") if key in stages}
    return Config.model_validate({"version": 1, "pipeline": {"stages": settings}, **top})


def version(text: str | Version) -> Version:
    return text if isinstance(text, Version) else Version.parse(text)


def release(text: str | Version) -> Release:
    return Release.single(version(text))


def slot(text: str | Version = "1.0.0", *, service: str = "payments", path: str = "", key: str = "", line: int = 7, **more: Any) -> Slot:
    fields: dict[str, Any] = {
        "path": path or f"{service}/deployment.yaml",
        "line": line,
        "column": 16,
        "start": 100,
        "end": 105,
        "holds": Holds.IMAGE,
        "artifact": f"ghcr.io/acme/{service}",
        "version": version(text),
        "address": {"image": f"ghcr.io/acme/{service}"},
        "format": "kubernetes",
        "key": key or f"Deployment/{service}/containers/{service}",
        "owner": ObjectRef(kind="Deployment", name=service),
    }
    return Slot(**{**fields, **more})


def view(*slots: Slot, service: str = "payments") -> ServiceView:
    versions = {found.version for found in slots}
    one = next(iter(versions)) if len(versions) == 1 else None
    return ServiceView(
        service=service,
        slots=slots,
        release=Release.single(one) if one is not None else None,
        components={found.artifact: "0" for found in slots},
        ambiguous=one is None,
    )


def health(
    text: str = "1.0.0", *, service: str = "payments", state: RolloutState = RolloutState.HEALTHY, since: datetime = LONG_AGO, **more: Any
) -> Health:
    taken = more.pop("taken", True)
    return Health(service=service, state=state, release=release(text), since=since, taken=taken, **more)


def stage(name: str, text: str | None = "1.0.0", *, service: str = "payments", head: str = BASE, **more: Any) -> StageView:
    """A stage with one service at one version, running healthily for a day."""
    fields: dict[str, Any] = {"services": {}, "health": {}}
    if text is not None:
        fields["services"] = {service: view(slot(text, service=service), service=service)}
        fields["health"] = {service: health(text, service=service)}
    return StageView(**{"stage": name, "head": head, **fields, **more})


def facts(*stages: StageView, about: str = "qa", **more: Any) -> Facts:
    views: Mapping[str, StageView] = {found.stage: found for found in stages}
    recorded = more.pop("recorded", views[about].health)
    return Facts(**{"now": NOW, "stage": about, "stages": views, "recorded": recorded, **more})


def promotion(new: str = "1.1.0", old: str = "1.0.0", *, service: str = "payments", into: str = "qa", **more: Any) -> Promotion:
    """An open promotion with pull request 7, as the plan for `stage("dev", new)` and `stage("qa", old)` would open it."""
    from bot.domain.promotion import Move, promotion_id
    from bot.planning.transfer import edits

    moves = more.pop("moves", None) or (
        Move(
            service=service,
            old=release(old),
            new=release(new),
            edits=edits(view(slot(old, service=service), service=service), release(new), folder=""),
        ),
    )
    fields: dict[str, Any] = {
        "id": promotion_id(into, moves, BASE),
        "stage": into,
        "name": service,
        "moves": moves,
        "branch": branch_name(into, service),
        "state": PromotionState.OPEN,
        "base": BASE,
        "opened_at": NOW - timedelta(hours=1),
        "head": HEAD,
        "number": 7,
        "url": "https://github.example/acme/env-qa/pull/7",
    }
    return Promotion(**{**fields, **more})


def pull(number: int = 7, *, head: str = HEAD, into: str = "qa", service: str = "payments", **more: Any) -> PullRequest:
    fields: dict[str, Any] = {
        "repository": f"acme/env-{into}",
        "number": number,
        "node_id": f"PR_{number}",
        "url": f"https://github.example/acme/env-{into}/pull/{number}",
        "title": "promote",
        "body": "",
        "branch": branch_name(into, service),
        "head": head,
        "base_branch": "main",
        "base": BASE,
        "state": PullState.OPEN,
        "author": BOT,
        "created_at": NOW - timedelta(hours=1),
        "updated_at": NOW - timedelta(hours=1),
        "read_at": NOW,
        "ours": True,
    }
    return PullRequest(**{**fields, **more})
