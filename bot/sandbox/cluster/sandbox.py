"""One cluster, whole: API, workloads in motion, GitOps agent, faults, and a reader that is independent of the bot.

Decides how the parts are put together and when time moves: by itself in a thread, or by `tick` where a test holds the
clock. Everything listens on loopback.
"""

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.sandbox.cluster.accounts import EVERYTHING, READ_ONLY, Accounts, Rule
from bot.sandbox.cluster.agent import Agent
from bot.sandbox.cluster.api import Api
from bot.sandbox.cluster.defaults import with_defaults
from bot.sandbox.cluster.deployments import reconcile_deployment
from bot.sandbox.cluster.faults import Faults
from bot.sandbox.cluster.images import behaviour, matches
from bot.sandbox.cluster.jobs import reconcile_cronjob, reconcile_job, run_cronjob
from bot.sandbox.cluster.kubeconfig import document
from bot.sandbox.cluster.pods import reconcile_pod
from bot.sandbox.cluster.readback import Running, workloads
from bot.sandbox.cluster.replicasets import reconcile_replicaset
from bot.sandbox.cluster.resources import (
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICASETS,
    ROLLOUTS,
    STATEFULSETS,
    Obj,
)
from bot.sandbox.cluster.rollouts import Borrowers, reconcile_rollout
from bot.sandbox.cluster.serving import Listener, make_certificate
from bot.sandbox.cluster.source import Source
from bot.sandbox.cluster.statefulsets import reconcile_daemonset, reconcile_statefulset
from bot.sandbox.cluster.store import Store
from bot.sandbox.cluster.turning import turn
from bot.sandbox.cluster.world import Pace, World, containers

PAST = timedelta(minutes=10)
BOT = "system:serviceaccount:promotion-bot:promotion-bot"
ADMIN = "sandbox-admin"


def wall_clock() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


