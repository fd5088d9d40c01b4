"""Which kinds of objects are watched, and where the API keeps them.

Decides that list only. A kind that a stage can do without (its words are missing then) is not essential; one of a group that
the cluster does not serve is left out.
"""

from dataclasses import dataclass

from bot.workloads.deciders import AUTOSCALERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `versions` in the order of preference; `essential`: without it nothing can be said about the stage.

    `agent` names the GitOps agent whose objects stand in its own namespaces too; empty for the cluster's own kinds.
    """

    kind: str
    plural: str
    group: str
    versions: tuple[str, ...]
    essential: bool = False
    agent: str = ""
    field_selector: str = ""

    def path(self, version: str, namespace: str | None) -> str:
        """The path of the collection, in one namespace or (None) in all."""
        root = f"/apis/{self.group}/{version}" if self.group else f"/api/{version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace is not None else f"{root}/{self.plural}"

    @property
    def resource(self) -> str:
        """As RBAC messages and `kubectl` write it: deployments.apps."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _flux(kind: str, plural: str, part: str, *versions: str) -> Kind:
    return Kind(kind=kind, plural=plural, group=f"{part}.toolkit.fluxcd.io", versions=versions, agent="flux")


def _argo(kind: str, plural: str, agent: str = "argocd") -> Kind:
    return Kind(kind=kind, plural=plural, group="argoproj.io", versions=("v1alpha1",), agent=agent)


def _own(kind: str, group: str, *, essential: bool = False, field_selector: str = "") -> Kind:
    return Kind(kind=kind, plural=f"{kind.lower()}s", group=group, versions=("v1",), essential=essential, field_selector=field_selector)


KINDS = (
    _own("Deployment", "apps", essential=True),
    _own("StatefulSet", "apps", essential=True),
    _own("DaemonSet", "apps", essential=True),
    _own("ReplicaSet", "apps"),
    _own("Job", "batch", essential=True),
    _own("CronJob", "batch", essential=True),
    _own("Pod", ""),
    _own("Event", "", field_selector="type=Warning"),
    Kind(kind="HorizontalPodAutoscaler", plural="horizontalpodautoscalers", group="autoscaling", versions=("v2", "v2beta2", "v1")),
    Kind(kind="ScaledObject", plural="scaledobjects", group="keda.sh", versions=("v1alpha1",)),
    _argo("Rollout", "rollouts", agent=""),
    _argo("Application", "applications"),
    _argo("ApplicationSet", "applicationsets"),
    _flux("Kustomization", "kustomizations", "kustomize", "v1", "v1beta2"),
    _flux("HelmRelease", "helmreleases", "helm", "v2", "v2beta2", "v2beta1"),
    _flux("GitRepository", "gitrepositories", "source", "v1", "v1beta2"),
    _flux("OCIRepository", "ocirepositories", "source", "v1", "v1beta2"),
)

WORKLOADS = frozenset(kind.kind for kind in KINDS if kind.kind not in {"Pod", "Event", *AUTOSCALERS})
"""The kinds that a snapshot shows, where nothing else owns the object."""
