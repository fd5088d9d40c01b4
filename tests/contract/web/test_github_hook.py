"""The webhook endpoint as GitHub, an attacker and a broken network see it."""

import gzip
import http.client
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.store import hints as marks
from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.wakeups import Wakeups
from bot.domain.errors import UserError
from bot.web import body as body_reading
from bot.web import lingering
from bot.web.github_hook import PATH, check_secrets
from bot.web.intake import APART, Intake, StageMap, StagePlace
from bot.web.signature import signed_by
from tests.support.builders import NOW, promotion
from tests.support.web import SECRETS, Runs, WebWorld, push, web_world


@pytest.fixture
def world(database: Database) -> Iterator[WebWorld]:
    with web_world(database) as found:
        yield found


def deliveries(world: WebWorld) -> dict[str, str]:
    with world.database.read() as session:
        return {row.delivery: row.state for row in inbox.listing(session)}


def test_an_event_is_stored_and_wakes_its_stage_and_those_after_it(world: WebWorld) -> None:
    answer = world.send()
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert world.runs.stages == ["prod", "qa"]
    assert deliveries(world) == {"d1": "received"}
    with world.database.read() as session:
        assert marks.fetch_wanted(session, "acme/env-qa") != 0


def test_events_that_keep_coming_are_looked_at_together(world: WebWorld) -> None:
    far = datetime.now(UTC) + timedelta(hours=1)
    Wakeups(world.database, world.runs).begin("qa", "run", now=far)
    world.send()
    assert world.runs.waits == {"qa": APART.total_seconds(), "prod": 0.0}, "a run of qa has just begun (the clock was set back since)"


@pytest.mark.parametrize(
    ("ref", "woken"),
    [("refs/heads/prod", ["prod"]), ("refs/heads/promote/qa/payments", ["prod", "qa"]), ("refs/tags/v1", ["prod", "qa"])],
)
def test_a_push_wakes_the_stages_of_its_branch(world: WebWorld, ref: str, woken: list[str]) -> None:
    world.send(payload=push(ref=ref))
    assert world.runs.stages == woken


@pytest.mark.parametrize(
    "headers",
    [
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": "", "x-hub-signature": "sha1=0123456789abcdef0123456789abcdef01234567"},
        {"x-hub-signature-256": "sha256=" + "0" * 64},
        {"x-hub-signature-256": "sha256=" + "0" * 63},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "0" * 64},
        {"x-hub-signature-256": "sha256=" + "é" * 32},
        {"x-hub-signature-256": "sha1=" + "0" * 40},
    ],
)
def test_a_forged_or_missing_signature_is_refused_and_nothing_is_stored(world: WebWorld, headers: dict[str, str]) -> None:
    answer = world.send(headers={key: value.encode("utf-8") for key, value in headers.items()})
    assert (answer.status_code, answer.json()) == (401, {"error": "bad signature"})
    assert deliveries(world) == {}


def test_the_secret_before_is_accepted_while_it_is_rotated_out(world: WebWorld) -> None:
    assert world.send(secret=SECRETS[1]).status_code == 202
    assert 'webhook_secret_used_total{place="1"}' in world.http.get("/metrics").text


def test_a_redelivery_is_handled_until_the_first_is_finished(world: WebWorld) -> None:
    assert world.send().json() == {"status": "accepted"}
    assert world.send().json() == {"status": "again"}
    with world.database.write() as session:
        for stage in ("qa", "prod"):
            inbox.take(session, stage, "r")
            inbox.answered(session, stage, "r", now=NOW)
    assert world.send().json() == {"status": "duplicate"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "a": 2}}',
        b"\xef\xbb\xbf{}",
        b'{"a": "\xff"}',
        b'{"a": "\xe2\x82',
        b'{"n": ' + b"9" * 1_000_000 + b"}",
        b'{"a": ' + b"[" * 200_000,
        "ключ=значение".encode(),
    ],
)
def test_what_is_no_json_object_is_refused(world: WebWorld, content: bytes) -> None:
    answer = world.send(payload=content)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("bad json")
    assert deliveries(world) == {}


@pytest.mark.parametrize(
    "headers", [{"x-github-event": ""}, {"x-github-delivery": ""}, {"x-github-delivery": "a b"}, {"x-github-event": "P;drop"}]
)
def test_headers_that_name_nothing_are_refused(world: WebWorld, headers: dict[str, str]) -> None:
    assert world.send(headers=headers).status_code == 400


