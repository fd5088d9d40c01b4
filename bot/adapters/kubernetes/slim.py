"""Takes out of an object what the bot never reads: bulk, and what may be a secret.

Decides which fields those are: managed fields, the last applied configuration, the literal values of environment variables, and
in a live watch the parts of a pod's spec that say nothing about how it stands. In a recording they stay, for people.
"""

from typing import Any

from bot.workloads.deciders import AUTOSCALERS

NOISY = ("kubectl.kubernetes.io/last-applied-configuration",)
TEMPLATES = (("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"))
OF_A_POD = frozenset({
    "affinity", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases", "imagePullSecrets", "preemptionPolicy", "priority",
    "securityContext", "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "volumes",
})  # fmt: skip
"""Of a pod's spec. Its containers, node, account and restart policy stay."""
OF_A_CONTAINER = frozenset({
    "args", "command", "env", "envFrom", "imagePullPolicy", "lifecycle", "livenessProbe", "ports", "readinessProbe", "resources",
    "securityContext", "startupProbe", "terminationMessagePath", "terminationMessagePolicy", "volumeMounts", "volumeDevices",
})  # fmt: skip
LISTS = ("initContainers", "containers", "ephemeralContainers")


def slim(obj: dict[str, Any]) -> dict[str, Any]:
    """The object itself, made smaller in place."""
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            for key in NOISY:
                annotations.pop(key, None)
    for spec in pod_specs(obj):
        for key in LISTS:
            hide_values(spec.get(key))
    return obj


def lean(obj: dict[str, Any]) -> dict[str, Any]:
    """The object for a live watch: slim, and without what only a person would read. The object is made smaller in place."""
    if obj.get("kind") in AUTOSCALERS:
        return {**{key: obj.get(key) for key in ("apiVersion", "kind", "metadata")}, "spec": target_of(slim(obj).get("spec"))}
    for spec in pod_specs(slim(obj)):
        drop(spec, OF_A_POD)
        for key in LISTS:
            listed = spec.get(key)
            for container in listed if isinstance(listed, list) else []:
                if isinstance(container, dict):
                    drop(container, OF_A_CONTAINER)
    return obj


def target_of(spec: Any) -> dict[str, Any]:
    """What an autoscaler scales: all that is read of it."""
    return {"scaleTargetRef": spec.get("scaleTargetRef")} if isinstance(spec, dict) else {}


def pod_specs(obj: dict[str, Any]) -> list[dict[str, Any]]:
    """The pod's spec, or that of a workload's template."""
    found = []
    for path in (("spec",),) if obj.get("kind") == "Pod" else TEMPLATES:
        spec: Any = obj
        for key in path:
            spec = spec.get(key) if isinstance(spec, dict) else None
        if isinstance(spec, dict):
            found.append(spec)
    return found


def drop(mapping: dict[str, Any], keys: frozenset[str]) -> None:
    """Takes keys out."""
    for key in mapping.keys() & keys:
        del mapping[key]


def hide_values(containers: Any) -> None:
    """Drops the values of environment variables; their names stay. Command lines stay too: probes and reasons quote them."""
    for container in containers if isinstance(containers, list) else []:
        listed = container.get("env") if isinstance(container, dict) else None
        for variable in listed if isinstance(listed, list) else []:
            if isinstance(variable, dict):
                variable.pop("value", None)
