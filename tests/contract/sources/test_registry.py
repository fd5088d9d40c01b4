"""Images in a real registry: Debian's docker-registry."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.registry.facts import ImageFacts
from bot.domain.errors import TransientError, UserError
from tests.contract.sources.conftest import NOW, Place, facts_of
from tests.support import debian
from tests.support.images import Pusher, new_key, pem

LABELS = {"config": {"Labels": {"org.opencontainers.image.source": "https://github.com/acme/app"}}}


def test_an_index_is_told_with_its_platforms_labels_and_age(place: Place) -> None:
    digest = place.push.index("1.2.0", **LABELS)
    found = place.ask(tag="1.2.0", platforms="linux/amd64")
    assert found["exists"] is True
    assert found["digest"] == digest
    assert found["platforms"] == ["linux/amd64", "linux/arm64", "linux/arm64/v8"]
    assert found["labels"]["org.opencontainers.image.source"] == "https://github.com/acme/app"
    assert found["created"] == datetime(2026, 11, 19, 10, tzinfo=UTC)


def test_an_image_of_one_platform_is_told_too(place: Place) -> None:
    digest = place.push.image("1.0.0", architecture="arm64")["digest"]
    found = place.ask(tag="1.0.0")
    assert (found["digest"], found["platforms"]) == (digest, ["linux/arm64"])


def test_what_is_not_there_does_not_exist(place: Place) -> None:
    assert place.ask(tag="9.9.9") == {"exists": False}
    place.push.image("1.0.0")
    assert place.ask(tag="9.9.9") == {"exists": False}
    assert place.ask(digest="sha256:" + "0" * 64) == {"exists": False}


def test_a_tag_that_is_pushed_again_has_another_digest(place: Place) -> None:
    first = place.push.index("1.0.0")
    assert place.ask(tag="1.0.0")["digest"] == first
    second = place.push.index("1.0.0", created="2026-11-20T08:00:00Z")
    assert second != first
    assert place.ask(tag="1.0.0")["digest"] == second


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_an_image_that_was_deleted_since_does_not_exist(place: Place, by: str) -> None:
    digest = place.push.index("1.0.0")
    params = {"tag": "1.0.0"} if by == "tag" else {"digest": digest}
    assert place.ask(**params)["exists"]
    place.push.delete(digest)
    assert place.ask(**params) == {"exists": False}


@pytest.mark.parametrize("created", ["1970-01-01T00:00:00Z", "1980-01-01T00:00:00Z", "soon", None])
def test_a_date_that_is_none_is_left_out(place: Place, created: str | None) -> None:
    place.push.image("1.0.0", created=created)
    assert "created" not in place.ask(tag="1.0.0")


def test_a_signature_counts_only_for_its_key_and_its_image(place: Place, tmp_path: Path) -> None:
    ours, others = new_key(), new_key()
    key = tmp_path / "cosign.pub"
    key.write_bytes(pem(ours))
    digest = place.push.index("1.0.0")
    assert place.ask(tag="1.0.0", key=str(key))["signed"] is False
    place.push.sign(digest, others)
    assert place.ask(tag="1.0.0", key=str(key))["signed"] is False
    place.push.sign(digest, ours, speaks_of="sha256:" + "1" * 64)
    assert place.ask(tag="1.0.0", key=str(key))["signed"] is False
    place.push.sign(digest, ours)
    assert place.ask(tag="1.0.0", key=str(key))["signed"] is True


def test_an_attestation_counts_by_its_type(place: Place, tmp_path: Path) -> None:
    ours = new_key()
    key = tmp_path / "cosign.pub"
    key.write_bytes(pem(ours))
    digest = place.push.index("1.0.0")
    place.push.attest(digest, ours, "https://slsa.dev/provenance/v1")
    assert place.ask(tag="1.0.0", key=str(key), attestation="slsaprovenance")["attested"] is True
    assert place.ask(tag="1.0.0", key=str(key), attestation="cyclonedx")["attested"] is False
    assert place.ask(tag="1.0.0", key=str(key), attestation="https://slsa.dev/provenance/v1")["attested"] is True


def test_a_bundle_counts_like_a_signature(place: Place, tmp_path: Path) -> None:
    ours, others = new_key(), new_key()
    key = tmp_path / "cosign.pub"
    key.write_bytes(pem(ours))
    digest = place.push.index("1.0.0")
    place.push.bundle(digest, others, "https://sigstore.dev/cosign/sign/v1")
    assert place.ask(tag="1.0.0", key=str(key))["signed"] is False
    place.push.bundle(digest, ours, "https://sigstore.dev/cosign/sign/v1")
    assert place.ask(tag="1.0.0", key=str(key))["signed"] is True
    assert place.ask(tag="1.0.0", key=str(key), attestation="spdx")["attested"] is False


def test_a_key_that_cannot_be_read_is_somebodys_to_mend(place: Place, tmp_path: Path) -> None:
    place.push.index("1.0.0")
    with pytest.raises(UserError, match=r"cannot be read"):
        place.ask(tag="1.0.0", key=str(tmp_path / "none.pub"))


def test_without_cosign_nobody_can_say_who_signed(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place.push.index("1.0.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="cosign is not installed"):
        place.ask(tag="1.0.0", identity="ci", issuer="https://issuer.example")


@pytest.mark.parametrize(("code", "told"), [(0, True), (10, False), (12, False), (13, False), (1, None), (11, None)])
def test_cosigns_exit_code_is_what_counts(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int, told: bool | None
) -> None:
    digest = place.push.index("1.0.0")
    program = tmp_path / "cosign"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    params = {"tag": "1.0.0", "identity": "ci@acme.io", "issuer": "https://issuer.example"}
    if told is None:
        with pytest.raises(TransientError, match="cosign ended"):
            place.ask(**params)
    else:
        assert place.ask(**params)["signed"] is told
    asked = (tmp_path / "asked").read_text().split("\n")
    assert asked[0] == "verify"
    assert asked[asked.index("--certificate-identity") + 1] == "ci@acme.io"
    assert asked[-2].endswith(f"{place.repository}@{digest}")


def test_tags_are_read_page_by_page(place: Place) -> None:
    descriptor = place.push.image("1.0.0")
    for number in range(1, 30):
        place.push.image(f"1.0.{number}")
    client, repository = place.facts._registries.of(place.image)
    found = client.tags(repository)
    assert found is not None
    assert len(found.names) == 30
    assert descriptor["digest"]
    assert client.tags("acme/nobody") is None


def test_a_registry_that_wants_a_login_gets_it_and_one_that_is_wrong_is_told(tmp_path: Path) -> None:
    with debian.registry(tmp_path, login=True) as url:
        Pusher(url, "acme/app", (debian.USER, debian.PASSWORD)).image("1.0.0")

        def ask(facts: ImageFacts) -> object:
            return facts.ask({"image": "registry.test/acme/app", "tag": "1.0.0"}, now=NOW, before=None).value

        good = facts_of(url, credential="hub", secrets={"hub": f"{debian.USER}:{debian.PASSWORD}"})
        assert ask(good)["exists"]  # type: ignore[index]
        with pytest.raises(UserError, match="refuses us") as raised:
            ask(facts_of(url, credential="hub", secrets={"hub": "robot:wr0ng"}))
        assert "wr0ng" not in str(raised.value)
        with pytest.raises(UserError, match="wants a credential"):
            ask(facts_of(url))
        with pytest.raises(UserError, match="credential hub is not set"):
            ask(facts_of(url, credential="hub"))
