"""Is an image signed, or attested, by a public key? In the two forms that cosign writes, read from the registry and verified here.

Decides from the signed bytes alone: the signature must be the key's and must speak of this very digest. Transparency logs are not asked:
who has the key is trusted. https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md, https://github.com/secure-systems-lab/dsse
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.adapters.registry.client import RegistryClient
from bot.domain.errors import UserError

Key = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey
SIGNATURE = "dev.cosignproject.cosign/signature"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle"
SIGNED = ("https://sigstore.dev/cosign/sign/v1",)
KINDS: Mapping[str, tuple[str, ...]] = {
    "slsaprovenance": ("https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"),
    "slsaprovenance02": ("https://slsa.dev/provenance/v0.2",),
    "slsaprovenance1": ("https://slsa.dev/provenance/v1",),
    "spdx": ("https://spdx.dev/Document",),
    "spdxjson": ("https://spdx.dev/Document",),
    "cyclonedx": ("https://cyclonedx.org/bom",),
    "vuln": ("https://cosign.sigstore.dev/attestation/vuln/v1",),
    "openvex": ("https://openvex.dev/ns",),
    "link": ("https://in-toto.io/Link/v1",),
    "custom": ("https://cosign.sigstore.dev/attestation/v1",),
}
"""cosign's short names for types of attestations; any other type is written as its whole address."""
MOST = 50


def public_key(path: str) -> Key:
    """The key in a PEM file. `UserError` when it cannot be read, or is of a kind that cosign does not make."""
    try:
        found = load_pem_public_key(Path(path).read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        reason = getattr(error, "strerror", None) or "it is no public key in PEM"
        raise UserError(
            f"The key {path} cannot be read: {reason}.", where=path, fix="correct the gate's `signature.key`", code="BadKey"
        ) from None
    if not isinstance(found, EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey):
        raise UserError(f"The key {path} is of a kind that is not supported.", where=path, fix="use ECDSA, RSA or Ed25519", code="BadKey")
    return found


def is_signed(client: RegistryClient, repository: str, digest: str, key: Key) -> bool:
    """True when one of the image's signatures is this key's."""
    for descriptor in _layers(client, repository, f"{digest.replace(':', '-')}.sig"):
        signature = _bytes((descriptor.get("annotations") or {}).get(SIGNATURE))
        if descriptor.get("mediaType") == SIMPLE and signature:
            payload = client.blob(repository, str(descriptor.get("digest")))
            if _verified(key, signature, payload) and _named(payload) == digest:
                return True
    return any(_speaks(statement, digest, SIGNED) for statement in _bundled(client, repository, digest, key))


def is_attested(client: RegistryClient, repository: str, digest: str, key: Key, kind: str) -> bool:
    """True when this key signed an attestation of this type about the image."""
    types = KINDS.get(kind, (kind,))
    for descriptor in _layers(client, repository, f"{digest.replace(':', '-')}.att"):
        if descriptor.get("mediaType") == ENVELOPE:
            statement = _opened(_json(client.blob(repository, str(descriptor.get("digest")))), key)
            if _speaks(statement, digest, types):
                return True
    return any(_speaks(statement, digest, types) for statement in _bundled(client, repository, digest, key))


def _layers(client: RegistryClient, repository: str, tag: str) -> list[dict[str, Any]]:
    manifest = client.manifest(repository, tag)
    listed = manifest.content.get("layers") if manifest is not None else None
    return [entry for entry in (listed if isinstance(listed, list) else [])[:MOST] if isinstance(entry, dict)]


def _bundled(client: RegistryClient, repository: str, digest: str, key: Key) -> Iterator[Mapping[str, Any]]:
    """The verified statements in the sigstore bundles that refer to the image (cosign 3)."""
    for descriptor in client.referrers(repository, digest)[:MOST]:
        if str(descriptor.get("artifactType", "")).startswith(BUNDLE):
            for layer in _layers(client, repository, str(descriptor.get("digest"))):
                bundle = _json(client.blob(repository, str(layer.get("digest"))))
                yield _opened(bundle.get("dsseEnvelope"), key)


def _opened(envelope: object, key: Key) -> Mapping[str, Any]:
    """The statement inside a DSSE envelope that this key signed; empty otherwise."""
    if not isinstance(envelope, dict):
        return {}
    payload, kind = _bytes(envelope.get("payload")), str(envelope.get("payloadType", ""))
    signed = b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
    listed = envelope.get("signatures")
    for entry in (listed if isinstance(listed, list) else [])[:MOST]:
        if isinstance(entry, dict) and _verified(key, _bytes(entry.get("sig")), signed):
            return _json(payload)
    return {}


def _speaks(statement: Mapping[str, Any], digest: str, types: tuple[str, ...]) -> bool:
    algorithm, _, value = digest.partition(":")
    subjects = statement.get("subject")
    of_this = any(
        isinstance(subject, dict) and isinstance(subject.get("digest"), dict) and subject["digest"].get(algorithm) == value
        for subject in (subjects if isinstance(subjects, list) else [])
    )
    return of_this and statement.get("predicateType") in types


def _named(payload: bytes) -> object:
    """The digest that a simple signing payload speaks of."""
    critical = _json(payload).get("critical")
    image = critical.get("image") if isinstance(critical, dict) else None
    return image.get("docker-manifest-digest") if isinstance(image, dict) else None


def _verified(key: Key, signature: bytes, signed: bytes) -> bool:
    try:
        match key:
            case EllipticCurvePublicKey():
                key.verify(signature, signed, ECDSA(SHA256()))
            case RSAPublicKey():
                key.verify(signature, signed, PKCS1v15(), SHA256())
            case Ed25519PublicKey():
                key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
