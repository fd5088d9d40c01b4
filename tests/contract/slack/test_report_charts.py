"""A scheduled report in Slack: the text begins the thread, the charts follow it as a picture, each once, whatever fails in between."""

import base64
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.adapters.store.delivery import StoredDelivery
from bot.collectors import reports
from bot.config.schema import Config
from bot.domain.action import Notify
from bot.domain.errors import UserError
from bot.reconcile import telling
from bot.sandbox.slack.workspace import Message
from tests.contract.reconcile.stage_world import Crashed, DiesAt
from tests.contract.slack.slack_world import CHANNEL, SlackWorld
from tests.support.slack_blocks import check

MONDAY = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
UPLOADS = ("files.getUploadURLExternal", "files.completeUploadExternal")


class NoBoard:
    """No issues are wanted."""

    def open_issue(self, repository: str, *, title: str, body: str, mark: str) -> str:
        raise UserError("no issues here")


def due(world: SlackWorld) -> list[Notify]:
    """The report's messages, made on a Monday and due now."""
    document = {
        "version": 1,
        "pipeline": {"stages": {"qa": {"repository": world.repo}}},
        "services": {"payments": {"images": ["ghcr.io/acme/payments"], "team": "blue"}},
        "teams": {"blue": {}},
        "notifications": {"slack": {"channel": f"#{CHANNEL}", "api_url": world.slack.api_url}},
        "reports": {"periods": ["weekly"]},
    }
    config = Config.model_validate(document)
    world.clock.shift = MONDAY - datetime.now(UTC)
    assert reports.send_due(config, StoredDelivery(world.database), world.outbox, lambda: MONDAY, NoBoard()) == 1
    return again(world)


def again(world: SlackWorld) -> list[Notify]:
    world.clock.shift += timedelta(minutes=20)
    return list(world.outbox.due(now=world.clock()))


def stands(world: SlackWorld) -> tuple[Message, list[Message]]:
    """The report's text, and what stands below it."""
    messages = world.slack.messages(CHANNEL)
    [root] = [one for one in messages if one.thread_ts in (None, one.ts)]
    return root, [one for one in messages if one is not root]


def test_the_text_comes_first_and_the_charts_below_it_as_a_picture(world: SlackWorld) -> None:
    messages = due(world)
    assert [one.picture is not None for one in messages] == [False, True]
    for one in messages:
        assert telling.post(world.tools(chat=world.chat()), one)
    root, [below] = stands(world)
    check(root.blocks)
    assert "Delivery of team blue to qa, 2026-11-09 to 2026-11-15" in str(root.blocks)
    assert "No chart" not in str(root.blocks)
    assert below.thread_ts == root.ts
    assert below.text == "Charts: Delivery of team blue to qa, 2026-11-09 to 2026-11-15"
    [file] = [world.slack.workspace.files[one] for one in below.files]
    assert file.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", file.content[16:24]) == (1280, 940)
    assert file.alt.startswith("Two charts. Delivery of team blue to qa, 12 weeks, first days ")
    assert f'alt="{file.alt}"' in httpx.get(world.slack.url, params={"channel": CHANNEL}).text
    assert again(world) == []


@pytest.mark.parametrize("point", ["notified:before", "notified:after"])
def test_a_crash_around_the_upload_shows_it_once(world: SlackWorld, point: str) -> None:
    text, chart = due(world)
    telling.post(world.tools(chat=world.chat()), text)
    with pytest.raises(Crashed):
        telling.post(world.tools(DiesAt(point), chat=world.chat()), chart)
    for one in again(world):
        assert telling.post(world.tools(chat=world.chat()), one)
    assert len(stands(world)[1]) == 1
    assert again(world) == []


@pytest.mark.parametrize(
    ("kind", "method"),
    [("applied_then_500", UPLOADS[1]), ("status:503", UPLOADS[0]), ("status:503", UPLOADS[1]), ("ratelimited", UPLOADS[1])],
)
def test_an_answer_that_is_lost_or_late_shows_it_once(world: SlackWorld, kind: str, method: str) -> None:
    text, chart = due(world)
    telling.post(world.tools(chat=world.chat()), text)
    world.slack.fault(kind, method=method)
    assert not telling.post(world.tools(chat=world.chat()), chart)
    [left] = again(world)
    assert telling.post(world.tools(chat=world.chat()), left)
    assert len(stands(world)[1]) == 1


def test_no_picture_stands_before_its_text(world: SlackWorld) -> None:
    text, chart = due(world)
    assert not telling.post(world.tools(chat=world.chat()), chart)
    assert world.slack.messages(CHANNEL) == []
    world.clock.shift += timedelta(minutes=1)
    for one in (text, chart):
        assert telling.post(world.tools(chat=world.chat()), one)
    assert len(stands(world)[1]) == 1


def test_a_missing_scope_is_told_and_the_text_stands(world: SlackWorld) -> None:
    text, chart = due(world)
    telling.post(world.tools(chat=world.chat()), text)
    world.slack.fault("missing_scope", method=UPLOADS[0])
    assert not telling.post(world.tools(chat=world.chat()), chart)
    assert stands(world)[1] == []


def test_without_the_drawing_library_the_text_says_so(world: SlackWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "can_draw", lambda: False)
    [text] = due(world)
    assert text.picture is None
    assert text.text.endswith("No chart image: Pillow is not installed where the bot runs (pip install 'promotion-bot[charts]').")


def test_receivers_beside_the_chat_get_the_text_alone(world: SlackWorld) -> None:
    told: list[str] = []

    class Teller:
        def wants(self, notice: Notify) -> bool:
            return True

        def tell(self, notice: Notify, *, now: datetime) -> None:
            told.append(notice.key)

    tools = replace(world.tools(chat=world.chat()), others={"mail": Teller()})
    text, chart = due(world)
    for one in (text, chart):
        assert telling.post(tools, one)
    for one in again(world):
        telling.post(tools, one)
    assert told == [text.key]
    assert base64.b64decode(chart.picture.content if chart.picture else "").startswith(b"\x89PNG")
