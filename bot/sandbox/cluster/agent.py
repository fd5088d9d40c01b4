"""The GitOps agent of a cluster: sees a new commit, renders it, applies it, reports.

Decides when to look at the repository (every `poll_seconds`, when poked, when an annotation asks) and which objects
of Argo CD or Flux stand for the stage itself. How files become objects is `render`, how they get in is `applying`.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.sandbox.cluster.applying import ROOT, Ledger, apply
from bot.sandbox.cluster.render import Rendered, render
from bot.sandbox.cluster.resources import (
    APPLICATIONS,
    GITREPOSITORIES,
    HELMRELEASES,
    KUSTOMIZATIONS,
    NAMESPACES,
    OCIREPOSITORIES,
    Obj,
    Resource,
)
from bot.sandbox.cluster.source import GitError, Mirror, Source
from bot.sandbox.cluster.statuses import REQUESTED, Statuses
from bot.sandbox.cluster.store import Change, stamp
from bot.sandbox.cluster.world import World, resource_key, with_status

REFRESH = "argocd.argoproj.io/refresh"
LOOK_AGAIN = 0.2
KINDS = ("flux", "argocd", "plain")


class Agent:
    """One agent for one stage. `kind` says who stands for the stage: a Flux Kustomization, an Argo CD Application (both
    named `name`), or nobody (`plain`). `paused` lets commits go by untaken."""

    def __init__(self, world: World, source: Source, directory: Path, *, kind: str, name: str, poll_seconds: float) -> None:
        if kind not in KINDS:
            raise ValueError(f"an agent is one of {', '.join(KINDS)}, not {kind!r}")
        self.world, self.source, self.kind, self.name = world, source, kind, name
        self.mirror = Mirror(source, directory)
        self.poll_seconds = poll_seconds
        self.paused = False
        self.commit = ""
        self.problem = ""
        self.ledger = Ledger()
        self.statuses = Statuses(self.ledger, source.branch, self.root)
        self._poked = threading.Event()
        self._force = False
        self._next = 0.0
        owners: tuple[tuple[Resource, Callable[[World, Obj], float | None]], ...] = (
            (APPLICATIONS, self.statuses.application),
            (KUSTOMIZATIONS, self.statuses.kustomization),
            (HELMRELEASES, self.statuses.helmrelease),
            (GITREPOSITORIES, self.statuses.source),
            (OCIREPOSITORIES, self.statuses.source),
        )
        for resource, act in owners:
            world.controllers[(resource.group, resource.plural)] = act
        world.followers.append(self._follow)

    @property
    def root(self) -> tuple[str, str, str] | None:
        """(kind, namespace, name) of the object that stands for the stage."""
        if self.kind == "flux":
            return ("Kustomization", "flux-system", self.name)
        return ("Application", "argocd", self.name) if self.kind == "argocd" else None

    def poke(self, *, force: bool = False) -> None:
        """Look now. `force` also takes back what others changed."""
        self._force = self._force or force
        self._poked.set()

    def look(self, wall_seconds: float) -> bool:
        """Looks if it is time to; True when something was applied."""
        if not self._poked.is_set() and wall_seconds < self._next:
            return False
        self._poked.clear()
        self._next = wall_seconds + self.poll_seconds
        return self.sync()

    def sync(self, now: datetime | None = None) -> bool:
        """Fetches, and applies if the commit is new or a sync was forced. git runs outside the cluster's lock."""
        force, self._force = self._force, False
        if self.paused:
            return False
        try:
            commit = self.mirror.peek()
            if commit and commit == self.commit and not force:
                self.problem = ""
                return False
            commit = self.mirror.fetch()
            rendered = render(self.mirror.files(commit), self.source.folder, self.name)
            self.problem = ""
        except GitError as error:
            self.problem = str(error)
            return False
        with self.world.store.lock:
            if now is not None:
                self.world.now = now
            self._announce(commit)
            self._apply(rendered, commit, force=force)
        return True

    def _apply(self, rendered: Rendered, commit: str, *, force: bool) -> None:
        apply(self.world, self.ledger, rendered, commit, force=force)
        self.commit = commit
        for resource in (GITREPOSITORIES, OCIREPOSITORIES, HELMRELEASES, KUSTOMIZATIONS, APPLICATIONS):
            for obj in self.world.store.all(resource):
                self.world.wake(resource_key(resource, obj), self.world.seconds)

    def _announce(self, commit: str) -> None:
        """The stage's own object says that it saw the commit, before anything is applied."""
        source: Obj = {"repoURL": self.source.url, "path": self.source.folder or ".", "targetRevision": self.source.branch}
        store, now = self.world.store, self.world.now
        if self.kind == "argocd":
            spec: Obj = {"project": "default", "source": source, "destination": {"server": "https://kubernetes.default.svc"},
                         "syncPolicy": {"automated": {"prune": True, "selfHeal": False}}}  # fmt: skip
            app = self._ensure(APPLICATIONS, "argocd", spec)
            status = app.get("status") or {}
            if status.get("sync"):
                sync = status["sync"] | {"status": "OutOfSync", "revision": commit}
                running = (status.get("operationState") or {}) | {"phase": "Running", "startedAt": stamp(now),
                                                                  "message": "one or more tasks are running"}  # fmt: skip
                app = store.replace(APPLICATIONS, with_status(app, status | {"sync": sync}))
                store.replace(APPLICATIONS, with_status(app, app["status"] | {"operationState": running}))
        if self.kind == "flux":
            self._ensure(GITREPOSITORIES, "flux-system", {"interval": "1m", "url": self.source.url, "ref": {"branch": self.source.branch}})
            path = f"./{self.source.folder}".rstrip("/") if self.source.folder else "./"
            spec = {"interval": "10m", "path": path, "prune": True, "wait": False,
                    "sourceRef": {"kind": "GitRepository", "name": self.name}}  # fmt: skip
            stage = self._ensure(KUSTOMIZATIONS, "flux-system", spec)
            attempted = {"lastAttemptedRevision": f"{self.source.branch}@sha1:{commit}"}
            store.replace(KUSTOMIZATIONS, with_status(stage, (stage.get("status") or {"observedGeneration": -1}) | attempted))

    def _ensure(self, resource: Resource, namespace: str, spec: Obj) -> Obj:
        found = self.world.store.get(resource, namespace, self.name)
        if found is not None:
            return found
        if self.world.store.get(NAMESPACES, "", namespace) is None:
            home: Obj = {"metadata": {"name": namespace}, "status": {"phase": "Active"}}
            self.world.store.create(NAMESPACES, home, self.world.now)
        body: Obj = {"metadata": {"name": self.name, "namespace": namespace}, "spec": spec}
        return self.world.store.create(resource, body, self.world.now)

    def _follow(self, change: Change) -> None:
        """Wakes the agent object that owns a changed object, and hears annotations that ask for a sync."""
        key = resource_key(change.resource, change.obj)
        if (owner := self.ledger.owner_of.get(key)) is not None:
            self._wake_owner(owner)
        annotations = change.obj["metadata"].get("annotations") or {}
        before = ((change.before or {}).get("metadata") or {}).get("annotations") or {}
        if change.resource is APPLICATIONS and REFRESH in annotations and change.verb != "DELETED":
            meta = dict(change.obj["metadata"])
            meta["annotations"] = {name: value for name, value in annotations.items() if name != REFRESH}
            self.world.store.replace(APPLICATIONS, change.obj | {"metadata": meta})
            self.poke(force=True)
        elif annotations.get(REQUESTED) and annotations.get(REQUESTED) != before.get(REQUESTED) and not change.resource.builtin:
            self.poke(force=True)

    def _wake_owner(self, owner: tuple[str, str, str]) -> None:
        kinds = {"Application": APPLICATIONS, "Kustomization": KUSTOMIZATIONS, "HelmRelease": HELMRELEASES}
        meant = self.root if owner == ROOT else owner
        if meant is not None and meant[0] in kinds:
            resource = kinds[meant[0]]
            self.world.wake((resource.group, resource.plural, meant[1], meant[2]), self.world.seconds + LOOK_AGAIN * self.world.pace.pod)
