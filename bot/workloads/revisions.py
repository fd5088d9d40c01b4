"""Which revision of git a GitOps agent's object speaks of, and whether that is the one asked for.

Decides from the status alone. Argo CD's `sync.revision` is what was compared, not what was applied; with several
sources there is a list; with the hydrator git's commit is the dry one. Flux writes `main@sha1:<commit>`. Whether a
commit descends from another is for whoever has the repository.
"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.workloads.fields import group, kind, name, text, texts

SOURCE_KINDS = frozenset({"GitRepository", "OCIRepository", "Bucket", "ExternalArtifact"})
KUSTOMIZATION_GROUP = "kustomize.toolkit.fluxcd.io"
APPLICATION_GROUP = "argoproj.io"
SHOWN = 12


def commit(revision: str) -> str:
    """The commit or digest in a revision: `main@sha1:abc`, `sha1:abc`, the older `main/abc`, or `abc` itself."""
    return revision.rpartition(":")[2].rpartition("/")[2] if ":" in revision or "/" in revision else revision


def short(revision: str) -> str:
    """A revision for people: its commit's first characters."""
    return commit(revision)[:SHOWN]


def is_application(obj: Mapping[str, Any]) -> bool:
    """Whether the object is an Argo CD Application."""
    return group(obj) == APPLICATION_GROUP and kind(obj) == "Application"


def compared(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """The revisions that an Application's sync status speaks of; the hydrator's dry commit comes first."""
    dry = text(obj, "status", "sourceHydrator", "lastSuccessfulOperation", "drySHA")
    hydrated = text(obj, "status", "sourceHydrator", "lastSuccessfulOperation", "hydratedSHA")
    seen = [text(obj, "status", "sync", "revision"), *texts(obj, "status", "sync", "revisions")]
    return tuple(found for found in ([dry] if dry and hydrated in seen else []) + seen if found)


def applied(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """The commits (or chart versions) that the agent says it took and that the live objects match, newest word only."""
    if is_application(obj):
        if text(obj, "status", "sync", "status") == "Synced":
            return compared(obj)
        result = ("status", "operationState", "syncResult")
        done = [text(obj, *result, "revision"), *texts(obj, *result, "revisions")]
        return tuple(found for found in done if found) if text(obj, "status", "operationState", "phase") == "Succeeded" else ()
    if group(obj) == KUSTOMIZATION_GROUP:
        last = text(obj, "status", "lastAppliedRevision")
    elif kind(obj) in SOURCE_KINDS:
        last = text(obj, "status", "artifact", "revision")
    elif kind(obj) == "HelmRelease":
        last = text(obj, "status", "lastAttemptedRevision")
    else:
        return ()
    return (commit(last),) if last else ()


def spoken_of(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """The commits that the object's present health is about: for a failed attempt the attempted one."""
    if is_application(obj):
        return tuple(commit(found) for found in compared(obj))
    if group(obj) == KUSTOMIZATION_GROUP:
        last = text(obj, "status", "lastAttemptedRevision") or text(obj, "status", "lastAppliedRevision")
        return (commit(last),) if last else ()
    return applied(obj) if kind(obj) in SOURCE_KINDS else ()


def source_revision(obj: Mapping[str, Any], related: Collection[Mapping[str, Any]]) -> str:
    """The commit that a Kustomization's source has reached, where the source is among `related`; else empty."""
    if group(obj) != KUSTOMIZATION_GROUP:
        return ""
    space = text(obj, "spec", "sourceRef", "namespace") or text(obj, "metadata", "namespace")
    wanted = (text(obj, "spec", "sourceRef", "kind"), text(obj, "spec", "sourceRef", "name"), space)
    for entry in related:
        if (kind(entry), name(entry), text(entry, "metadata", "namespace")) == wanted:
            return commit(text(entry, "status", "artifact", "revision"))
    return ""


def _running(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """The commits whose objects the present health is about: of an Application that is OutOfSync, what it applied last."""
    done = tuple(commit(found) for found in applied(obj))
    hydrated = text(obj, "status", "sourceHydrator", "lastSuccessfulOperation", "hydratedSHA")
    return spoken_of(obj) if not is_application(obj) or not done or hydrated in done else done


def _not_applied(obj: Mapping[str, Any], counted: Collection[str]) -> str:
    seen = ", ".join(short(revision) for revision in spoken_of(obj) if revision in counted)
    return f"{seen} is compared, but not applied yet; {', '.join(short(revision) for revision in _running(obj))} runs"


def stale(obj: Mapping[str, Any], related: Collection[Mapping[str, Any]], wanted: Collection[str] | None) -> str:
    """Why the object's health is not an answer about the wanted revision; empty when it is, or nobody can tell.

    `wanted` are the commits that count; without them a Kustomization is held against what its source has reached.
    """
    spoken = spoken_of(obj)
    if wanted is None:
        reached = source_revision(obj, related)
        if reached and spoken and reached not in spoken:
            return f"{kind(obj)} is at {short(spoken[0])}, its source already at {short(reached)}"
        return ""
    if not is_application(obj) and group(obj) != KUSTOMIZATION_GROUP and kind(obj) not in SOURCE_KINDS:
        return ""
    counted = {commit(revision) for revision in wanted}
    if counted.intersection(spoken):
        return "" if counted.intersection(_running(obj)) else _not_applied(obj, counted)
    named = " or ".join(short(revision) for revision in sorted(counted)[:3]) or "the wanted commit"
    if not spoken:
        return f"{kind(obj)} speaks of no revision yet; {named} is awaited"
    return f"{kind(obj)} has not taken {named} yet; it is at {', '.join(short(revision) for revision in spoken)}"
