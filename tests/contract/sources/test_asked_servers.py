"""OPA, webhooks, endpoints and calendars, against a real server on loopback that says what their documentation says."""

import base64
import hashlib
import hmac
import json
import socket
import time
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.adapters.credentials import Credentials
from bot.adapters.http_probe import HttpProbe
from bot.adapters.opa import Opa
from bot.adapters.published_calendar import PublishedCalendar
from bot.adapters.safe_http import SafeHttp
from bot.adapters.webhook_gate import WebhookGate
from bot.config.sources import Endpoint
from bot.domain.errors import TransientError, UserError
from bot.domain.facts import Answer
from bot.domain.verdict import Outcome
from bot.gates.http import Http
from bot.gates.policy import Policy
from bot.gates.webhook import Webhook
from tests.support.cases import NOW, case
from tests.support.far_side import Asked, answer, far_side, saying

NOBODY = Credentials({})
SECRETS = Credentials({"token": SecretStr("t0ken")})


def test_opa_is_asked_as_its_documentation_has_it() -> None:
    gate = Policy(gate="policy", rule="promotion/allow")
    with far_side(saying(answer(b'{"result": true}'))) as far:
        question = gate.questions(case())[0]
        found = Opa(SafeHttp(), SECRETS, Endpoint(url=far.url, credential="token")).ask(dict(question.params), now=NOW, before=None)
    (asked,) = far.asked
    assert (asked.method, asked.path, asked.headers["authorization"]) == ("POST", "/v1/data/promotion/allow", "Bearer t0ken")
    assert json.loads(asked.body)["input"]["stage"] == "prod"
    assert gate.evaluate(case(answers={question: Answer(at=NOW, value=found.value)})).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("body", "outcome"), [(b"{}", Outcome.UNKNOWN), (b'{"result": false}', Outcome.FAILED), (b'{"result": "yes"}', Outcome.UNKNOWN)]
)
def test_what_opa_leaves_open_is_unknown(body: bytes, outcome: Outcome) -> None:
    gate = Policy(gate="policy", rule="promotion/allow")
    question = gate.questions(case())[0]
    with far_side(saying(answer(body))) as far:
        found = Opa(SafeHttp(), NOBODY, Endpoint(url=far.url)).ask(dict(question.params), now=NOW, before=None)
    assert gate.evaluate(case(answers={question: Answer(at=NOW, value=found.value)})).outcome is outcome


@pytest.mark.parametrize("wire", [answer(b"[]"), answer(b"x"), answer(status="500 No"), b""])
def test_opa_that_fails_is_no_answer(wire: bytes) -> None:
    with far_side(saying(wire)) as far, pytest.raises(TransientError):
        Opa(SafeHttp(), NOBODY, Endpoint(url=far.url)).ask({"rule": "a/b", "body": "{}"}, now=NOW, before=None)


def test_opa_has_two_seconds() -> None:
    with far_side(lambda _asked, _connection: time.sleep(4)) as far:
        began = time.monotonic()
        with pytest.raises(TransientError, match="within 2 seconds"):
            Opa(SafeHttp(), NOBODY, Endpoint(url=far.url)).ask({"rule": "a/b", "body": "{}"}, now=NOW, before=None)
        assert time.monotonic() - began < 3


def test_nothing_is_asked_of_nobody() -> None:
    with pytest.raises(UserError, match="No OPA server is configured"):
        Opa(SafeHttp(), NOBODY, None).ask({"rule": "a/b", "body": "{}"}, now=NOW, before=None)


def webhook(far_url: str, secret: str = "whsec") -> tuple[Webhook, WebhookGate]:
    return Webhook(gate="webhook", url=f"{far_url}/hook"), WebhookGate(SafeHttp(), NOBODY, secret, private=True)


