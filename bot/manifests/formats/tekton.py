"""Tekton: the images of steps and sidecars, the bundles that tasks are fetched from, and git resolver revisions.

A revision counts where it is a version or a commit; a branch name says nothing about what runs.
"""

from bot.domain.slot import Holds
from bot.manifests.collecting import Collector, named_steps
from bot.manifests.images import collect_images, spots
from bot.manifests.objects import is_kind, object_of, objects, text_at
from bot.manifests.revisions import is_revision
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Sequence, Spot


def collect(collector: Collector) -> None:
    """Images, bundles and revisions."""
    for spot in objects(collector.document.root):
        owner = object_of(spot.node)
        prefix = f"{owner.kind}/{owner.name}"
        collect_images(collector, spot, prefix=prefix, owner=owner, extra_keys=("bundle",))
        for found in spots(spot.node, spot.path, spot.chain):
            if found.key == "params" and isinstance(found.node, Sequence):
                _params(collector, found, prefix, spot)


def _params(collector: Collector, spot: Spot, prefix: str, root: Spot) -> None:
    """The parameters of a resolver: a bundle's reference, or a git repository's revision."""
    assert isinstance(spot.node, Sequence)
    given = {text_at(Spot(node=item, path=(), chain=()), "name"): index for index, item in enumerate(spot.node.children)}
    for name in ("bundle", "revision"):
        item = spot.node.children[given[name]] if name in given else None
        value = item.get("value") if isinstance(item, Mapping) else None
        if value is None or item is None:
            continue
        path = (*spot.path, given[name], "value")
        place = Spot(node=value, path=path, chain=(*spot.chain, spot.node, item))
        key = "/".join((prefix, *named_steps(root.node, path[len(root.path) :])))
        if name == "bundle":
            collector.image(place, key=key)
        elif "url" in given and is_revision(str(getattr(value, "value", ""))):
            url = text_at(Spot(node=spot.node.children[given["url"]], path=(), chain=()), "value") or ""
            collector.version(place, artifact=url.removesuffix(".git"), key=key, holds=Holds.REVISION)


FORMAT = YamlFormat(
    name="tekton",
    order=30,
    needles=(b"mage", b"bundle", b"revision"),
    claims=lambda collector: is_kind(collector.document.root, "tekton.dev"),
    collect=collect,
)
