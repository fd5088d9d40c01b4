"""Rollout verdicts: how one object of a cluster stands, by the field's own rules.

One file per kind, each with `KINDS` (API group and kind) and `assess(obj, related, now)`; this file finds them and
hands each object to the one that knows it. It decides only what holds for every kind: an object that is being
deleted progresses, and an unknown kind is judged by the standard conditions or not at all.

The authorities are `kubectl rollout status`, kstatus and Argo CD's health rules. Pure: no I/O and no clock.
"""

import importlib
import pkgutil
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from types import ModuleType
from typing import Any

from bot.domain.rollout import Assessment, RolloutState
from bot.workloads import answers, revisions, standard
from bot.workloads.fields import being_deleted, group, kind, text, texts


@cache
def rules() -> dict[tuple[str, str], ModuleType]:
    """The file of this folder that knows each (API group, kind)."""
    found: dict[tuple[str, str], ModuleType] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for known in getattr(module, "KINDS", ()):
            found[known] = module
    return found


def rule_for(obj: dict[str, Any]) -> ModuleType | None:
    """The file that knows the object; where its apiVersion is missing, as in the items of a list, the one that knows its kind."""
    found = rules().get((group(obj), kind(obj)))
    if found is None and not text(obj, "apiVersion"):
        return next((module for (_, known), module in rules().items() if known == kind(obj)), None)
    return found


def assess(
    obj: dict[str, Any],
    *,
    related: list[dict[str, Any]] = [],  # noqa: B006  never changed
    now: datetime,
    revisions_wanted: Collection[str] | None = None,
) -> Assessment:
    """How the object stands at `now` (UTC): progressing, healthy, degraded, suspended or unknown, with a sentence.

    `related` may hold its ReplicaSets, Pods, Jobs, Events and sources in any order; they add words, and for Flux the
    revision that its source has reached. `revisions_wanted` are the commits that count as taken (the promotion's and
    its descendants): an agent's object that speaks of another one is progressing, however well it is.
    """
    if being_deleted(obj):
        held = ", ".join(texts(obj, "metadata", "finalizers"))
        waits = f"; finalizers hold it: {held}" if held else ""
        return Assessment(state=RolloutState.PROGRESSING, reason=f"{kind(obj)} is being deleted{waits}")
    known = rule_for(obj)
    now = now if now.tzinfo is not None else now.replace(tzinfo=UTC)
    said: Assessment = known.assess(obj, related, now) if known is not None else by_conditions(obj)
    stale = revisions.stale(obj, related, revisions_wanted)
    of_another = bool(revisions.spoken_of(obj)) or said.state is not RolloutState.DEGRADED
    if stale and of_another and said.state not in (RolloutState.SUSPENDED, RolloutState.UNKNOWN):
        return Assessment(state=RolloutState.PROGRESSING, reason=f"{stale} ({said.state.value} there: {said.reason})")
    return said


def by_conditions(obj: dict[str, Any]) -> Assessment:
    """An object of a kind that no file knows, by kstatus' standard conditions; unknown where it has none of them."""
    answer = standard.by_conditions(obj)
    return answers.add_up(answer) if answer is not None else standard.not_known(obj)
