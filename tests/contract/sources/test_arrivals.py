"""New versions, from a real registry and from CIs with real tokens, into a real database; over the real web server."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from bot.adapters.credentials import Credentials
from bot.adapters.oidc import IdentityTokens
from bot.adapters.registry.reader import TagReader
from bot.adapters.safe_http import SafeHttp
from bot.adapters.store.arrivals import StoredArrivals
from bot.adapters.store.database import Database
from bot.adapters.store.migrate import upgrade
from bot.collectors.artifacts import RegistryWatch
from bot.config.schema import Config
from bot.domain.arrival import Arrival
from bot.domain.errors import TransientError, UserError
from bot.domain.image import Version
from bot.web.artifacts import Door, router
from bot.web.health import Readiness
from bot.web.server import create_app
from tests.contract.sources.conftest import Place
from tests.support.cases import NOW
from tests.support.far_side import Asked, FarSide, answer, far_side
from tests.support.unwritable import read_only
from tests.support.web import served

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HOOK = "a-secret-that-nobody-guesses"
IMAGE = "ghcr.io/acme/app"


def config(*watches: dict[str, Any], publishers: list[dict[str, Any]] | None = None) -> Config:
    stages = {"dev": {"repository": "acme/env-dev"}, "qa": {"repository": "acme/env-qa", "after": "dev"}}
    artifacts = {"watch": list(watches), "publishers": publishers or []}
    return Config.model_validate({"version": 1, "pipeline": {"stages": stages}, "artifacts": artifacts})


@pytest.fixture
def arrivals(tmp_path: Path) -> Iterator[StoredArrivals]:
    database = Database(f"sqlite:///{tmp_path}/bot.db")
    upgrade(database)
    yield StoredArrivals(database)
    database.close()


class Woken(list[tuple[str, str]]):
    def __call__(self, stage: str, why: str) -> None:
        self.append((stage, why))


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_new_version_arrives_once_and_wakes_the_first_stage(place: Place, arrivals: StoredArrivals) -> None:
    digest = place.push.index("1.0.0")
    woken = Woken()
    watch = RegistryWatch(config({"image": place.image, "every": "1m"}), TagReader(place.facts._registries), arrivals, wake=woken)
    watch.poll(NOW)
    assert arrivals.newest()[place.image].version == Version(tag="1.0.0", digest=digest)
    assert [stage for stage, _ in woken] == ["dev"]
    newer = place.push.index("1.1.0", created="2026-11-19T11:00:00Z")
    watch.poll(at(30))
    assert len(woken) == 1
    watch.poll(at(60))
    assert arrivals.newest()[place.image].version == Version(tag="1.1.0", digest=newer)
    watch.poll(at(120))
    assert len(woken) == 2


def test_a_hint_makes_it_sooner_but_not_too_often(place: Place, arrivals: StoredArrivals) -> None:
    place.push.index("1.0.0")
    watch = RegistryWatch(config({"image": place.image, "every": "1h"}), TagReader(place.facts._registries), arrivals, wake=Woken())
    watch.poll(NOW)
    place.push.index("1.1.0")
    assert watch.hint([place.repository], now=at(1)) == 1
    assert watch.hint(["somebody/else"], now=at(1)) == 0
    watch.poll(at(2))
    assert arrivals.newest()[place.image].version.tag == "1.0.0"
    watch.poll(at(5))
    assert arrivals.newest()[place.image].version.tag == "1.1.0"


def test_a_tag_that_is_pushed_again_arrives_by_its_digest(place: Place, arrivals: StoredArrivals) -> None:
    settings = {"image": place.image, "pick": "digest", "tag": "edge", "every": "1m"}
    watch = RegistryWatch(config(settings), TagReader(place.facts._registries), arrivals, wake=Woken())
    first = place.push.index("edge")
    watch.poll(NOW)
    second = place.push.index("edge", created="2026-11-19T11:00:00Z")
    watch.poll(at(60))
    assert first != second
    assert arrivals.newest()[place.image].version == Version(tag="edge", digest=second)


def test_the_newest_build_is_found_by_its_date(place: Place, arrivals: StoredArrivals) -> None:
    place.push.index("fff0000", created="2026-11-19T11:00:00Z")
    place.push.index("abc1234", created="2026-11-19T12:00:00Z")
    place.push.index("000ffff", created="2026-11-19T10:00:00Z")
    settings = {"image": place.image, "pick": "newest", "pattern": "[0-9a-f]{7}"}
    RegistryWatch(config(settings), TagReader(place.facts._registries), arrivals, wake=Woken()).poll(NOW)
    assert arrivals.newest()[place.image].version.tag == "abc1234"


def test_a_watch_that_fails_holds_up_no_other_and_is_told(place: Place, arrivals: StoredArrivals) -> None:
    place.push.index("1.0.0")
    watch = RegistryWatch(
        config({"image": "registry.test/no/body"}, {"image": place.image}), TagReader(place.facts._registries), arrivals, wake=Woken()
    )
    watch.poll(NOW)
    assert set(arrivals.newest()) == {place.image}
    assert "There is no repository" in watch.problems()["registry.test/no/body"]


def test_what_arrived_last_counts_over_a_restart(arrivals: StoredArrivals) -> None:
    def arrival(tag: str, seconds: int) -> Arrival:
        return Arrival(artifact=IMAGE, version=Version(tag=tag), at=at(seconds), source="token")

    assert arrivals.add(arrival("1.0.0", 1))
    assert not arrivals.add(arrival("1.0.0", 2))
    assert not arrivals.add(arrival("0.9.0", 0))
    assert arrivals.add(arrival("1.1.0", 3))
    assert arrivals.newest()[IMAGE] == arrival("1.1.0", 3)


class Site:
    """The bot's web server with these routes, and a token server beside it."""

    def __init__(self, url: str, issuer: str, arrivals: StoredArrivals, woken: Woken, watch: RegistryWatch) -> None:
        self.issuer, self.arrivals, self.woken, self.watch = issuer, arrivals, woken, watch
        self.http = httpx.Client(base_url=url, timeout=10)

    def token(self, *, key: rsa.RSAPrivateKey = KEY, kid: str = "k1", algorithm: str = "RS256", **claims: Any) -> str:
        now = int(datetime.now(UTC).timestamp())
        whole = {
            "iss": self.issuer,
            "aud": "promotion-bot",
            "sub": "repo:acme/app",
            "iat": now,
            "exp": now + 300,
            "repository": "acme/app",
            "ref": "refs/heads/main",
            "event_name": "push",
            **claims,
        }
        return jwt.encode(
            {name: value for name, value in whole.items() if value is not None}, key, algorithm=algorithm, headers={"kid": kid}
        )

    def tell(self, token: str | None, **body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        return self.http.post("/api/v1/artifacts", headers=headers, json={"image": IMAGE, "tag": "1.2.0", **body})


def issuing(keys: Callable[[], list[rsa.RSAPublicKey]], home: list[FarSide]) -> Callable[[Asked, socket.socket], None]:
    def handle(asked: Asked, connection: socket.socket) -> None:
        if asked.path == "/.well-known/openid-configuration":
            connection.sendall(answer(json.dumps({"jwks_uri": f"{home[0].url}/keys"}).encode()))
            return
        listed = [
            {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key)), "kid": f"k{number}", "alg": "RS256"}
            for number, key in enumerate(keys(), 1)
        ]
        connection.sendall(answer(json.dumps({"keys": listed}).encode()))

    return handle


