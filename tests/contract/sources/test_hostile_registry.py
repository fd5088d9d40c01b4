"""Registries that lie, and whom a credential is shown to."""

import base64
import hashlib
import json
import socket
from collections.abc import Callable

import pytest

from bot.adapters.registry import ecr
from bot.adapters.registry.challenge import read_challenge, trusted_realm
from bot.adapters.safe_http import parse
from bot.domain.errors import RateLimited, TransientError, UserError
from tests.contract.sources.conftest import NAME, NOW, facts_of
from tests.support.far_side import Asked, answer, far_side, saying

IMAGE = f"{NAME}/acme/app"
MANIFEST = json.dumps({"schemaVersion": 2, "config": {"mediaType": "application/octet-stream"}, "layers": []}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
Reply = Callable[[Asked], bytes]


def by(reply: Reply) -> Callable[[Asked, socket.socket], None]:
    return lambda asked, connection: connection.sendall(reply(asked))


def ask(url: str, **settings: object) -> object:
    return facts_of(url, **settings).ask({"image": IMAGE, "tag": "1.0.0"}, now=NOW, before=None).value  # type: ignore[arg-type]


def test_the_digest_is_hashed_and_not_believed() -> None:
    with far_side(saying(answer(MANIFEST))) as far:
        assert ask(far.url)["digest"] == DIGEST  # type: ignore[index]
    with (
        far_side(saying(answer(MANIFEST, docker_content_digest="sha256:" + "0" * 64))) as far,
        pytest.raises(TransientError, match="digest"),
    ):
        ask(far.url)


def test_a_manifest_by_digest_must_be_that_content() -> None:
    with far_side(saying(answer(MANIFEST))) as far, pytest.raises(TransientError, match="digest"):
        facts_of(far.url).ask({"image": IMAGE, "digest": "sha256:" + "0" * 64}, now=NOW, before=None)


@pytest.mark.parametrize("body", [b"x" * (5 << 20), b"[]", b"not json", b"[" * 100_000])
def test_a_manifest_that_is_none_is_no_answer(body: bytes) -> None:
    with far_side(saying(answer(body))) as far, pytest.raises(TransientError):
        ask(far.url)


@pytest.mark.parametrize(
    ("status", "error"), [("429 Too Many", RateLimited), ("500 Oops", TransientError), ("403 No", UserError), ("418 Tea", TransientError)]
)
def test_other_statuses_are_no_answer(status: str, error: type[Exception]) -> None:
    with far_side(saying(answer(status=status, retry_after="7"))) as far, pytest.raises(error):
        ask(far.url)


def test_a_token_is_fetched_with_the_credential_and_kept() -> None:
    def reply(asked: Asked) -> bytes:
        if asked.path.startswith("/token?"):
            assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"me:secret").decode()
            assert "scope=repository%3Aacme%2Fapp%3Apull" in asked.path
            assert "service=reg" in asked.path
            return answer(b'{"token": "abc", "expires_in": 300}')
        if asked.headers.get("authorization") != "Bearer abc":
            challenge = f'Bearer realm="{far.url}/token",service="reg",scope="repository:acme/app:pull,push"'
            return answer(status="401 Unauthorized", www_authenticate=challenge)
        return answer(MANIFEST)

    with far_side(by(reply)) as far:
        facts = facts_of(far.url, credential="hub", secrets={"hub": "me:secret"})
        for _ in range(2):
            assert facts.ask({"image": IMAGE, "tag": "1.0.0"}, now=NOW, before=None).value["exists"]  # type: ignore[index]
    manifest = "/v2/acme/app/manifests/1.0.0"
    asked_for = [(asked.method, asked.path.partition("?")[0]) for asked in far.asked]
    assert asked_for[:3] == [("GET", manifest), ("GET", "/token"), ("GET", manifest)]
    assert asked_for[3] == ("HEAD", manifest)
    assert sum(asked.path.startswith("/token") for asked in far.asked) == 1


@pytest.mark.parametrize(
    "realm", ["http://169.254.169.254/token", "https://evil.example/token", "file:///etc/passwd", "", "http://{host}:1/token"]
)
def test_a_credential_is_shown_to_nobody_else(realm: str) -> None:
    challenge = f'Bearer realm="{realm.format(host="127.0.0.1")}",service="x"'
    with far_side(saying(answer(status="401 Unauthorized", www_authenticate=challenge))) as far, pytest.raises(UserError) as raised:
        ask(far.url, credential="hub", secrets={"hub": "me:secret"})
    assert raised.value.code == "BadRealm"
    assert "secret" not in str(raised.value)
    assert all("authorization" not in asked.headers for asked in far.asked)


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("https://registry-1.docker.io", "https://auth.docker.io/token"),
        ("https://ghcr.io", "https://ghcr.io/token"),
        ("https://quay.io", "https://quay.io/v2/auth"),
        ("https://harbor.acme.io", "https://harbor.acme.io/service/token"),
        ("https://europe-docker.pkg.dev", "https://europe-docker.pkg.dev/v2/token"),
        ("https://acme.azurecr.io", "https://acme.azurecr.io/oauth2/token"),
        ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"),
    ],
)
def test_the_token_servers_of_the_known_registries_are_taken(registry: str, realm: str) -> None:
    assert str(trusted_realm(realm, parse(registry), ())) == realm


