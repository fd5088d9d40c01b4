"""Takes out of an object what the bot never reads: bulk, and what may be a secret.

Decides which fields those are: managed fields, the last applied configuration, and the literal values of environment variables.
"""

from typing import Any

NOISY = ("kubectl.kubernetes.io/last-applied-configuration",)
TEMPLATES = (("spec",), ("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"))


def slim(obj: dict[str, Any]) -> dict[str, Any]:
    """The object itself, made smaller in place."""
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            for key in NOISY:
                annotations.pop(key, None)
    for path in TEMPLATES:
        spec: Any = obj
        for key in path:
            spec = spec.get(key) if isinstance(spec, dict) else None
        if isinstance(spec, dict):
            for key in ("initContainers", "containers", "ephemeralContainers"):
                hide_values(spec.get(key))
    return obj


def hide_values(containers: Any) -> None:
    """Drops the values of environment variables; their names stay. Command lines stay too: probes and reasons quote them."""
    for container in containers if isinstance(containers, list) else []:
        listed = container.get("env") if isinstance(container, dict) else None
        for variable in listed if isinstance(listed, list) else []:
            if isinstance(variable, dict):
                variable.pop("value", None)