def test_a_webhook_is_signed_so_that_its_receiver_can_tell() -> None:
    with far_side(saying(answer(b'{"state": "passed", "reason": "change 7"}'))) as far:
        gate, asker = webhook(far.url)
        question = gate.questions(case())[0]
        found = asker.ask(dict(question.params), now=NOW, before=None)
    (asked,) = far.asked
    signed = f"{asked.headers['webhook-id']}.{int(NOW.timestamp())}.".encode() + asked.body
    expected = base64.b64encode(hmac.new(b"whsec", signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"
    verdict = gate.evaluate(case(answers={question: Answer(at=NOW, value=found.value)}))
    assert verdict.outcome is Outcome.PASSED
    assert "change 7" in verdict.sentence


def test_nothing_is_sent_unsigned() -> None:
    with far_side(saying(answer(b'{"allow": true}'))) as far:
        gate, asker = webhook(far.url, secret="")
        with pytest.raises(UserError, match="unsigned"):
            asker.ask(dict(gate.questions(case())[0].params), now=NOW, before=None)
    assert far.asked == []


@pytest.mark.parametrize(
    "wire", [answer(b"yes"), answer(b"[true]"), answer(b'{"allow": true}', status="500 No"), answer(status="302 F", location="/x"), b"x"]
)
def test_a_webhook_that_fails_is_no_answer(wire: bytes) -> None:
    with far_side(saying(wire)) as far:
        gate, asker = webhook(far.url)
        with pytest.raises(TransientError):
            asker.ask(dict(gate.questions(case())[0].params), now=NOW, before=None)


def test_good_answers_are_counted_in_a_row_and_a_bad_one_begins_anew() -> None:
    with far_side(saying(answer(b"up"), answer(status="503 No"), answer(b"up"))) as far:
        gate = Http(gate="http", url=far.url, times=2, every="10s", body="up")
        probe, before, outcomes = HttpProbe(SafeHttp(), NOBODY, private=True), None, []
        for number in range(4):
            now = NOW + timedelta(seconds=10 * number)
            question = gate.questions(case())[0]
            before = probe.ask(dict(question.params), now=now, before=before).value
            outcomes.append(gate.evaluate(case(now=now, answers={question: Answer(at=now, value=before)})).outcome)
    assert outcomes == [Outcome.PENDING, Outcome.FAILED, Outcome.PENDING, Outcome.PASSED]


def test_answers_before_a_long_pause_are_not_in_a_row() -> None:
    with far_side(saying(answer(b"up"))) as far:
        gate = Http(gate="http", url=far.url, times=2, every="10s")
        probe = HttpProbe(SafeHttp(), NOBODY, private=True)
        params = dict(gate.questions(case())[0].params)
        first = probe.ask(params, now=NOW, before=None).value
        later = probe.ask(params, now=NOW + timedelta(hours=1), before=first).value
    assert isinstance(later, list)
    assert len(later) == 1


def test_an_endpoint_that_must_not_be_dialled_is_unknown_and_says_why() -> None:
    with far_side(saying(answer(b"up"))) as far:
        gate = Http(gate="http", url=far.url)
        question = gate.questions(case())[0]
        found = HttpProbe(SafeHttp(), NOBODY, private=False).ask(dict(question.params), now=NOW, before=None)
    verdict = gate.evaluate(case(answers={question: Answer(at=NOW, value=found.value)}))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "sources.allow_private" in verdict.sentence
    assert far.asked == []


def test_a_login_page_is_not_what_was_expected() -> None:
    with far_side(saying(answer(b"<html>log in</html>"))) as far:
        gate = Http(gate="http", url=far.url, body='"version": *"1\\.1\\.0"')
        question = gate.questions(case())[0]
        found = HttpProbe(SafeHttp(), NOBODY, private=True).ask(dict(question.params), now=NOW, before=None)
    assert gate.evaluate(case(answers={question: Answer(at=NOW, value=found.value)})).outcome is Outcome.FAILED


def test_a_credential_is_shown_where_the_gate_says_so() -> None:
    with far_side(saying(answer(b"up"))) as far:
        probe = HttpProbe(SafeHttp(), SECRETS, private=True)
        params = dict(Http(gate="http", url=far.url, credential="token").questions(case())[0].params)
        probe.ask(params, now=NOW, before=None)
        missing = HttpProbe(SafeHttp(), NOBODY, private=True).ask(params, now=NOW, before=None).value
    assert [asked.headers.get("authorization") for asked in far.asked] == ["Bearer t0ken"]
    assert isinstance(missing, list)
    assert missing[-1]["error"] == "The credential token is not set."


ICS = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"


def test_a_calendar_is_fetched_once_while_it_does_not_change() -> None:
    def reply(asked: Asked, connection: socket.socket) -> None:
        same = asked.headers.get("if-none-match") == '"1"'
        connection.sendall(answer(status="304 Not Modified") if same else answer(ICS, etag='"1"'))

    with far_side(reply) as far:
        asker = PublishedCalendar(SafeHttp(), private=True)
        first = asker.ask({"url": far.url}, now=NOW, before=None)
        again = asker.ask({"url": far.url}, now=NOW, before=first.value)
    assert first.value == again.value == ICS.decode()
    assert far.asked[1].headers["if-none-match"] == '"1"'


@pytest.mark.parametrize("wire", [answer(b"<html>"), answer(status="404 No"), answer(status="304 Not Modified"), b""])
def test_what_is_no_calendar_is_no_answer(wire: bytes) -> None:
    with far_side(saying(wire)) as far, pytest.raises(TransientError):
        PublishedCalendar(SafeHttp(), private=True).ask({"url": far.url}, now=NOW, before=None)