class ClusterSandbox:
    """A cluster named `name` that follows `source`.

    `clock` is the cluster's time. `rollout_seconds`: about how long a Deployment takes (a pod takes a third of it).
    `progress_deadline`: seconds in place of every `progressDeadlineSeconds` (None: as written). `agent`: flux, argocd or
    plain. `poll_seconds`: how often the agent looks at the repository of itself. `settled`: what stands in the repository
    at the start runs since ten minutes. `automatic`: time moves by itself; else call `tick`.
    """

    def __init__(
        self,
        name: str,
        *,
        source: Source | None = None,
        clock: Callable[[], datetime] = wall_clock,
        rollout_seconds: float = 1.0,
        progress_deadline: float | None = 5.0,
        agent: str = "flux",
        poll_seconds: float = 2.0,
        port: int = 0,
        tls: bool = True,
        settled: bool = True,
        automatic: bool = True,
    ) -> None:
        self.name, self.clock, self._settled, self._automatic = name, clock, settled, automatic
        self._directory = Path(tempfile.mkdtemp(prefix=f"cluster-{name}-"))
        pod = rollout_seconds / 3
        began = clock() - PAST if settled else clock()
        self.store = Store()
        self.world = World(self.store, Pace(pod=pod, deadline=progress_deadline, lag=pod * 0.02), began)
        self.world.controllers.update({
            (DEPLOYMENTS.group, DEPLOYMENTS.plural): reconcile_deployment,
            (ROLLOUTS.group, ROLLOUTS.plural): reconcile_rollout,
            (REPLICASETS.group, REPLICASETS.plural): reconcile_replicaset,
            (STATEFULSETS.group, STATEFULSETS.plural): reconcile_statefulset,
            (DAEMONSETS.group, DAEMONSETS.plural): reconcile_daemonset,
            (JOBS.group, JOBS.plural): reconcile_job,
            (CRONJOBS.group, CRONJOBS.plural): reconcile_cronjob,
            (PODS.group, PODS.plural): reconcile_pod,
        })  # fmt: skip
        self.world.followers.append(Borrowers(self.world))
        self.accounts = Accounts()
        self.faults = Faults(self.accounts)
        self._tokens = {"admin": self.accounts.add(ADMIN, EVERYTHING), "bot": self.accounts.add(BOT, READ_ONLY)}
        self.agent = (
            Agent(self.world, source, self._directory / "mirror.git", kind=agent, name=name, poll_seconds=poll_seconds) if source else None
        )
        controls: dict[str, Callable[[Obj], None]] = {
            "poke": lambda _: self.poke(),
            "behave": lambda told: self.behave(told["repository"], told["version"], told["how"]),
            "expire-watches": lambda _: self.expire_watches(),
            "throttle": lambda told: self.faults.throttle(times=told.get("times"), retry_after=told.get("retry_after", 1)),
            "clear-faults": lambda _: self.faults.clear(),
        }
        self.api = Api(self.world, self.accounts, self.faults, controls)
        self._certificate = make_certificate(self._directory, name) if tls else None
        self._listener = Listener(self.api, name=f"cluster-{name}", port=port, certificate=self._certificate)
        self._listener.on_stop = self._cut
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """The API server's address; known after `start`."""
        return self._listener.url

    @property
    def ca_file(self) -> Path | None:
        """The certificate that clients check the server by; None without TLS."""
        return self._certificate.certificate if self._certificate else None

    def start(self) -> None:
        """Takes the repository's state, plays it until now, serves."""
        with self.store.lock:
            for name in ("default", "kube-system"):
                body: Obj = {"metadata": {"name": name}, "status": {"phase": "Active"}}
                self.store.create(NAMESPACES, body, self.world.now)
            for name in self.world.nodes:
                ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}
                self.store.create(NODES, {"metadata": {"name": name}, "spec": {}, "status": ready}, self.world.now)
            self.world.quiet = self._settled
        if self.agent is not None:
            self.agent.sync()
        with self.store.lock:
            self.world.advance(self.clock())
            self.world.quiet = False
        self.api.alive.serving = True
        self._listener.start()
        if self._automatic:
            self._thread = threading.Thread(target=self._run, name=f"cluster-{self.name}-time", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends serving and time, and removes what was written to disk."""
        self._stopping.set()
        self._listener.stop()
        if self._thread is not None:
            self._thread.join(timeout=10)
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> "ClusterSandbox":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def tick(self) -> None:
        """Brings the cluster to the clock's now: the agent looks, everything that is due happens."""
        now = self.clock()
        with self.store.lock:
            self.world.advance(now)
        if self.agent is not None and self.agent.look(now.timestamp()):
            with self.store.lock:
                self.world.advance(self.clock())

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.tick()
            with self.store.lock:
                due = self.world.next_due()
            wait = 0.1 if due is None else min(0.1, max(0.005, due - self.clock().timestamp()))
            self._stopping.wait(wait)

    def _cut(self) -> None:
        self.api.alive.serving = False
        self.api.alive.ring()

    def poke(self) -> None:
        """Tells the agent to look at its repository now."""
        if self.agent is not None:
            self.agent.poke()

    def sync(self) -> None:
        """The agent takes the repository's state now and undoes what others changed, whether or not the commit is new."""
        if self.agent is not None:
            self.agent.poke(force=True)
            self.agent.look(self.clock().timestamp())

    def behave(self, repository: str, version: str, how: str) -> None:
        """What containers of a version do: `ok`, `crash`, `pull`, `hang`, `bad_later:SECONDS`. Holds for pods that are made
        from now on, and for those that run already: they begin to crash, or get well, or turn bad so many seconds from now."""
        told = behaviour(how)
        with self.store.lock:
            self.world.rules.append((repository, version, told))
            for pod in self.store.all(PODS):
                for _, container in containers(pod.get("spec") or {}):
                    if matches(str(container.get("image", "")), repository, version):
                        turn(self.world, pod, str(container.get("name")), told)

    def running(self, repository: str | None = None) -> list[Running]:
        """The workloads and what they run, all or those of one image; read from the cluster itself."""
        return workloads(self.store, repository)

    def token(self, account: str = "bot") -> str:
        """The bearer token of `bot` (reads, and patches agent objects) or `admin` (everything)."""
        return self._tokens[account]

    def add_account(self, user: str, rules: tuple[Rule, ...]) -> str:
        """Another identity; answers its token."""
        return self.accounts.add(user, rules)

    def kubeconfig(self, path: Path, account: str = "bot") -> Path:
        """Writes a kubeconfig (as JSON, which is YAML) for an account; readable by its owner only."""
        config = document(self.name, self.url, self.ca_file, account, self.token(account))
        path.touch(mode=0o600)
        path.write_text(json.dumps(config, indent=1), encoding="utf-8")
        return path

    def apply(self, *objects: Obj) -> None:
        """Puts objects in as somebody with kubectl would: the agent did not bring them."""
        with self.store.lock:
            for obj in objects:
                wanted = with_defaults(deepcopy(obj))
                resource = self.store.catalog.by_kind(wanted["apiVersion"], wanted["kind"])
                meta = wanted["metadata"]
                current = self.store.get(resource, meta.get("namespace", "default") if resource.namespaced else "", meta["name"])
                if current is None:
                    self.store.create(resource, wanted, self.world.now)
                else:
                    fresh = {"metadata": current["metadata"] | {k: meta[k] for k in ("labels", "annotations") if k in meta}}
                    self.store.replace(resource, current | {k: v for k, v in wanted.items() if k != "metadata"} | fresh)

    def set_image(self, kind: str, namespace: str, name: str, image: str, *, container: str | None = None) -> None:
        """Changes an image behind the agent's back: drift. Without a container name the first one is meant."""
        api = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
        with self.store.lock:
            resource = self.store.catalog.by_kind(api, kind)
            current = self.store.get(resource, namespace, name)
            if current is None:
                raise KeyError(f"no {kind} {namespace}/{name} in cluster {self.name}")
            fresh = json.loads(json.dumps(current))
            pod = (fresh["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else fresh["spec"])["template"]["spec"]
            chosen = next(one for one in pod["containers"] if container in (None, one["name"]))
            chosen["image"] = image
            self.store.replace(resource, fresh)

    def run_cronjob(self, namespace: str, name: str) -> str:
        """Makes a CronJob's next Job now; answers the Job's name."""
        with self.store.lock:
            cronjob = self.store.get(CRONJOBS, namespace, name)
            if cronjob is None:
                raise KeyError(f"no CronJob {namespace}/{name} in cluster {self.name}")
            return str(run_cronjob(self.world, cronjob)["metadata"]["name"])

    def unreachable(self, *, on: bool = True) -> None:
        """Connections are refused, or taken again on the same port."""
        if on and self._listener.serving:
            self._listener.stop()
        elif not on and not self._listener.serving:
            self.api.alive.serving = True
            self._listener.start()

    def expire_watches(self) -> None:
        """Every open watch gets its 410, and so does every older resource version."""
        self.store.compact()
        self.api.alive.epoch += 1
        self.api.alive.ring()

    def problems(self) -> list[str]:
        """What the agent could not read or apply, and objects that made no sense to a controller."""
        own = [] if self.agent is None else [*([self.agent.problem] if self.agent.problem else []), *self.agent.ledger.problems]
        return [*own, *self.world.problems]

    def wait_for(self, condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
        """Waits, in real time, until a condition holds; False if it does not in time. Without `automatic` it ticks meanwhile."""
        ends = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > ends:
                return False
            if not self._automatic:
                self.tick()
            time.sleep(0.01)
        return True
