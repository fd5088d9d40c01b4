"""A stage: where it is declared, which cluster runs it, which gates guard it, how it is merged, watched and taken back.

Holds settings only. What the gates say is left to `gates`, what happens next to `planning`.
"""

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from bot.config._model import SETTINGS, Branch, Folder, RepositoryName, StageName
from bot.domain.repository import EnvironmentRepository
from bot.gates import Gate, shelf, with_always
from bot.gates._fields import Duration, Listed, PositiveDuration
from bot.gates.soak import Soak

if TYPE_CHECKING:
    AnyGate = Gate
else:
    from typing import Union

    AnyGate = Annotated[Union[shelf()], Field(discriminator="gate")]  # noqa: UP007


def _without_name(schema: dict[str, Any]) -> None:
    schema.get("properties", {}).pop("name", None)
    if "name" in schema.get("required", []):
        schema["required"].remove("name")


class Cluster(BaseModel):
    """The cluster that runs a stage. Without `kubeconfig` and `in_cluster` the usual places are tried (KUBECONFIG, ~/.kube/config)."""

    model_config = SETTINGS

    kubeconfig: str | None = Field(default=None, min_length=1)
    """Path of a kubeconfig file, on the machine that runs the bot."""
    context: str | None = Field(default=None, min_length=1)
    """The context in it; without it, its current one."""
    in_cluster: bool = False
    """Use the service account of the pod that the bot runs in."""
    namespaces: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")], ...], Listed()] = ()
    """Which namespaces belong to the stage; empty: all of them."""
    agent: Literal["none", "argocd", "flux"] = "none"
    """Which GitOps agent carries git into the cluster; the bot then waits until it says that it took the commit."""
    agent_namespaces: Annotated[tuple[str, ...], Listed()] = ()
    """Where the agent's own objects stand, when that is outside of `namespaces` (for Argo CD often `argocd`)."""
    allow_exec: bool = False
    """Let the kubeconfig start programs to log in (exec plugins of EKS, GKE, AKS)."""
    insecure_skip_tls_verify: bool = False
    """Do not check the cluster's certificate. For experiments only."""


class Rollout(BaseModel):
    """How long a rollout may take, and how long it must hold."""

    model_config = SETTINGS

    timeout: PositiveDuration = Field(default="10m", validate_default=True)
    """A rollout that is not healthy this long after the merge has failed."""
    bake: Duration = Field(default="2m", validate_default=True)
    """How long it must stay healthy before it counts."""
    grace: Duration = Field(default="15s", validate_default=True)
    """A degraded workload is given this long to recover before the rollout has failed."""


class Stage(BaseModel):
    """A place in the pipeline with its environment repository and its cluster."""

    model_config = SETTINGS | {"json_schema_extra": _without_name}

    name: StageName
    """The key it stands under."""
    after: Annotated[tuple[StageName, ...], Listed()] = ()
    """The upstream stages. A stage without any is where versions enter."""
    needs: Literal["all", "any"] = "all"
    """With several upstream stages: must a version be good in all of them, or in any?"""
    repository: RepositoryName
    """The environment repository, as `owner/name`."""
    branch: Branch = "main"
    """Its branch."""
    folder: Folder = ""
    """The folder in it; empty: the whole repository."""
    cluster: Cluster | None = None
    """What runs the stage. Without it nobody can say that a version is healthy here, and none leaves this stage by itself."""
    gates: tuple[AnyGate, ...] = Field(default=(), validate_default=True)
    """What must be true before a promotion into this stage is merged. `upstream`, `hold` and `freeze` are always on."""
    merge: Literal["auto", "manual", "queue"] = "auto"
    """Who merges: the bot, people, or GitHub's merge queue."""
    merge_method: Literal["merge", "squash", "rebase"] = "squash"
    """How."""
    rollout: Rollout = Rollout()
    """How long a rollout may take, and how long it must hold."""
    on_failure: Literal["revert", "revert-pr", "notify"] = "revert"
    """When a rollout fails: revert on the branch, open a pull request that reverts, or only tell."""
    max_reverts: int = Field(default=2, ge=1, le=10)
    """After so many reverts in a row, without a healthy rollout between them, the stage is held and people are called."""
    follow: Literal["newest", "every"] = "newest"
    """Which versions come: the newest that is good upstream, or each that was, one after the other in their order."""
    batch: Literal["service", "team", "stage"] = "service"
    """What shares a pull request."""
    commits: Literal["push", "signed"] = "push"
    """How commits are written: by git push (cheapest), or through the API so that GitHub signs them."""
    labels_as_input: bool = False
    """Does the label `promotion:approve`, put on by a person, count as that person's approval?"""
    allow_downgrade: bool = False
    """May a version enter that is older than the one that stands here?"""
    services: Annotated[tuple[str, ...], Listed()] | None = None
    """Which services are promoted into this stage, as names or globs; without it, all."""

    @property
    def environment(self) -> EnvironmentRepository:
        """Where the stage is declared."""
        return EnvironmentRepository(repository=self.repository, branch=self.branch, folder=self.folder)

    def promotes(self, service: str) -> bool:
        """True when this service is promoted into this stage."""
        return self.services is None or any(fnmatchcase(service, wanted) for wanted in self.services)

    @property
    def soak(self) -> timedelta:
        """How long a version must have been healthy upstream: the longest of the `soak` gates, zero without one."""
        return max((gate.span for gate in self.gates if isinstance(gate, Soak)), default=timedelta())

    @field_validator("gates", mode="after")
    @classmethod
    def _complete(cls, gates: tuple[Gate, ...], info: ValidationInfo) -> tuple[Gate, ...]:
        return with_always(gates, after=info.data.get("after", ()))
