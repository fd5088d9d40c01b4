"""Which commit an image was built from, as it says itself in `org.opencontainers.image.revision`.

https://specs.opencontainers.org/image-spec/annotations/
"""

from bot.adapters.registry.facts import describe
from bot.adapters.registry.reach import Registries
from bot.domain.errors import BotError
from bot.domain.image import Version

LABEL = "org.opencontainers.image.revision"


def revision_of(registries: Registries, image: str, version: Version) -> str | None:
    """The commit; None where the image, or the label, is not there or cannot be read now."""
    reference = version.digest or version.tag
    if not reference:
        return None
    try:
        client, repository = registries.of(image)
        manifest = client.manifest(repository, reference)
        found = describe(client, repository, manifest, ())["labels"].get(LABEL) if manifest is not None else None
    except BotError:
        return None
    return found if isinstance(found, str) and found else None
