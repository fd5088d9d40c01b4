"""The `metric` gate's samples, from Debian's Prometheus scraping a real target."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.adapters.credentials import Credentials
from bot.adapters.prometheus import Prometheus
from bot.adapters.safe_http import SafeHttp
from bot.config.sources import Endpoint
from bot.domain.errors import RateLimited, TransientError, UserError
from bot.domain.facts import Answer
from bot.domain.verdict import Outcome
from bot.gates.metric import Metric
from tests.support import debian
from tests.support.cases import case
from tests.support.far_side import Asked, answer, far_side, saying

METRICS = b'errors{app="a"} 3\nerrors{app="b"} 4\nnothing NaN\n'


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        far_side(saying(answer(METRICS, content_type="text/plain; version=0.0.4"))) as target,
        debian.prometheus(tmp_path_factory.mktemp("prometheus"), [f"127.0.0.1:{target.port}"]) as url,
    ):
        asker = prometheus(url)
        for _ in range(100):
            if len(ask(asker, "errors", over=2)) == 2 and len(ask(asker, 'errors{app="a"}', over=2)[0]["samples"]) >= 3:
                break
            time.sleep(0.1)
        yield url


def prometheus(url: str | None) -> Prometheus:
    return Prometheus(SafeHttp(), Credentials({}), Endpoint(url=url) if url else None, private=False)


def ask(asker: Prometheus, query: str, *, over: int = 0, step: int = 1, now: datetime | None = None, **more: str) -> list[dict]:
    params = {"query": query, "over": str(over), "step": str(step), **more}
    found = asker.ask(params, now=now or datetime.now(UTC), before=None)
    assert isinstance(found.value, list)
    return found.value


def test_the_present_value(address: str) -> None:
    (series,) = ask(prometheus(address), 'errors{app="a"}')
    assert series["labels"]["app"] == "a"
    assert [value for _, value in series["samples"]] == [3.0]


def test_a_span_ends_now(address: str) -> None:
    now = datetime.now(UTC)
    (series,) = ask(prometheus(address), 'errors{app="b"}', over=2, now=now)
    assert abs(series["samples"][-1][0] - now.timestamp()) < 0.01
    assert {value for _, value in series["samples"]} == {4.0}


def test_nothing_is_no_series_and_a_number_is_one(address: str) -> None:
    assert ask(prometheus(address), "no_such_metric") == []
    assert ask(prometheus(address), "42")[0]["samples"][0][1] == 42.0


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ('errors{app="a"}', Outcome.PASSED),
        ('errors{app="b"}', Outcome.FAILED),
        ("no_such_metric", Outcome.UNKNOWN),
        ("nothing", Outcome.UNKNOWN),
    ],
)
def test_the_gate_judges_what_prometheus_says(address: str, query: str, outcome: Outcome) -> None:
    gate = Metric(gate="metric", query=query, max=3.5)
    now = datetime.now(UTC)
    question = gate.questions(case(now=now))[0]
    found = prometheus(address).ask(dict(question.params), now=now, before=None)
    given = Answer(at=now, value=found.value, look_again=now + found.fresh)
    assert gate.evaluate(case(now=now, answers={question: given})).outcome is outcome


def test_a_query_that_is_none_is_somebodys_to_mend(address: str) -> None:
    with pytest.raises(UserError, match="does not take the query"):
        ask(prometheus(address), "sum(")
    with pytest.raises(UserError, match="gives a string"):
        ask(prometheus(address), '"text"')
    with pytest.raises(UserError, match="more than 11000"):
        ask(prometheus(address), "errors", over=20_000)


def test_without_an_address_it_says_so() -> None:
    with pytest.raises(UserError, match="No Prometheus is configured"):
        ask(prometheus(None), "up")


def test_an_address_of_a_gate_that_is_private_is_not_dialled(address: str) -> None:
    with pytest.raises(UserError, match="private"):
        ask(prometheus(None), "up", address=address)


@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (answer(b'{"status": "success", "warnings": ["half is missing"], "data": {"resultType": "vector", "result": []}}'), TransientError),
        (answer(b'{"status": "success", "data": {"resultType": "vector", "result": [{"value": [1, "x"]}]}}'), TransientError),
        (answer(b'{"status": "success"}'), TransientError),
        (answer(b"<html>please log in</html>"), TransientError),
        (answer(b'{"status": "error", "errorType": "timeout", "error": "slow"}', status="503 Slow"), TransientError),
        (answer(status="429 Wait", retry_after="9"), RateLimited),
        (answer(status="401 No"), UserError),
        (answer(status="404 No"), UserError),
        (answer(status="302 Found", location="http://127.0.0.1/"), TransientError),
    ],
)
def test_what_is_no_answer_is_never_taken_for_one(wire: bytes, error: type[Exception]) -> None:
    with far_side(saying(wire)) as far, pytest.raises(error) as raised:
        ask(prometheus(far.url), "up")
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after == timedelta(seconds=9)


def test_too_many_series_are_refused() -> None:
    rows = ",".join('{"metric": {}, "value": [1, "1"]}' for _ in range(201))
    body = f'{{"status": "success", "data": {{"resultType": "vector", "result": [{rows}]}}}}'.encode()
    with far_side(saying(answer(body))) as far, pytest.raises(UserError, match="201 series"):
        ask(prometheus(far.url), "up")


def test_the_credential_goes_to_the_operators_prometheus_alone() -> None:
    seen: list[Asked] = []
    with far_side(saying(answer(b'{"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}'))) as far:
        asker = Prometheus(SafeHttp(), Credentials({"prom": SecretStr("t0ken")}), Endpoint(url=far.url, credential="prom"), private=True)
        ask(asker, "1")
        seen += far.asked
        ask(asker, "1", address=f"http://localhost:{far.port}")
        seen += far.asked[1:]
    assert [asked.headers.get("authorization") for asked in seen] == ["Bearer t0ken", None]
