"""Which kinds of object the cluster serves, and the discovery documents that say so.

Decides the group, version, plural and scope of a kind. Kinds that nobody knows are learnt when the first object
of them is applied, as a cluster does with a CustomResourceDefinition. Leaves the objects to the store.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Obj = dict[str, Any]
READ_VERBS = ("get", "list", "watch")
ALL_VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One served kind. `builtin` kinds leave `kind` and `apiVersion` out of list items, as the apiserver does."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    builtin: bool = True
    status_subresource: bool = True

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name that error messages use: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _core(plural: str, kind: str, *short: str, namespaced: bool = True) -> Resource:
    return Resource(group="", version="v1", plural=plural, kind=kind, short=short, namespaced=namespaced)


def _custom(group: str, version: str, plural: str, kind: str, *short: str, status: bool = True) -> Resource:
    return Resource(group=group, version=version, plural=plural, kind=kind, short=short, builtin=False, status_subresource=status)


PODS = _core("pods", "Pod", "po")
EVENTS = _core("events", "Event", "ev")
NAMESPACES = _core("namespaces", "Namespace", "ns", namespaced=False)
NODES = _core("nodes", "Node", "no", namespaced=False)
DEPLOYMENTS = Resource(group="apps", version="v1", plural="deployments", kind="Deployment", short=("deploy",))
REPLICASETS = Resource(group="apps", version="v1", plural="replicasets", kind="ReplicaSet", short=("rs",))
STATEFULSETS = Resource(group="apps", version="v1", plural="statefulsets", kind="StatefulSet", short=("sts",))
DAEMONSETS = Resource(group="apps", version="v1", plural="daemonsets", kind="DaemonSet", short=("ds",))
CONTROLLERREVISIONS = Resource(group="apps", version="v1", plural="controllerrevisions", kind="ControllerRevision")
JOBS = Resource(group="batch", version="v1", plural="jobs", kind="Job")
CRONJOBS = Resource(group="batch", version="v1", plural="cronjobs", kind="CronJob", short=("cj",))
APPLICATIONS = _custom("argoproj.io", "v1alpha1", "applications", "Application", "app", "apps", status=False)
ROLLOUTS = _custom("argoproj.io", "v1alpha1", "rollouts", "Rollout", "ro")
KUSTOMIZATIONS = _custom("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization", "ks")
HELMRELEASES = _custom("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease", "hr")
GITREPOSITORIES = _custom("source.toolkit.fluxcd.io", "v1", "gitrepositories", "GitRepository", "gitrepo")
OCIREPOSITORIES = _custom("source.toolkit.fluxcd.io", "v1", "ocirepositories", "OCIRepository", "ocirepo")

KNOWN: tuple[Resource, ...] = (
    PODS,
    EVENTS,
    NAMESPACES,
    NODES,
    _core("services", "Service", "svc"),
    _core("configmaps", "ConfigMap", "cm"),
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", "sa"),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc"),
    DEPLOYMENTS,
    REPLICASETS,
    STATEFULSETS,
    DAEMONSETS,
    CONTROLLERREVISIONS,
    JOBS,
    CRONJOBS,
    Resource(group="networking.k8s.io", version="v1", plural="ingresses", kind="Ingress", short=("ing",)),
    Resource(group="policy", version="v1", plural="poddisruptionbudgets", kind="PodDisruptionBudget", short=("pdb",)),
    Resource(group="autoscaling", version="v2", plural="horizontalpodautoscalers", kind="HorizontalPodAutoscaler", short=("hpa",)),
    APPLICATIONS,
    ROLLOUTS,
    _custom("argoproj.io", "v1alpha1", "applicationsets", "ApplicationSet", "appset"),
    KUSTOMIZATIONS,
    HELMRELEASES,
    GITREPOSITORIES,
    OCIREPOSITORIES,
    _custom("source.toolkit.fluxcd.io", "v1", "helmrepositories", "HelmRepository", "helmrepo"),
)
CLUSTER_SCOPED = frozenset({"ClusterRole", "ClusterRoleBinding", "StorageClass", "PriorityClass", "CustomResourceDefinition",
                            "ClusterIssuer", "IngressClass", "PersistentVolume", "ValidatingWebhookConfiguration",
                            "MutatingWebhookConfiguration", "APIService"})  # fmt: skip


@dataclass(slots=True)
class Catalog:
    """The kinds that this cluster serves now."""

    resources: dict[tuple[str, str, str], Resource] = field(
        default_factory=lambda: {(known.group, known.version, known.plural): known for known in KNOWN}
    )

    def by_path(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource that an address of the API names, or None."""
        return self.resources.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Resource:
        """The resource of an object; learnt on the spot where it is new. Older versions of a known kind are the known one."""
        group, _, version = api_version.rpartition("/")
        for known in self.resources.values():
            if known.group == group and known.kind == kind:
                return known
        plural = plural_of(kind)
        learnt = Resource(group=group, version=version, plural=plural, kind=kind, builtin=False, namespaced=kind not in CLUSTER_SCOPED)
        self.resources[(group, version, plural)] = learnt
        return learnt

    def groups(self) -> dict[str, list[str]]:
        """Group name -> its versions, without the core group."""
        found: dict[str, list[str]] = {}
        for known in self.resources.values():
            if known.group and known.version not in found.setdefault(known.group, []):
                found[known.group].append(known.version)
        return found

    def has_group(self, group: str) -> bool:
        """Whether the group is installed at all."""
        return any(known.group == group for known in self.resources.values())

    def group_list(self) -> Obj:
        """The answer to `GET /apis`."""
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [group_document(name, versions) for name, versions in self.groups().items()],
        }

    def resource_list(self, group: str, version: str) -> Obj | None:
        """The answer to `GET /api/v1` or `/apis/GROUP/VERSION`; None where it is not served."""
        found = [known for known in self.resources.values() if (known.group, known.version) == (group, version)]
        if not found:
            return None
        group_version = f"{group}/{version}" if group else version
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": group_version,
            "resources": list(_documents(sorted(found, key=lambda known: known.plural))),
        }


def plural_of(kind: str) -> str:
    """How Kubernetes guesses a plural from a kind (`meta.UnsafeGuessKindToResource`)."""
    name = kind.lower()
    if name.endswith("s"):
        return name + "es"
    return name[:-1] + "ies" if name.endswith("y") else name + "s"


def group_document(name: str, versions: list[str]) -> Obj:
    """One group of the discovery, as in `GET /apis/NAME`."""
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _documents(found: Iterable[Resource]) -> Iterable[Obj]:
    for known in found:
        document: Obj = {
            "name": known.plural,
            "singularName": known.kind.lower(),
            "namespaced": known.namespaced,
            "kind": known.kind,
            "verbs": list(ALL_VERBS),
        }
        if known.short:
            document["shortNames"] = list(known.short)
        if known.plural in ("pods", "services", "deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs"):
            document["categories"] = ["all"]
        yield document
        if known.plural == "pods":
            yield {"name": "pods/log", "singularName": "", "namespaced": True, "kind": "Pod", "verbs": ["get"]}
        if known.status_subresource and known.plural not in ("events", "configmaps", "secrets"):
            yield {
                "name": f"{known.plural}/status",
                "singularName": "",
                "namespaced": known.namespaced,
                "kind": known.kind,
                "verbs": ["get", "patch", "update"],
            }
