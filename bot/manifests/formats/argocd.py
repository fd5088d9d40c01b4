"""Argo CD Application and ApplicationSet: targetRevision, Helm parameters and values, Kustomize images, list generator elements.

A `targetRevision` counts for a chart, or where it is a tag, a commit or a range; a branch says where manifests come from, not what runs.
"""

from bot.domain.image import normal_name
from bot.domain.slot import Holds, ObjectRef
from bot.manifests.collecting import Collector, named_steps
from bot.manifests.embedded import collect_embedded
from bot.manifests.helm_parameters import collect_parameters
from bot.manifests.images import collect_images
from bot.manifests.named_values import collect_named_values
from bot.manifests.objects import at, is_kind, items, object_of, objects, text_at
from bot.manifests.revisions import is_revision, repository_name
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Scalar, Spot


def collect(collector: Collector) -> None:
    """All sources of the application, or of the set's template, and the set's list elements."""
    for spot in objects(collector.document.root):
        owner = object_of(spot.node)
        prefix = f"{owner.kind}/{owner.name}"
        spec = at(spot, "spec", "template", "spec") if owner.kind == "ApplicationSet" else at(spot, "spec")
        single = at(spec, "source") if spec is not None else None
        sources = [single] if single is not None else []
        for source in [*sources, *(items(at(spec, "sources")) if spec is not None else [])]:
            _source(collector, source, prefix, owner)
        if owner.kind == "ApplicationSet":
            for generator in items(at(spot, "spec", "generators")):
                _generator(collector, generator, prefix, owner)


def _source(collector: Collector, source: Spot, prefix: str, owner: ObjectRef) -> None:
    chart, url, revision = text_at(source, "chart"), text_at(source, "repoURL") or "", at(source, "targetRevision")
    text = text_at(revision) if revision is not None else None
    name = chart or repository_name(url).rsplit("/", 1)[-1]
    if revision is not None and text:
        if chart:
            collector.version(revision, artifact=chart, key=f"{prefix}/{name}/chart", holds=Holds.CHART, owner=owner)
        elif "{{" not in text and is_revision(text):
            artifact = repository_name(url)
            collector.version(revision, artifact=artifact, key=f"{prefix}/{name}/revision", holds=Holds.REVISION, owner=owner)
    for image in items(at(source, "kustomize", "images")):
        _kustomize_image(collector, image, f"{prefix}/{name}/kustomize", owner)
    collect_parameters(collector, items(at(source, "helm", "parameters")), f"{prefix}/{name}/parameters", owner, base=owner.name)
    for field in ("valuesObject", "values"):
        values = at(source, "helm", field)
        if values is None:
            continue
        if isinstance(values.node, Mapping):
            collect_images(collector, values, prefix=f"{prefix}/{name}/values", owner=owner)
        elif isinstance(values.node, Scalar):
            collect_embedded(collector, values, prefix=f"{prefix}/{name}/values", owner=owner)


def _kustomize_image(collector: Collector, image: Spot, prefix: str, owner: ObjectRef) -> None:
    """`[old=]name:tag`, a text of its own syntax: what is left of `=` is the name in the manifests."""
    if isinstance(image.node, Scalar):
        old = str(image.node.value).partition("=")[0]
        collector.image(image, key=f"{prefix}/{normal_name(old) or old}", owner=owner)


def _generator(collector: Collector, generator: Spot, prefix: str, owner: ObjectRef) -> None:
    """The elements of list generators, also inside matrix and merge generators."""
    for element in items(at(generator, "list", "elements")):
        steps = named_steps(collector.document.root, element.path)
        base = text_at(element, "name") or text_at(element, "app") or text_at(element, "service") or owner.name
        collect_named_values(collector, element, prefix=f"{prefix}/elements/{steps[-1]}", owner=owner, base=base)
    for outer in ("matrix", "merge"):
        for inner in items(at(generator, outer, "generators")):
            _generator(collector, inner, prefix, owner)


FORMAT = YamlFormat(
    name="argocd",
    order=20,
    needles=(b"argoproj.io",),
    claims=lambda collector: is_kind(collector.document.root, "argoproj.io", "Application", "ApplicationSet"),
    collect=collect,
)