@pytest.fixture
def site(arrivals: StoredArrivals) -> Iterator[Site]:
    home: list[FarSide] = []
    with far_side(issuing(lambda: [KEY.public_key()], home)) as issuer:
        home.append(issuer)
        publishers = [
            {"kind": "github", "issuer": issuer.url, "repositories": "acme/*", "images": "ghcr.io/acme/*"},
            {"kind": "token", "credential": "ci", "images": ["ghcr.io/acme/app"]},
            {"kind": "token", "credential": "unset", "images": ["*"]},
        ]
        made, woken = config({"image": IMAGE, "every": "1h"}, publishers=publishers), Woken()
        watch = RegistryWatch(made, Nobody(), arrivals, wake=woken)
        door = Door(
            config=made,
            credentials=Credentials({"ci": SecretStr("f1xed-token")}),
            tokens=IdentityTokens(SafeHttp(), private=True),
            arrivals=arrivals,
            watch=watch,
            wake=woken,
            clock=lambda: NOW,
            hook_secret=HOOK,
        )
        with served(create_app([router(door)], readiness=Readiness())) as url:
            found = Site(url, issuer.url, arrivals, woken, watch)
            yield found
            found.http.close()


class Nobody:
    """A registry that has nothing."""

    def tags(self, image: str) -> tuple[str, ...]:
        return ()

    def digest(self, image: str, tag: str) -> str | None:
        return None

    def built(self, image: str, tag: str) -> datetime | None:
        return None


