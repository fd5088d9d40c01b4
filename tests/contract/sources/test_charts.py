"""New chart versions from a Helm repository's index.yaml, by real HTTP; and what is said of an index that is none."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.adapters.credentials import Credentials
from bot.adapters.registry.charts import ChartReader, parsed
from bot.adapters.safe_http import SafeHttp
from bot.adapters.store.arrivals import StoredArrivals
from bot.adapters.store.database import Database
from bot.adapters.store.migrate import upgrade
from bot.collectors.artifacts import RegistryWatch
from bot.config.schema import Config
from bot.domain.errors import TransientError
from bot.domain.image import Version
from bot.planning.plan import plan
from bot.planning.standing import Standing
from tests.support.builders import facts, stage
from tests.support.cases import NOW
from tests.support.far_side import FarSide, answer, far_side, saying

INDEX = b"""apiVersion: v1
entries:
  payments:
  - {apiVersion: v2, name: payments, version: 1.10, created: "2026-11-19T12:00:00.123456789Z", urls: [payments-1.10.tgz]}
  - {apiVersion: v2, name: payments, version: 1.9.1, created: "2026-11-20T10:00:00Z", urls: [payments-1.9.1.tgz]}
  - {apiVersion: v2, name: payments, version: 1.10.2, created: "2026-11-20T09:00:00+01:00"}
  - {apiVersion: v2, name: payments, version: 2.0.0-rc.1}
  - [7, null]
  - {version: {a: 1}}
  ledger: nothing
generated: "2026-11-20T11:00:00Z"
"""
NEWER = INDEX.replace(b"1.10.2", b"1.11.0")


def config(url: str, **watch: Any) -> Config:
    stages = {"dev": {"repository": "acme/env-dev"}, "qa": {"repository": "acme/env-qa", "after": "dev"}}
    host = url.split("/")[2]
    sources = {"registries": {host: {"credential": "charts"}}}
    artifacts = {"watch": [{"image": "payments", "helm": f"{url}/charts/", "every": "1m"} | watch]}
    return Config.model_validate({"version": 1, "pipeline": {"stages": stages}, "artifacts": artifacts, "sources": sources})


@pytest.fixture
def arrivals(tmp_path: Path) -> Iterator[StoredArrivals]:
    database = Database(f"sqlite:///{tmp_path}/bot.db")
    upgrade(database)
    yield StoredArrivals(database)
    database.close()


def watching(given: Config, arrivals: StoredArrivals, board: dict[str, str]) -> RegistryWatch:
    reader = ChartReader(given, Credentials({"charts": SecretStr("ana:s3cret")}), SafeHttp())
    return RegistryWatch(given, reader, arrivals, wake=lambda _stage, _why: None, board=board)


def test_the_highest_version_arrives_by_one_request_and_later_ones_by_the_mark(arrivals: StoredArrivals) -> None:
    handler = saying(answer(INDEX, etag='"1"'), answer(status="304 Not Modified"), answer(NEWER, etag='"2"'))
    far: FarSide
    with far_side(handler) as far:
        watch = watching(config(far.url), arrivals, {})
        watch.poll(NOW)
        assert arrivals.newest()["payments"].version == Version(tag="1.10.2")
        watch.poll(NOW + timedelta(minutes=1))
        watch.poll(NOW + timedelta(minutes=2))
    assert arrivals.newest()["payments"].version == Version(tag="1.11.0")
    assert [asked.path for asked in far.asked] == ["/charts/index.yaml"] * 3
    assert [asked.headers.get("if-none-match") for asked in far.asked] == [None, '"1"', '"1"']
    assert far.asked[0].headers["authorization"] == "Basic YW5hOnMzY3JldA=="


def test_the_newest_is_the_one_packaged_last(arrivals: StoredArrivals) -> None:
    with far_side(saying(answer(INDEX))) as far:
        watching(config(far.url, pick="newest", pattern=".*"), arrivals, {}).poll(NOW)
    assert arrivals.newest()["payments"].version.tag == "1.9.1"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(b"<html>sign in</html>"), "no index of charts"),
        (answer(b"entries: [1"), "cannot be read"),
        (answer(b"[" * 60_000), "cannot be read"),
        (answer(b"entries: {ledger: []}"), "no chart payments"),
        (answer(status="404 Not Found"), "no index.yaml"),
        (answer(status="401 Unauthorized"), "does not let the bot read"),
        (answer(status="503 Service Unavailable"), "answered 503"),
        (answer(status="302 Found", location="http://169.254.169.254/"), "answered 302"),
        (b"nonsense", "cannot be asked"),
    ],
)
def test_what_is_no_index_is_told_on_the_board_and_in_the_plan(arrivals: StoredArrivals, reply: bytes, words: str) -> None:
    board: dict[str, str] = {}
    with far_side(saying(reply)) as far:
        given = config(far.url)
        watch = watching(given, arrivals, board)
        watch.poll(NOW)
    assert arrivals.newest() == {}
    assert words in watch.problems()["payments"]
    assert words in board["payments"]
    assert "(since 2026-11-20 12:00:00 UTC)." in board["payments"]
    known = {"ghcr.io/acme/payments": board["payments"]}
    found = plan(given, facts(stage("dev"), about="dev", offer_problems=known))
    assert (found.reports[0].standing, words in found.reports[0].sentence) == (Standing.UNKNOWN, True)
    assert words in found.problems["new versions of ghcr.io/acme/payments"]


def test_what_is_mended_is_taken_off_the_board(arrivals: StoredArrivals) -> None:
    board: dict[str, str] = {}
    replies = (answer(INDEX), answer(status="503 Service Unavailable"), answer(status="500 Oops"), answer(INDEX))
    with far_side(saying(*replies)) as far:
        watch = watching(config(far.url), arrivals, board)
        watch.poll(NOW)
        watch.poll(NOW + timedelta(hours=1))
        watch.poll(NOW + timedelta(hours=2))
        assert (
            "answered 500 (since 2026-11-20 13:00:00 UTC). The last one that is known is 1.10.2, of 2026-11-20 12:00:00 UTC."
            in board["payments"]
        )
        watch.poll(NOW + timedelta(hours=4))
    assert board == {}


def test_scalars_stay_the_texts_that_stand_there() -> None:
    found = parsed(INDEX, "here")
    assert list(found["payments"]) == ["1.10", "1.9.1", "1.10.2", "2.0.0-rc.1"]
    assert found["payments"]["1.10.2"] == datetime(2026, 11, 20, 8, tzinfo=UTC)
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [*%c,*%c,*%c]\n" % (i, i, i - 1, i - 1, i - 1) for i in range(98, 120))
    assert parsed(bomb + b"entries: {p: [{version: 1.0.0}]}\n", "here") == {"p": {"1.0.0": None}}
    with pytest.raises(TransientError):
        parsed(b"entries: &a [*a]", "here")


def test_a_chart_is_named_by_one_word_and_has_no_moving_tag() -> None:
    for wrong in ({"image": "acme/payments"}, {"pick": "digest", "tag": "edge"}):
        with pytest.raises(ValueError, match="chart"):
            config("http://charts.acme.io", **wrong)