def test_a_compressed_body_is_not_unpacked(world: WebWorld) -> None:
    answer = world.send(payload=gzip.compress(b"0" * 10_000_000), headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


def test_a_form_is_refused_with_a_hint(world: WebWorld) -> None:
    answer = world.send(headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]


def raw(world: WebWorld, head: str, *parts: bytes, pause: float = 0.0) -> str:
    """Speak to the server by hand; the answer's first line."""
    address = urlsplit(world.url)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head.encode())
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            return connection.makefile("rb").readline().decode()
        except ConnectionResetError:
            return "reset"


def test_a_declared_size_above_the_limit_is_refused_before_it_is_sent(world: WebWorld) -> None:
    assert " 413 " in raw(world, f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n")


def test_a_chunked_body_above_the_limit_is_cut_off(world: WebWorld) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    first = raw(world, f"POST {PATH} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", *[chunk] * 30)
    assert " 413 " in first
    assert world.http.get("/healthz").status_code == 200


def test_a_client_that_sends_all_before_it_reads_gets_the_refusal_and_no_reset(world: WebWorld) -> None:
    address = urlsplit(world.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.request("POST", PATH, body=b"x" * 30_000_000, headers={"content-type": "application/json"})
    assert connection.getresponse().status == 413
    connection.close()
    assert deliveries(world) == {}


def test_a_sender_that_never_ends_is_let_go(world: WebWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LONGEST_SECONDS", 0.5)
    began = time.monotonic()
    address = urlsplit(world.url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=30) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n".encode())
        assert b" 413 " in b"".join(iter(lambda: connection.recv(65536), b""))
    assert 0.4 < time.monotonic() - began < 8


def test_a_body_that_trickles_in_is_cut_off_and_others_are_served_meanwhile(world: WebWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = body_reading.read_body.__kwdefaults__
    monkeypatch.setitem(reading, "seconds", 1.0)
    began = time.monotonic()
    first = raw(world, f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n", *[b"x"] * 8, pause=0.25)
    assert " 408 " in first
    assert time.monotonic() - began < 8
    assert world.send().status_code == 202


def test_a_connection_that_breaks_off_stores_nothing(world: WebWorld) -> None:
    address = urlsplit(world.url)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf".encode())
    assert world.http.get("/healthz").status_code == 200
    assert deliveries(world) == {}


@pytest.mark.parametrize(
    ("event", "payload", "sender", "status"),
    [
        ("issue_comment", {"action": "created", "issue": {"number": 7, "pull_request": {}}}, "promoter[bot]", "ignored"),
        ("issue_comment", {"action": "created", "issue": {"number": 7, "pull_request": {}}}, "ana", "accepted"),
        ("pull_request", {"action": "labeled", "pull_request": {"number": 7}}, "promoter[bot]", "ignored"),
        ("pull_request", {"action": "closed", "pull_request": {"number": 7}}, "promoter[bot]", "accepted"),
        ("push", {"ref": "refs/heads/main"}, "promoter[bot]", "accepted"),
        ("status", {"sha": "a" * 40}, "promoter[bot]", "ignored"),
        ("status", {"sha": "a" * 40}, "jenkins", "accepted"),
        ("star", {"action": "created"}, "ana", "ignored"),
    ],
)
def test_echoes_of_our_own_writing_and_unknown_events_are_ignored(
    world: WebWorld, event: str, payload: dict[str, object], sender: str, status: str
) -> None:
    full = {**payload, "repository": {"id": 17, "full_name": "acme/env-qa"}, "sender": {"id": 1, "login": sender}}
    assert world.send(event, full).json() == {"status": status}


def test_a_repository_of_no_stage_is_ignored(world: WebWorld) -> None:
    assert world.send(payload=push("acme/website", **{"x": 1})).json() == {"status": "ignored"}
    assert deliveries(world) == {}


def test_a_renamed_repository_is_known_by_its_number(world: WebWorld) -> None:
    world.send()
    renamed = push("acme/environment-qa", after="b" * 40)
    assert world.send(payload=renamed, delivery="d2").json() == {"status": "accepted"}
    with world.database.read() as session:
        assert {row.repository for row in inbox.listing(session)} == {"acme/env-qa"}


def test_pull_requests_that_an_event_speaks_of_are_read_again(world: WebWorld) -> None:
    history = StoredHistory(world.database)
    history.save_promotion(promotion(number=9, head="c" * 40), why="x", actor="b", now=NOW)
    where = {"repository": {"id": 17, "full_name": "acme/env-qa"}, "sender": {"id": 5, "login": "ci"}}
    world.send("pull_request_review", {"pull_request": {"number": 7, "base": {"ref": "main"}}, **where})
    world.send("check_run", {"check_run": {"head_sha": "d" * 40, "pull_requests": [{"number": 8}]}, **where}, delivery="d2")
    world.send("status", {"sha": "c" * 40, **where}, delivery="d3")
    world.send("issue_comment", {"issue": {"number": 5}, **where}, delivery="d4")
    assert set(history.stale_pulls("acme/env-qa")) == {7, 8, 9}


def take_away(database: Database) -> None:
    """The database cannot be reached any more, as after a failover or a lost volume."""
    url = database.engine.url
    if database.is_sqlite:
        database.close()
        path = Path(str(url.database))
        for found in path.parent.glob(f"{path.name}*"):
            found.unlink()
        path.mkdir()
        return
    admin = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'")
    admin.dispose()


def test_without_a_database_the_answer_is_503_and_readiness_goes(world: WebWorld) -> None:
    assert world.http.get("/readyz").status_code == 200
    take_away(world.database)
    answer = world.send()
    assert answer.status_code == 503
    assert "fetched again" in answer.json()["error"]
    assert world.http.get("/readyz").status_code == 503
    assert world.http.get("/healthz").status_code == 200


def test_before_it_stops_it_says_that_it_is_not_ready(world: WebWorld) -> None:
    world.readiness.stopping()
    answer = world.http.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "stopping")
    assert world.http.get("/healthz").status_code == 200


def test_every_answer_carries_the_headers(world: WebWorld) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/nowhere"):
        headers = world.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_without_a_secret_the_process_does_not_start() -> None:
    for secrets in ([], [""], ["good enough", ""]):
        with pytest.raises(UserError, match="no webhook secret"):
            check_secrets(secrets)
    assert check_secrets([], allow_none=True) == ()


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=10_000))
def test_no_bit_of_body_or_signature_may_be_flipped(content: bytes, position: int) -> None:
    import hashlib
    import hmac

    signature = b"sha256=" + hmac.new(SECRETS[0], content, hashlib.sha256).hexdigest().encode()
    assert signed_by(content, signature, SECRETS) == 0
    place, bit = divmod(position % (8 * (len(content) + len(signature))), 8)
    whole = bytearray(content + signature)
    whole[place] ^= 1 << bit
    flipped, given_signature = bytes(whole[: len(content)]), bytes(whole[len(content) :])
    assert signed_by(flipped, given_signature, SECRETS) is None or given_signature.lower() == signature


def test_events_that_come_at_once_are_all_stored_in_a_few_transactions(world: WebWorld) -> None:
    commits: list[str] = []
    sa.event.listen(world.database.engine, "commit", lambda connection: commits.append(""))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: world.send(delivery=f"at-once-{n}", payload=push(n=n)).json()["status"], range(60)))
    assert answers == ["accepted"] * 60
    with world.database.read() as session:
        assert inbox.counts(session) == {"received": 60}
    assert sorted(set(world.runs.stages)) == ["prod", "qa"]
    assert len(world.runs.stages) == 2, "wake-ups of stages that are wanted already collapse"
    assert len(commits) < 60


def test_a_rehearsal_leaves_nothing_behind(database: Database) -> None:
    runs = Runs()
    wakeups = Wakeups(database, runs)
    places = StageMap([StagePlace(name="qa", repository="acme/env-qa", branch="main")])
    Intake(database, wakeups, places, clock=lambda: NOW, ours=lambda: "").rehearse("qa")
    assert runs.stages == ["qa"], "the rehearsal goes as far as the queue"
    assert wakeups.work() == {}
    with database.read() as session:
        assert not inbox.listing(session)
        assert marks.fetch_wanted(session, "") == 0
        assert not marks.stale_pulls(session, "")


def test_a_rehearsal_without_a_database_hurts_nobody(tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path}/empty.db")
    Intake(empty, Wakeups(empty, Runs()), StageMap([]), clock=lambda: NOW, ours=lambda: "").rehearse("qa")
    empty.close()