def test_a_ci_tells_of_its_build(site: Site) -> None:
    digest = "sha256:" + "a" * 64
    told = site.tell(site.token(), digest=digest, commit="c" * 40, url="https://github.com/acme/app/actions/runs/1")
    assert (told.status_code, told.json()["status"]) == (202, "accepted")
    (arrival,) = site.arrivals.newest().values()
    assert (arrival.version, arrival.source, arrival.by) == (Version(tag="1.2.0", digest=digest), "github", "acme/app@refs/heads/main")
    assert [stage for stage, _ in site.woken] == ["dev"]
    again = site.tell(site.token(), digest=digest)
    assert (again.status_code, again.json()["status"]) == (200, "known")
    assert len(site.woken) == 1


def test_a_gitlab_job_is_known_by_its_project_and_ref(site: Site) -> None:
    gitlab = {"repository": None, "ref": "v1.2.0", "ref_type": "tag", "project_path": "acme/app", "event_name": None}
    assert site.tell(site.token(**gitlab)).status_code == 202
    assert site.tell(site.token(**(gitlab | {"ref_type": None}))).status_code == 403


def test_a_fixed_token_is_taken_for_its_images(site: Site) -> None:
    assert site.tell("f1xed-token").status_code == 202
    refused = site.tell("f1xed-token", image="ghcr.io/acme/other")
    assert (refused.status_code, "may not tell" in refused.json()["error"]) == (403, True)
    assert site.arrivals.newest()[IMAGE].by == "ci"


def test_a_build_that_cannot_be_stored_is_told_again_later(site: Site) -> None:
    with read_only(site.arrivals._database):
        told = site.tell("f1xed-token")
        assert (told.status_code, "cannot be written" in told.json()["error"]) == (503, True)
    assert site.tell("f1xed-token").status_code == 202


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": OTHER},
        {"kid": "k9"},
        {"aud": "somebody-else"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"iss": "https://token.actions.githubusercontent.com"},
        {"iss": None},
        {"iat": 9_999_999_999},
    ],
)
def test_a_token_that_is_not_right_is_refused(site: Site, wrong: dict[str, Any]) -> None:
    assert site.tell(site.token(**wrong)).status_code == 401
    assert site.arrivals.newest() == {}
    assert site.woken == []


def test_a_token_without_a_signature_is_refused(site: Site) -> None:
    claims = {"iss": site.issuer, "aud": "promotion-bot", "sub": "x", "iat": 1, "exp": 9_999_999_999, "repository": "acme/app"}
    forged = [jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"}), jwt.encode(claims, "k" * 32, headers={"kid": "k1"})]
    forged += ["a.b.c", "x" * 9_000, "wrong"]
    assert [site.tell(token).status_code for token in forged] == [401] * len(forged)
    assert site.tell(None).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"repository": "evil/app"},
        {"repository": "evilacme/app"},
        {"ref": "refs/heads/feature"},
        {"ref": "refs/pull/7/merge"},
        {"event_name": "pull_request_target"},
        {"repository": None},
    ],
)
def test_a_token_of_somebody_else_is_refused(site: Site, claims: dict[str, Any]) -> None:
    assert site.tell(site.token(**claims)).status_code == 403
    assert site.arrivals.newest() == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"tag": "v1<script>"}, 422),
        ({"tag": ""}, 422),
        ({"tag": "-x"}, 422),
        ({"tag": 7}, 422),
        ({"digest": "sha256:short"}, 422),
        ({"image": "ghcr.io/acme/app:1"}, 422),
        ({"image": ""}, 422),
        ({"stage": "prod"}, 422),
        ({"url": "x" * 600}, 422),
        ({"commit": "a\nb"}, 422),
    ],
)
def test_a_body_that_is_not_right_is_refused(site: Site, body: dict[str, Any], status: int) -> None:
    assert site.tell("f1xed-token", **body).status_code == status
    assert site.arrivals.newest() == {}


