"""What a manifest and an image's configuration say of an image: platforms, when it was built, its labels. Pure.

https://github.com/opencontainers/image-spec
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.instants import parse_instant

CREATED = "org.opencontainers.image.created"
FIRST_YEAR = 1980
"""Builds that want to be reproducible write 1970 or 1980: that is no date."""
FAVOURITE = "linux/amd64"


def is_index(content: Mapping[str, Any]) -> bool:
    """True for a list of manifests, one per platform."""
    return isinstance(content.get("manifests"), list)


def platforms_of(content: Mapping[str, Any]) -> dict[str, str]:
    """The platforms of an index, each with its manifest's digest; attestations that stand beside them are left out."""
    found: dict[str, str] = {}
    for entry in content.get("manifests", ()):
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if isinstance(platform, dict) and isinstance(entry.get("digest"), str):
            for name in names(platform):
                found.setdefault(name, entry["digest"])
    return found


def names(platform: Mapping[str, Any]) -> tuple[str, ...]:
    """`os/architecture`, and with the variant where there is one; nothing for what is no platform."""
    system, architecture, variant = (str(platform.get(key) or "") for key in ("os", "architecture", "variant"))
    if not system or not architecture or "unknown" in (system, architecture):
        return ()
    plain = f"{system}/{architecture}"
    return (plain, f"{plain}/{variant}") if variant else (plain,)


def chosen(platforms: Mapping[str, str], wanted: Iterable[str]) -> str | None:
    """The manifest that is looked into: of a wanted platform, else of the most common one, else the first."""
    for name in (*wanted, FAVOURITE):
        if name in platforms:
            return platforms[name]
    return next(iter(platforms.values()), None)


def config_digest(content: Mapping[str, Any]) -> str | None:
    """The digest of an image's configuration; None where the manifest is of something that is no image."""
    config = content.get("config")
    media = str(config.get("mediaType", "")) if isinstance(config, dict) else ""
    if media not in ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"):
        return None
    found = config.get("digest") if isinstance(config, dict) else None
    return found if isinstance(found, str) else None


def labels_of(config: Mapping[str, Any], *manifests: Mapping[str, Any]) -> dict[str, str]:
    """The image's labels, with the manifests' annotations where no label has the name."""
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    found: dict[str, str] = {}
    for source in (*(manifest.get("annotations") for manifest in manifests), labels):
        if isinstance(source, dict):
            found |= {str(name): str(value) for name, value in source.items()}
    return found


def created_of(config: Mapping[str, Any], labels: Mapping[str, str]) -> datetime | None:
    """When it was built (UTC), by its label or its configuration; None where nobody says so."""
    for text in (labels.get(CREATED), config.get("created")):
        try:
            found = parse_instant(text)
        except ValueError:
            continue
        if found.year > FIRST_YEAR:
            return found
    return None
