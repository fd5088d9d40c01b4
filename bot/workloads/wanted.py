"""Whether a workload's images are the promoted one, an older one or a newer one.

Decides from references alone: equal names and the same version, where an unknown tag or digest says nothing. Where two versions
cannot be compared, an image seen before ours is taken for the older one.
"""

from collections.abc import Collection

from bot.domain import order
from bot.domain.image import ImageRef, known_as


def wants(images: Collection[str], wanted: str) -> bool:
    """Whether one of the images is the wanted one; `nginx:1` and `docker.io/library/nginx:1` are one image.

    So is `mirror.local/docker.io/library/nginx:1`, as an admission webhook may have written it.
    """
    parsed = ImageRef.parse(wanted)
    if parsed is None:
        return wanted in images
    return wanted in images or any(same_image(other, parsed) for image in images for other in known_as(image))


def same_image(left: ImageRef, right: ImageRef) -> bool:
    """Equal names and the same version."""
    return left.name == right.name and order.same(left.version, right.version)


def overtaken_by(images: Collection[str], wanted: str, before: Collection[str]) -> bool:
    """Whether the images replaced the wanted one by something newer, not by what stood there before."""
    ours = ImageRef.parse(wanted)
    for other in (found for image in images for found in known_as(image)):
        if ours is None or other.name != ours.name:
            continue
        compared = order.compare(other.version, ours.version)
        if compared is not None and compared != 0:
            return compared > 0
    return not any(image in before for image in images)
