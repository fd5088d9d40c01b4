"""What the watch of new versions asks of registries: tags, digests and dates of builds."""

from datetime import datetime

from bot.adapters.registry.client import Tags
from bot.adapters.registry.facts import describe
from bot.adapters.registry.reach import Registries
from bot.domain.errors import UserError


class TagReader:
    """Reads through the shared registries. Tags are asked for with the last answer's ETag."""

    def __init__(self, registries: Registries) -> None:
        self._registries = registries
        self._tags: dict[str, Tags] = {}
        self._built: dict[str, datetime | None] = {}

    def tags(self, image: str) -> tuple[str, ...]:
        """All tags. `UserError` when there is no such repository."""
        client, repository = self._registries.of(image)
        known = self._tags.get(image)
        found = client.tags(repository, mark=known.mark if known is not None else "")
        if found is None:
            raise UserError(f"There is no repository {image} in its registry.", fix="correct artifacts.watch", code="NoRepository")
        if found.unchanged and known is not None:
            return known.names
        self._tags[image] = found
        return found.names

    def digest(self, image: str, tag: str) -> str | None:
        """The digest of what the tag names now."""
        client, repository = self._registries.of(image)
        found = client.manifest(repository, tag)
        return found.digest if found is not None else None

    def built(self, image: str, tag: str) -> datetime | None:
        """When it was built; read once for each digest."""
        client, repository = self._registries.of(image)
        manifest = client.manifest(repository, tag)
        if manifest is None:
            return None
        if manifest.digest not in self._built:
            created = describe(client, repository, manifest, ()).get("created")
            self._built[manifest.digest] = created if isinstance(created, datetime) else None
        return self._built[manifest.digest]
