"""Variables that say by their name that they hold a version: `payments_version`, `imageTag`, `app:tag`, `api: {version: 1.2}`.

Used by formats whose keys people choose (Ansible, Pulumi, Terraform variables, Chef, list generators).
Decides what such a value is a version of.
"""

import re

from bot.domain.slot import Holds, ObjectRef
from bot.manifests.collecting import Collector, named_steps
from bot.manifests.images import collect_images, spots, unnamed
from bot.manifests.revisions import is_revision, repository_name
from bot.yamltext import Mapping, Scalar, Sequence, Spot

VERSION_KEY = re.compile(r"(?i)(?:|.*[._:\-]|.*[a-z0-9])(?:image_?tag|version|tag|digest|target_?revision)\Z")
NOT_OURS = re.compile(
    r"(?i)(?:api|schema|config|terraform|format|kubernetes|k8s|cluster|eks|gke|aks|kube|provider|engine|postgres\w*_engine)_?version\Z"
)
_STEM = re.compile(r"(?i)[._:\-]?(?:image_?tag|version|tag|digest|target_?revision)\Z")


def collect_named_values(collector: Collector, root: Spot, *, prefix: str, base: str, owner: ObjectRef | None = None) -> None:
    """Images below `root`, and versions by their keys' names. `base` names what a bare `version` at the top belongs to."""
    before = len(collector.slots)
    collect_images(collector, root, prefix=prefix, owner=owner)
    taken = {slot.start for slot in collector.slots[before:]}
    described = {str(slot.address.get("pointer")) for slot in collector.slots[before:]}
    for spot in spots(root.node, root.path, root.chain):
        inside = spot.path[len(root.path) :]
        key = spot.key
        if isinstance(spot.node, Mapping | Sequence) or not isinstance(key, str) or not inside:
            continue
        if not VERSION_KEY.match(key) or NOT_OURS.match(key) or str(collector.address(spot.path[:-1])["pointer"]) in described:
            continue
        if not isinstance(spot.node, Scalar) or not is_revision(str(spot.node.value)) or spot.node.start_mark is None:
            continue
        if spot.node.start_mark.index + collector.shift in taken or _is_image_sibling(spot, collector):
            continue
        steps = named_steps(root.node, inside)
        artifact = _artifact(collector, spot, key, steps[-2] if len(steps) > 1 else base)
        collector.version(spot, artifact=artifact, key="/".join(filter(None, (prefix, *steps))), holds=Holds.VALUE, owner=owner)


def artifact_of(key: str, parent: str, path: str) -> str:
    """What a version is of: the key without its ending (`payments_version`), else what it stands in, else the file's folder."""
    stem = _STEM.sub("", key).replace(":", "/").strip("/_.-")
    if stem.lower().endswith("/image") or stem.lower() == "image":
        stem = stem[: -len("image")].strip("/")
    return stem or parent or unnamed(path, ())


def _artifact(collector: Collector, spot: Spot, key: str, parent: str) -> str:
    if key.lower().replace("_", "") == "targetrevision" and isinstance(spot.parent, Mapping):
        url = spot.parent.text("repoURL")
        if url:
            return repository_name(url)
    return artifact_of(key, parent, collector.path)


def _is_image_sibling(spot: Spot, collector: Collector) -> bool:
    """True where the value is part of an image map that has been collected as one."""
    return any(slot.address.get("pointer") == collector.address(spot.path[:-1])["pointer"] for slot in collector.slots)
