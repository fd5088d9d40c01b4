"""Builds images of a few bytes and pushes them into a registry, with signatures as cosign writes them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Pusher:
    """Pushes into one repository of a registry."""

    def __init__(self, url: str, repository: str, auth: tuple[str, str] | None = None) -> None:
        self._http = httpx.Client(base_url=url, auth=auth, timeout=10)
        self._repository = repository

    def blob(self, content: bytes) -> dict[str, Any]:
        begun = self._http.post(f"/v2/{self._repository}/blobs/uploads/")
        begun.raise_for_status()
        place = httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest_of(content)})
        self._http.put(place, content=content, headers={"content-type": "application/octet-stream"}).raise_for_status()
        return {"digest": digest_of(content), "size": len(content)}

    def manifest(self, content: Mapping[str, Any], *tags: str) -> dict[str, Any]:
        raw = json.dumps(content).encode()
        for reference in tags or (digest_of(raw),):
            put = self._http.put(
                f"/v2/{self._repository}/manifests/{reference}", content=raw, headers={"content-type": str(content["mediaType"])}
            )
            assert put.is_success, put.text
        return {"mediaType": content["mediaType"], "digest": digest_of(raw), "size": len(raw)}

    def image(self, *tags: str, architecture: str = "amd64", **config: Any) -> dict[str, Any]:
        """A single-platform image; the descriptor of its manifest."""
        whole = {
            "os": "linux",
            "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": []},
            "created": "2026-11-19T10:00:00Z",
            **config,
        }
        described = self.blob(json.dumps(whole).encode())
        return self.manifest({"schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": CONFIG, **described}, "layers": []}, *tags)

    def index(self, *tags: str, platforms: tuple[str, ...] = ("amd64", "arm64"), **config: Any) -> str:
        """An index of several platforms, with an attestation beside them as buildx writes it; its digest."""
        entries = [
            {
                **self.image(architecture=name, **config),
                "platform": {"os": "linux", "architecture": name, **({"variant": "v8"} if name == "arm64" else {})},
            }
            for name in platforms
        ]
        beside = {**self.image(architecture="unknown", os="unknown"), "platform": {"os": "unknown", "architecture": "unknown"}}
        content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*entries, beside]}
        return str(self.manifest(content, *tags)["digest"])

    def delete(self, digest: str) -> None:
        self._http.delete(f"/v2/{self._repository}/manifests/{digest}").raise_for_status()

    def sign(self, digest: str, key: EllipticCurvePrivateKey, *, speaks_of: str | None = None) -> None:
        """A signature as `cosign sign --key` writes it (simple signing)."""
        critical = {
            "identity": {"docker-reference": ""},
            "image": {"docker-manifest-digest": speaks_of or digest},
            "type": "cosign container image signature",
        }
        payload = json.dumps({"critical": critical, "optional": None}).encode()
        signature = base64.b64encode(key.sign(payload, ECDSA(SHA256()))).decode()
        self._attach(
            f"{digest.replace(':', '-')}.sig",
            payload,
            {
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "annotations": {"dev.cosignproject.cosign/signature": signature},
            },
        )

    def attest(self, digest: str, key: EllipticCurvePrivateKey, predicate: str) -> None:
        """An attestation as `cosign attest --key` writes it (DSSE)."""
        envelope = json.dumps(dsse(digest, key, predicate)).encode()
        self._attach(f"{digest.replace(':', '-')}.att", envelope, {"mediaType": "application/vnd.dsse.envelope.v1+json"})

    def bundle(self, digest: str, key: EllipticCurvePrivateKey, predicate: str) -> None:
        """A sigstore bundle, found by the referrers' tag: what cosign 3 writes to registries without the referrers API."""
        kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
        content = json.dumps({"mediaType": kind, "dsseEnvelope": dsse(digest, key, predicate)}).encode()
        layer = {"mediaType": kind, **self.blob(content)}
        config = {"mediaType": "application/vnd.oci.empty.v1+json", **self.blob(b"{}")}
        found = self.manifest({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": config, "layers": [layer]})
        listed = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{**found, "artifactType": kind}]}
        self.manifest(listed, digest.replace(":", "-"))

    def _attach(self, tag: str, content: bytes, described: Mapping[str, Any]) -> None:
        config = {"mediaType": CONFIG, **self.blob(b"{}")}
        layer = {**self.blob(content), **described}
        self.manifest({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}, tag)


def dsse(digest: str, key: EllipticCurvePrivateKey, predicate: str) -> dict[str, Any]:
    """A signed in-toto statement about a digest."""
    kind = "application/vnd.in-toto+json"
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": {"sha256": digest.partition(":")[2]}}],
        "predicateType": predicate,
        "predicate": {},
    }
    payload = json.dumps(statement).encode()
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    signature = base64.b64encode(key.sign(signed, ECDSA(SHA256()))).decode()
    return {"payloadType": kind, "payload": base64.b64encode(payload).decode(), "signatures": [{"sig": signature}]}


def new_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
