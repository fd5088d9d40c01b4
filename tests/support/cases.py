"""Builders for what gates see: a promotion of payments 1.0.0 -> 1.1.0 into prod, ready to go, so that a test states only what differs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.directive import Directive, Order
from bot.domain.facts import Answer, Case, Question, Upstream
from bot.domain.people import Approval, Person
from bot.domain.promotion import Move, SlotEdit
from bot.domain.pull import Check, CheckState
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Verdict
from bot.gates import Gate, evaluate_all, questions_of, shelf
from tests.support.builders import ANA, BASE, HEAD, NOW, health, release, version

KINDS = {gate.model_fields["gate"].default: gate for gate in shelf()}


def gate(kind: str, **settings: Any) -> Gate:
    """A gate with settings as they stand in the file."""
    return KINDS[kind].model_validate({"gate": kind, **settings})


def move(new: str = "1.1.0", old: str = "1.0.0", *, service: str = "payments", path: str = "") -> Move:
    edit = SlotEdit(
        path=path or f"{service}/deployment.yaml",
        address={"image": service},
        artifact=f"ghcr.io/acme/{service}",
        old=version(old),
        new=version(new),
    )
    return Move(service=service, old=release(old), new=release(new), edits=(edit,))


def upstream(stage: str = "uat", *, since: datetime | None = NOW - timedelta(hours=3), **more: Any) -> Upstream:
    fields: dict[str, Any] = {"declares": True, "state": RolloutState.HEALTHY, "release": release("1.1.0")}
    return Upstream(**{"stage": stage, "healthy_since": since, **fields, **more})


def case(**more: Any) -> Case:
    fields: dict[str, Any] = {
        "now": NOW,
        "stage": "prod",
        "name": "payments",
        "moves": (move(),),
        "upstreams": (upstream(),),
        "head": HEAD,
        "base": BASE,
        "number": 7,
        "target": {"payments": health("1.0.0")},
    }
    return Case(**{**fields, **more})


def approval(person: Person = ANA, **more: Any) -> Approval:
    return Approval(**{"person": person, "head": HEAD, "at": NOW - timedelta(minutes=10), "source": "review", **more})


def check(name: str = "ci", state: CheckState = CheckState.SUCCESS, **more: Any) -> Check:
    return Check(**{"name": name, "state": state, "commit": HEAD, **more})


def order(kind: Order, *, actor: Person = ANA, **more: Any) -> Directive:
    return Directive(**{"key": f"comment:{kind}", "order": kind, "actor": actor, "at": NOW - timedelta(hours=1), **more})


def answered(made: Gate, about: Case, value: object = None, **more: Any) -> Case:
    """The case with the same answer to every question of the gate."""
    answer = Answer(at=NOW, value=value, **more)
    given: Mapping[Question, Answer] = dict.fromkeys(questions_of([made], about), answer)
    return replace(about, answers=given)


def judge(made: Gate, about: Case) -> Verdict:
    """The one verdict of one gate, as the planner sees it. No test may meet a broken gate by accident."""
    (verdict,) = evaluate_all([made], about)
    assert not verdict.sentence.startswith("Internal error"), verdict.sentence
    return verdict
