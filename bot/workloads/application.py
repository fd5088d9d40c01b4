"""Argo CD Application: is what git declares applied, and are the objects healthy?

Decides from sync status, operation and health together: none of them alone is an answer. Healthy while OutOfSync is the
old state's health; a failed sync leaves the old state healthy; phase Running covers the retries. That the status is of the
wanted commit is checked for all agents in `revisions`; generation says nothing (there is no status subresource).
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, revisions
from bot.workloads.answers import Answer
from bot.workloads.children import shortened
from bot.workloads.fields import at, conditions, name, text, texts

KINDS = (("argoproj.io", "Application"),)
BROKEN_SPEC = "InvalidSpecError"


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The Application's state; nothing in `related` is needed, it carries its objects' health itself."""
    return answers.add_up(by_status(obj))


def by_status(obj: dict[str, Any]) -> Answer:
    """Operation first, then what could not be compared, then health, then sync."""
    label = f'Application "{name(obj)}"'
    complaint = complaints(obj)
    if text(obj, "status", "sync", "status") == "" and text(obj, "status", "health", "status") == "" and not complaint:
        return answers.unknown(f"{label} has no status yet: the controller has not looked at it")
    if any(entry.type == BROKEN_SPEC for entry in conditions(obj)):
        return answers.unknown(f"{label}: {complaint}")
    operation = by_operation(obj, label)
    if operation is not None:
        return operation
    if respecified(obj):
        return answers.progressing(f"{label}: its source was changed, and Argo CD has not compared it since")
    if text(obj, "status", "sync", "status") in ("Unknown", ""):
        return answers.unknown(f"{label} cannot be compared with git: {complaint or 'the sync status is unknown'}")
    return by_health(obj, label)


def by_operation(obj: dict[str, Any], label: str) -> Answer | None:
    """What a running, requested or failed sync says; None when the last one is over and done."""
    phase, message = text(obj, "status", "operationState", "phase"), shortened(text(obj, "status", "operationState", "message"))
    if phase in ("Running", "Terminating"):
        return answers.progressing(f"{label} is syncing ({phase}): {message}")
    if phase in ("Failed", "Error") and failed_here(obj):
        return answers.degraded(f"{label}: sync {phase}: {message}")
    if at(obj, "operation") is not None:
        return answers.progressing(f"{label} is about to sync")
    return None


def failed_here(obj: dict[str, Any]) -> bool:
    """Whether the failed sync was of the revision that git is at now: one of an older revision is no answer any more."""
    result = ("status", "operationState", "syncResult")
    tried = {text(obj, *result, "revision"), *texts(obj, *result, "revisions")} - {""}
    seen = {text(obj, "status", "sync", "revision"), *texts(obj, "status", "sync", "revisions")} - {""}
    return not tried or not seen or tried == seen


def respecified(obj: dict[str, Any]) -> bool:
    """Whether the status was made from another source than the spec has now (another chart version, parameter or path).

    There is no observed generation, so `sync.comparedTo` is all that tells. What it leaves out is not held against it.
    """
    for key in ("source", "sources"):
        compared, declared = at(obj, "status", "sync", "comparedTo", key), at(obj, "spec", key)
        if compared and declared and filled(compared) != filled(declared):
            return True
    return False


def filled(value: object) -> object:
    """The value without empty members: the controller leaves them out."""
    if isinstance(value, dict):
        kept = {key: filled(member) for key, member in value.items()}
        return {key: member for key, member in kept.items() if member not in (None, "", False, 0, [], {})}
    return [filled(member) for member in value] if isinstance(value, list) else value


def by_health(obj: dict[str, Any], label: str) -> Answer:
    """What the health says, once the sync is over."""
    state, message = text(obj, "status", "health", "status"), text(obj, "status", "health", "message")
    told = f": {message}" if message else ""
    out_of_sync = text(obj, "status", "sync", "status") != "Synced"
    match state:
        case "Degraded":
            return answers.degraded(f"{label} is Degraded{told}")
        case "Suspended":
            return answers.suspended(f"{label} is Suspended{told}")
        case "Progressing":
            return answers.progressing(f"{label} is Progressing{told}")
        case "Missing":
            return answers.progressing(f"{label}: its objects are not there yet{told}")
        case "Healthy" if out_of_sync:
            return answers.progressing(f"{label} is OutOfSync: {waits_for(obj)}")
        case "Healthy":
            at_revision = ", ".join(revisions.short(found) for found in revisions.compared(obj))
            return answers.healthy(f"{label} is Synced and Healthy" + (f" at {at_revision}" if at_revision else ""))
        case _:
            return answers.unknown(f"{label}: its health is {state or 'not known yet'}{told}")


def waits_for(obj: dict[str, Any]) -> str:
    """Who moves next: Argo CD by itself, or a person where automated sync is off."""
    automated = at(obj, "spec", "syncPolicy", "automated")
    if isinstance(automated, dict) and automated.get("enabled") is not False:
        return "Argo CD is about to sync it"
    return "automated sync is off, so somebody must press Sync (spec.syncPolicy.automated)"


def complaints(obj: dict[str, Any]) -> str:
    """What its error conditions say."""
    return shortened("; ".join(entry.message for entry in conditions(obj) if entry.type.endswith("Error")))
