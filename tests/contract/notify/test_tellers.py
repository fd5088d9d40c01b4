"""Receivers beside the chat, over real sockets: what they get, that it is signed, and what their answers mean."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bot.adapters.credentials import Credentials
from bot.adapters.notify.shelf import Means, tellers
from bot.adapters.safe_http import SafeHttp
from bot.config.notifications import Notifications
from bot.domain.action import Notify, Severity
from bot.domain.errors import RateLimited, TransientError, UserError
from bot.messages.cloudevents import EVENT
from bot.ports import Teller
from tests.support.far_side import answer, far_side, saying
from tests.support.mail_server import mail_server

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


def notice(**more: Any) -> Notify:
    fields: dict[str, Any] = {
        "key": "p1:failed",
        "thread": "p1",
        "severity": Severity.CRITICAL,
        "stage": "qa",
        "service": "payments",
        "text": "The rollout failed.\nIt is taken back.",
        "fields": {"pull request": "https://github.com/acme/env-qa/pull/7"},
    }
    return Notify(**{**fields, **more})


def told(secrets: Mapping[str, str] | None = None, **settings: Any) -> Teller:
    """The one receiver of these notifications."""
    known = {name: SecretStr(value) for name, value in (secrets or {"hook": KEY}).items()}
    means = Means(notifications=Notifications.model_validate(settings), credentials=Credentials(known), http=SafeHttp())
    [found] = tellers(means).values()
    return found


def hook(url: str, **more: Any) -> dict[str, Any]:
    return {"webhooks": {"ops": {"url": url, "credential": "hook", "allow_private": True, **more}}}


def test_a_webhook_is_signed_as_the_standard_has_it_and_repeats_keep_their_id() -> None:
    with far_side(saying(answer())) as far:
        teller = told(**hook(far.url + "/in"))
        for _ in range(2):
            teller.tell(notice(), now=NOW)
        first, again = far.asked
    content = f"{first.headers['webhook-id']}.{first.headers['webhook-timestamp']}.".encode() + first.body
    assert first.headers["webhook-signature"] == "v1," + base64.b64encode(hmac.new(b"k" * 32, content, hashlib.sha256).digest()).decode()
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    body = json.loads(first.body)
    assert (body["severity"], body["stage"], body["service"], body["id"]) == ("critical", "qa", "payments", first.headers["webhook-id"])


def test_other_messages_have_other_ids() -> None:
    with far_side(saying(answer())) as far:
        teller = told(**hook(far.url))
        teller.tell(notice(), now=NOW)
        teller.tell(notice(key="p1:reverted"), now=NOW)
        assert len({asked.headers["webhook-id"] for asked in far.asked}) == 2


def test_a_message_as_a_cloudevent() -> None:
    with far_side(saying(answer())) as far:
        told(**hook(far.url, format="cloudevents")).tell(notice(), now=NOW)
        [asked] = far.asked
    event = json.loads(asked.body)
    assert asked.headers["content-type"].startswith("application/cloudevents+json")
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "io.promotion-bot.notice.v1", "p1")
    assert event["id"] == asked.headers["webhook-id"]


@pytest.mark.parametrize("status", ["429 Too Many", "500 Oops", "503 Down", "408 Slow"])
def test_what_passes_by_itself_is_tried_again(status: str) -> None:
    with far_side(saying(answer(status=status, retry_after="7"))) as far, pytest.raises(TransientError) as raised:
        told(**hook(far.url + "/secret-path")).tell(notice(), now=NOW)
    assert raised.value.retry_after is not None
    assert "secret-path" not in str(raised.value)
    assert not isinstance(raised.value, RateLimited)


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "404 Gone", "301 Moved"])
def test_what_a_person_must_mend_says_what(status: str) -> None:
    with far_side(saying(answer(status=status, location="http://127.0.0.1:1/"))) as far, pytest.raises(UserError) as raised:
        told(**hook(far.url)).tell(notice(), now=NOW)
    assert raised.value.fix
    assert len(far.asked) == 1


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(ValidationError, match="unsigned"):
        Notifications.model_validate({"webhooks": {"ops": {"url": "https://x.example"}}})
    with far_side(saying(answer())) as far:
        with pytest.raises(UserError, match="not set"):
            told({"other": "x"}, **hook(far.url)).tell(notice(), now=NOW)
        assert far.asked == []


def test_a_private_address_is_not_dialled_unless_it_is_allowed() -> None:
    with far_side(saying(answer())) as far:
        with pytest.raises(UserError, match="private"):
            told(**hook(far.url, allow_private=False)).tell(notice(), now=NOW)
        assert far.asked == []


@pytest.mark.parametrize(
    ("audience", "wanted"),
    [({}, True), ({"at_least": "critical"}, True), ({"stages": ["prod"]}, False), ({"stages": "qa"}, True)],
)
def test_a_receiver_is_told_what_is_for_him(audience: dict[str, Any], wanted: bool) -> None:
    assert told(**hook("https://x.example", **audience)).wants(notice()) is wanted


def test_a_receiver_of_the_serious_hears_nothing_else() -> None:
    assert not told(**hook("https://x.example", at_least="critical")).wants(notice(severity=Severity.WARNING))


def test_events_go_to_who_takes_events() -> None:
    event = notice(fields={EVENT: "service.upgraded"})
    assert told(**hook("https://x.example", format="cloudevents")).wants(event)
    assert not told(**hook("https://x.example")).wants(event)


def teams(address: str) -> Teller:
    return told({"room": address}, teams={"room": {"address": "room", "allow_private": True}})


def test_teams_gets_a_card_whose_texts_are_plain() -> None:
    with far_side(saying(answer(status="202 Accepted"))) as far:
        teams(far.url + "/workflow?sig=abc").tell(notice(text="<at>everyone</at> [x](http://evil.example)"), now=NOW)
        [asked] = far.asked
    [attachment] = json.loads(asked.body)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {part["type"] for part in card["body"]} == {"RichTextBlock", "FactSet"}
    assert card["actions"][0]["url"] == "https://github.com/acme/env-qa/pull/7"
    assert len(asked.body) < 28_000


def test_the_workflows_address_is_a_secret() -> None:
    with far_side(saying(answer(status="403 No"))) as far, pytest.raises(UserError) as raised:
        teams(far.url + "/workflow?sig=abc").tell(notice(), now=NOW)
    assert "sig=abc" not in f"{raised.value} {raised.value.fix}"
    with pytest.raises(UserError, match="https"):
        told({"room": "http://x.example"}, teams={"room": {"address": "room"}}).tell(notice(), now=NOW)


def mail(port: int, **more: Any) -> Teller:
    settings = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "bot@acme.example", "to": ["ops@acme.example"], **more}
    return told(mail={"ops": settings})


def test_a_mail_is_plain_text_and_repeats_keep_their_id() -> None:
    with mail_server() as box:
        teller = mail(box.port, to=["ops@acme.example", "ana@acme.example"])
        teller.tell(notice(), now=NOW)
        teller.tell(notice(), now=NOW)
        teller.tell(notice(key="p1:reverted"), now=NOW)
    first, again, other = box.messages
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["References"] == other["References"]
    assert "payments in qa" in first["Subject"]
    assert first.get_content_type() == "text/plain"
    assert "It is taken back." in str(first.get_payload())
    assert set(box.receivers) == {"ops@acme.example", "ana@acme.example"}


def test_a_name_from_outside_makes_no_header() -> None:
    with mail_server() as box:
        mail(box.port).tell(notice(service="x\r\nBcc: evil@evil.example", text="a\nBcc: evil@evil.example"), now=NOW)
    [message] = box.messages
    assert message["Bcc"] is None
    assert box.receivers == ["ops@acme.example"]


@pytest.mark.parametrize(
    ("refuses", "kind"),
    [
        ({"RCPT": "450 later"}, TransientError),
        ({"DATA": "451 later"}, TransientError),
        ({"RCPT": "550 nobody"}, UserError),
        ({"DATA": "554 no"}, UserError),
    ],
)
def test_a_mail_server_that_says_no(refuses: dict[str, str], kind: type[Exception]) -> None:
    with mail_server() as box:
        box.refuses |= refuses
        with pytest.raises(kind):
            mail(box.port).tell(notice(), now=NOW)


def test_a_mail_server_that_is_down_or_offers_no_tls() -> None:
    with mail_server() as box:
        with pytest.raises(UserError, match="TLS"):
            mail(box.port, security="starttls").tell(notice(), now=NOW)
        port = box.port
    with pytest.raises(TransientError):
        mail(port).tell(notice(), now=NOW)
    assert box.messages == []