def test_another_token_server_is_taken_when_the_operator_says_so() -> None:
    base = parse("https://registry.acme.io")
    with pytest.raises(UserError, match="not known to speak"):
        trusted_realm("https://gitlab.acme.io/jwt/auth", base, ())
    assert trusted_realm("https://gitlab.acme.io/jwt/auth", base, {"gitlab.acme.io"}).host == "gitlab.acme.io"


def test_challenges_are_read() -> None:
    found = read_challenge('Basic realm="x", Bearer realm="https://a/t?x=1",service=reg, scope="a:b:pull,push"')
    assert found is not None
    assert (found.scheme, found.realm, found.service) == ("bearer", "https://a/t?x=1", "reg")
    assert read_challenge("Negotiate") is None
    assert read_challenge("") is None


def test_a_blob_is_fetched_elsewhere_without_the_credential() -> None:
    config = json.dumps({"os": "linux", "architecture": "amd64"}).encode()
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    manifest = json.dumps({"config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest}}).encode()
    with far_side(saying(answer(config))) as store:

        def reply(asked: Asked) -> bytes:
            if "authorization" not in asked.headers:
                return answer(status="401 Unauthorized", www_authenticate='Basic realm="x"')
            if "/blobs/" in asked.path:
                return answer(status="307 Temporary Redirect", location=f"{store.url}/data?signature=1")
            return answer(manifest)

        with far_side(by(reply)) as far:
            found = ask(far.url, credential="hub", secrets={"hub": "me:secret"})
    assert found["platforms"] == ["linux/amd64"]  # type: ignore[index]
    assert [("authorization" in asked.headers, asked.path) for asked in store.asked] == [(False, "/data?signature=1")]


def test_redirects_lead_to_no_forbidden_address_and_not_in_a_circle() -> None:
    with (
        far_side(saying(answer(status="307 Temporary Redirect", location="http://169.254.169.254/"))) as far,
        pytest.raises(UserError, match="metadata"),
    ):
        ask(far.url)
    with far_side(saying(answer(status="307 Temporary Redirect", location="/v2/again"))) as far, pytest.raises(TransientError):
        ask(far.url)
    assert len(far.asked) <= 4


@pytest.mark.parametrize(
    "link",
    [
        "<http://evil.example/v2/x/tags/list>; rel=next",
        "<//evil.example/x>; rel=next",
        "<https://127.0.0.1/x>; rel=next",
        "</v2/a?last=1>; rel=next",
    ],
)
def test_pages_of_tags_stay_with_the_registry_and_end(link: str) -> None:
    with far_side(saying(answer(b'{"tags": ["1.0.0"]}', link=link))) as far:
        client, repository = facts_of(far.url)._registries.of(IMAGE)
        with pytest.raises(TransientError, match=r"links|circle"):
            client.tags(repository)
    assert len(far.asked) <= 3


def test_endless_pages_end() -> None:
    pages = iter(range(10_000))

    def reply(_asked: Asked) -> bytes:
        return answer(b'{"tags": ["1.0.0"]}', link=f"</v2/x/tags/list?last={next(pages)}>; rel=next")

    with far_side(by(reply)) as far:
        client, repository = facts_of(far.url)._registries.of(IMAGE)
        with pytest.raises(TransientError, match="more than 100 pages"):
            client.tags(repository)
    assert len(far.asked) == 100


def test_odd_tags_are_counted_and_left_out() -> None:
    tags = ["1.0.0", "v1<script>", "@here", "\U0001f600", "x" * 10_000, "-lead", 7, None, "latest"]
    with far_side(saying(answer(json.dumps({"tags": tags}).encode(), etag='"e1"'), answer(status="304 Not Modified"))) as far:
        client, repository = facts_of(far.url)._registries.of(IMAGE)
        found = client.tags(repository)
        assert found is not None
        assert (found.names, found.odd, found.mark) == (("1.0.0", "latest"), 7, '"e1"')
        again = client.tags(repository, mark=found.mark)
        assert again is not None
        assert again.unchanged
    assert far.asked[1].headers["if-none-match"] == '"e1"'


def test_amazons_signature_is_the_one_of_its_own_example() -> None:
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
    keys = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    signed = ecr.sign("GET", "/", headers, b"", keys=keys, scope=("us-east-1", "service"))
    assert signed.endswith("Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")


def test_a_name_from_a_manifest_leads_to_no_private_address_and_no_credential() -> None:
    with far_side(saying(answer(MANIFEST))) as far:
        facts = facts_of(far.url, credential="hub", secrets={"hub": "me:secret"})
        with pytest.raises((UserError, TransientError)):
            facts.ask({"image": f"127.0.0.1:{far.port}/acme/app", "tag": "1.0.0"}, now=NOW, before=None)
    assert far.asked == []
