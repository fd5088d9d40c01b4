"""Asks registries for the `image` gate: does it exist, with which content, for which platforms, how old, with which labels, signed by whom.

Decides what has to be read; what that allows is the gate's word. What cannot be read is left out of the answer, which then is unknown.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.registry import cosign, signatures
from bot.adapters.registry.client import Manifest, RegistryClient
from bot.adapters.registry.described import chosen, config_digest, created_of, is_index, labels_of, names, platforms_of
from bot.adapters.registry.reach import Registries
from bot.collectors.answers import Found
from bot.domain.errors import TransientError

FRESH = timedelta(minutes=1)
MISSING = timedelta(seconds=20)
"""An image that is not there yet is asked for again so soon."""
KEPT = 500


class ImageFacts:
    """The asker of `image` questions: image, tag, digest, platforms, and key or identity and issuer, attestation."""

    source = "image"

    def __init__(self, registries: Registries) -> None:
        self._registries = registries
        self._described: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        client, repository = self._registries.of(params["image"])
        reference = params.get("tag") or params.get("digest") or ""
        manifest = client.manifest(repository, reference)
        if manifest is None:
            return Found(value={"exists": False}, fresh=MISSING)
        wanted = tuple(name for name in params.get("platforms", "").split(",") if name)
        facts: dict[str, Any] = {"exists": True, "digest": manifest.digest, **self._describe(client, repository, manifest, wanted)}
        if params.get("key") or params.get("identity"):
            facts |= self._signed(client, repository, manifest.digest, params)
        return Found(value=facts, fresh=FRESH)

    def _describe(self, client: RegistryClient, repository: str, manifest: Manifest, wanted: tuple[str, ...]) -> dict[str, Any]:
        """What never changes for a digest, read once."""
        key = (manifest.digest, ",".join(wanted))
        known = self._described.get(key)
        if known is None:
            known = describe(client, repository, manifest, wanted)
            self._described[key] = known
            while len(self._described) > KEPT:
                self._described.popitem(last=False)
        return known

    def _signed(self, client: RegistryClient, repository: str, digest: str, params: Mapping[str, str]) -> dict[str, bool]:
        kind = params.get("attestation", "")
        if params.get("key"):
            key = signatures.public_key(params["key"])
            facts = {"signed": signatures.is_signed(client, repository, digest, key)}
            return facts | ({"attested": signatures.is_attested(client, repository, digest, key, kind)} if kind else {})
        who = cosign.Keyless(identity=params["identity"], issuer=params["issuer"])
        facts = {"signed": cosign.verify(client.access.door, repository, digest, who)}
        return facts | ({"attested": cosign.verify(client.access.door, repository, digest, who, attestation=kind)} if kind else {})


def describe(client: RegistryClient, repository: str, manifest: Manifest, wanted: tuple[str, ...]) -> dict[str, Any]:
    """Platforms, labels and age of an image, from the manifest of one platform and its configuration."""
    platforms: dict[str, str] | None = platforms_of(manifest.content) if is_index(manifest.content) else None
    inner: Manifest | None = manifest
    if platforms is not None:
        digest = chosen(platforms, wanted)
        inner = client.manifest(repository, digest) if digest is not None else None
        if digest is not None and inner is None:
            raise TransientError(f"{client.access.door.name} lists a platform of {repository} that it does not have")
    digest = config_digest(inner.content) if inner is not None else None
    if inner is None or digest is None:
        return {"platforms": sorted(platforms or ()), "labels": labels_of({}, manifest.content)}
    try:
        config = json.loads(client.blob(repository, digest))
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise TransientError(f"{client.access.door.name} has a configuration of {repository} that is not understood")
    labels = labels_of(config, manifest.content, inner.content)
    facts = {"platforms": sorted(platforms if platforms is not None else names(config)), "labels": labels}
    created = created_of(config, labels)
    return facts | ({"created": created} if created is not None else {})
