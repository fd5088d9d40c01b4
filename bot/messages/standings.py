"""The sentences of `plan`, `why` and the board about services that have nothing to promote, or must wait."""

from collections.abc import Mapping, Sequence

from bot.domain.directive import Directive
from bot.domain.facts import Health, Quarantine, StageHold
from bot.domain.release import Release
from bot.domain.replicas import Replicas
from bot.domain.rollout import WorkloadState
from bot.domain.slot import Slot, SlotProblem
from bot.domain.verdict import Verdict
from bot.messages.words import cause, full, instant, listing


def absent(service: str, stage: str, sources: Sequence[str]) -> str:
    return f"{service} stands in {listing(sources)} but not in {stage}. Add its files to {stage}; from then on it is promoted."


def ambiguous(service: str, stage: str, slots: Sequence[Slot]) -> str:
    places = "; ".join(f"{slot.path}:{slot.line} says {slot.version}" for slot in slots)
    return f"The files of {stage} disagree about {service}: {places}. Nothing is promoted until they name one version."


def up_to_date(service: str, stage: str, release: Release) -> str:
    return f"{stage} has {service} {release}, the same as upstream."


def drifted(health: Health, stage: str) -> str:
    what, since = (health.drift, health.drift_since or health.since) if health.taken else (health.reason, health.since)
    return (
        f"The cluster of {stage} does not run what git declares, since {instant(since)}: {full(what, '')} "
        f"Its GitOps agent brings it back; `/promote sync {stage}` asks it to look now."
    )


def replicas_differ(pairs: Sequence[tuple[WorkloadState, Replicas]]) -> str:
    return "; ".join(_replicas(workload, wanted) for workload, wanted in pairs)


def replicas_untold(workload: WorkloadState, wanted: Replicas, problem: str) -> str:
    return f"{_replicas(workload, wanted)}; the bot cannot tell whether an autoscaler owns the replicas: {problem}"


def _replicas(workload: WorkloadState, wanted: Replicas) -> str:
    noun = "replica" if workload.replicas == 1 else "replicas"
    return f"{workload.ref} wants {workload.replicas} {noun}, git declares {wanted.count} ({wanted.path}:{wanted.line})"


def newest(service: str, stage: str, release: Release) -> str:
    return f"{stage} has {service} {release}, the newest that was offered."


def not_offered(service: str, stage: str) -> str:
    return (
        f"No new version of {service} for {stage} is known since the bot's database is new. "
        "The registry is asked again by itself, or the CI tells of it again."
    )


def offers_unknown(service: str, stage: str, artifact: str, problem: str) -> str:
    why = full(problem, "")
    return f"Nobody can say whether there is a new version of {service} for {stage}: {artifact}: {why} It is asked again by itself."


def diverged(service: str, stage: str, upstream: str, mine: Release, theirs: Release) -> str:
    return (
        f"{stage} is ahead: it has {service} {mine}, {upstream} has {theirs}. Nothing is taken back by itself. "
        f"Bring {mine} to {upstream}, or order the older one with `/promote rollback {service} {stage} --to {theirs.main}`."
    )


def waiting(verdict: Verdict) -> str:
    return full(verdict.sentence, verdict.changer) + next_look(verdict)


def next_look(verdict: Verdict) -> str:
    return f" The bot looks again at {instant(verdict.look_again)}." if verdict.look_again is not None else ""


def upstreams_differ(service: str, stage: str, releases: Mapping[str, str]) -> str:
    named = listing([f"{name} has {release}" for name, release in releases.items()])
    return f"{stage} takes {service} when all its upstream stages agree: {named}. It waits until they do."


def unreadable(service: str, stage: str, problem: SlotProblem) -> str:
    return f"{service} waits because {stage} cannot be read at {problem.path}:{problem.line}: {full(problem.message, '')}"


def quarantined(service: str, stage: str, quarantine: Quarantine) -> str:
    return (
        f"{service} {quarantine.release} failed in {quarantine.stage} at {instant(quarantine.at)}: {cause(quarantine.reason)}. "
        f"It does not enter {stage} by itself. A newer version may; or `/promote retry` from somebody who may operate {quarantine.stage}."
    )


def vetoed(service: str, release: Release, order: Directive) -> str:
    why = f": {order.reason}" if order.reason else ""
    return (
        f"@{order.actor.login} vetoed {service} {release} at {instant(order.at)}{why}. `/promote unveto {service}@{release.main}` lifts it."
    )


def pinned(service: str, stage: str, order: Directive) -> str:
    until = f" until {instant(order.until)}" if order.until is not None else ""
    why = f": {order.reason}" if order.reason else ""
    return f"@{order.actor.login} pinned {service} in {stage} at {order.version}{until}{why}. `/promote unpin {service} {stage}` lifts it."


def held(service: str, stage: str, order: Directive) -> str:
    until = f" until {instant(order.until)}" if order.until is not None else ""
    why = f": {order.reason}" if order.reason else ""
    return f"@{order.actor.login} holds {service} in {stage}{until}{why}. `/promote unhold` by the holder or an approver lifts it."


def stage_held(stage: str, hold: StageHold) -> str:
    return f"{stage} is on hold since {instant(hold.at)}: {cause(hold.reason)}. `/promote unhold {stage}` by an approver lifts it."


def closed(service: str, stage: str, release: Release, login: str) -> str:
    return (
        f"@{login} closed the promotion of {service} {release} into {stage}; it is not offered again. "
        f"A newer version is; or `/promote to {stage} {service}@{release.main}`."
    )


def depends(service: str, stage: str, others: Sequence[str]) -> str:
    return f"{service} goes after {listing(others)} in {stage}, which is under way there. It follows when that is healthy."