def test_a_body_that_is_no_json_or_too_large_is_refused(site: Site) -> None:
    headers = {"authorization": "Bearer f1xed-token"}
    assert site.http.post("/api/v1/artifacts", headers=headers, content=b"{").status_code == 400
    assert site.http.post("/api/v1/artifacts", headers=headers, content=b'"' + b"x" * (70 << 10) + b'"').status_code == 413


NOTICES = [
    {"push_data": {"tag": "1"}, "callback_url": "http://169.254.169.254/", "repository": {"repo_name": "acme/app"}},
    {"repository": "acme/app", "docker_url": "quay.io/acme/app", "updated_tags": ["1"]},
    {"event_data": {"resources": [{"resource_url": "ghcr.io/acme/app:1.2.0"}], "repository": {"repo_full_name": "acme/app"}}},
    {"events": [{"action": "push", "target": {"repository": "acme/app", "tag": "1"}, "request": {"host": "x"}}]},
    {"detail": {"repository-name": "acme/app", "action-type": "PUSH"}},
    {"message": {"data": "eyJhY3Rpb24iOiJJTlNFUlQiLCJ0YWciOiJnaGNyLmlvL2FjbWUvYXBwOjEuMi4wIn0="}},
]


@pytest.mark.parametrize("notice", NOTICES)
def test_registries_notices_are_hints(site: Site, notice: dict[str, Any]) -> None:
    site.watch.poll(NOW)
    told = site.http.post(f"/webhooks/registry/{HOOK}", json=notice)
    assert (told.status_code, told.json()["watches"]) == (202, 1)
    assert site.arrivals.newest() == {}


def test_a_notice_without_the_secret_is_nothing_and_of_strangers_is_dropped(site: Site) -> None:
    assert site.http.post("/webhooks/registry/guess", json=NOTICES[0]).status_code == 404
    assert site.http.post(f"/webhooks/registry/{HOOK}", json={"repository": "some/body"}).json()["watches"] == 0
    assert site.http.post(f"/webhooks/registry/{HOOK}", content=b"nonsense").status_code == 400
    assert site.http.post(f"/webhooks/registry/{HOOK}", content=b"[" * 100_000).status_code in (202, 400)


def test_keys_on_another_host_are_not_fetched() -> None:
    with far_side(lambda _asked, connection: connection.sendall(answer(b'{"jwks_uri": "http://evil.example/keys"}'))) as issuer:
        now = int(datetime.now(UTC).timestamp())
        token = jwt.encode({"iss": issuer.url, "aud": "a", "sub": "s", "iat": now, "exp": now + 9}, KEY, "RS256", {"kid": "k1"})
        with pytest.raises(TransientError, match="another host"):
            IdentityTokens(SafeHttp(), private=True).claims(token, issuer=issuer.url, audience="a")


def test_an_issuer_that_is_down_is_not_asked_by_every_token() -> None:
    with far_side(lambda _asked, connection: connection.sendall(answer(status="500 No"))) as issuer:
        now = int(datetime.now(UTC).timestamp())
        token = jwt.encode({"iss": issuer.url, "aud": "a", "sub": "s", "iat": now, "exp": now + 9}, KEY, "RS256", {"kid": "k1"})
        tokens = IdentityTokens(SafeHttp(), private=True)
        for _ in range(5):
            with pytest.raises(TransientError):
                tokens.claims(token, issuer=issuer.url, audience="a")
    assert len(issuer.asked) == 1


def test_strange_keys_make_us_ask_the_issuer_once_a_minute_at_most() -> None:
    keys, home = [OTHER.public_key()], []
    with far_side(issuing(lambda: keys, home)) as issuer:
        home.append(issuer)
        now = int(datetime.now(UTC).timestamp())
        tokens = IdentityTokens(SafeHttp(), private=True)
        for _ in range(3):
            token = jwt.encode({"iss": issuer.url, "aud": "a", "sub": "s", "iat": now, "exp": now + 9}, KEY, "RS256", {"kid": "k2"})
            with pytest.raises(UserError, match="not one of the issuer's"):
                tokens.claims(token, issuer=issuer.url, audience="a")
    assert len(issuer.asked) == 2
