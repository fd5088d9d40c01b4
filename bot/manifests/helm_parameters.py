"""Helm parameters as lists of `name` and `value` (Argo CD's `parameters`, helmfile's `set`): tags beside repositories, whole references."""

from bot.domain.image import ImageRef, normal_name
from bot.domain.slot import Holds, ObjectRef
from bot.manifests.collecting import Collector
from bot.manifests.objects import at, text_at
from bot.yamltext import Scalar, Spot


def collect_parameters(collector: Collector, parameters: list[Spot], prefix: str, owner: ObjectRef | None, *, base: str) -> None:
    """Every image among `parameters`. `base` names what a tag belongs to that stands beside no repository."""
    texts = {text_at(one, "name"): text_at(one, "value") for one in parameters}
    for one in parameters:
        name, value = text_at(one, "name") or "", at(one, "value")
        if value is None or not isinstance(value.node, Scalar):
            continue
        stem, _, last = name.rpartition(".")
        key = f"{prefix}/{name}"
        if last.lower().endswith("image") and ImageRef.parse(str(value.node.value)) is not None:
            collector.image(value, key=key, owner=owner)
        elif last in ("tag", "digest", "imageTag"):
            repository, registry = texts.get(f"{stem}.repository") or texts.get(f"{stem}.name"), texts.get(f"{stem}.registry")
            image = normal_name(f"{registry}/{repository}" if registry and repository else repository or "")
            artifact = image or "/".join([base, *(step for step in stem.split(".") if step not in ("image", ""))])
            collector.version(value, artifact=artifact, key=key, holds=Holds.IMAGE if image else Holds.VALUE, owner=owner)
