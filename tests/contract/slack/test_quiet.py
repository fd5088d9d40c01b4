"""Quiet hours, the digest, and copies for those who are told beside the chat: through the real outbox."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from bot.adapters.credentials import Credentials
from bot.adapters.notify.shelf import Means, tellers
from bot.adapters.safe_http import SafeHttp
from bot.config.notifications import Notifications, QuietHours
from bot.config.schema import Config
from bot.domain.action import Severity
from bot.domain.directive import Directive, Order
from bot.domain.people import Person
from bot.domain.promotion import PromotionState
from bot.reconcile import telling
from bot.reconcile.daily import keep_digest
from bot.reconcile.elsewhere import Elsewhere
from bot.reconcile.tools import Tools
from tests.contract.slack.slack_world import CHANNEL, SlackWorld
from tests.contract.slack.test_threads import moved, notice
from tests.support.cdevents import validator
from tests.support.far_side import FarSide, answer, far_side, saying

NIGHT = QuietHours.model_validate({"begin": "22:00", "end": "07:00"})


def quiet(world: SlackWorld) -> Tools:
    return replace(world.tools(chat=world.chat()), quiet=NIGHT.until)


def at(world: SlackWorld, hour: int) -> None:
    """The clock shows this hour of the next day."""
    now = datetime.now(UTC)
    world.clock.shift = now.replace(hour=hour, minute=0) + timedelta(days=1) - now


def test_at_night_only_what_is_critical_is_told_and_the_rest_in_the_morning(world: SlackWorld) -> None:
    promotion = world.opened()
    at(world, 23)
    telling.notify(quiet(world), notice(promotion, "healthy", Severity.INFO, "all is well"))
    assert world.slack.messages(CHANNEL) == []
    assert world.outbox.due(now=world.clock()) == []
    telling.notify(quiet(world), notice(promotion, "failed", Severity.CRITICAL))
    assert len(world.slack.messages(CHANNEL)) == 1
    world.clock.shift += timedelta(hours=8, minutes=1)
    for waiting in world.outbox.due(now=world.clock()):
        telling.post(quiet(world), waiting)
    assert "all is well" in world.slack.messages(CHANNEL)[-1].text
    assert world.outbox.counts() == {"sent": 2}


def test_no_new_thread_begins_at_night(world: SlackWorld) -> None:
    world.opened()
    at(world, 23)
    elsewhere = Elsewhere(cards=world.chat(), quiet=lambda now: NIGHT.until("info", now))
    look = elsewhere.show(world.tools())
    assert look is not None
    assert (look.hour, look.minute) == (7, 0)
    assert world.slack.messages(CHANNEL) == []


def test_the_digest_is_kept_once_a_day_whichever_process_comes_first(world: SlackWorld) -> None:
    promotion = world.opened()
    config: Config = world.configured(digest={"at": "09:00", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]})
    first = keep_digest(config, world.history, world.outbox, now=world.clock())
    assert first is not None
    assert f"(#{promotion.number})" in first.text
    assert "Waiting, longest first: 1" in first.text
    assert keep_digest(config, world.history, world.outbox, now=world.clock()) is None
    for waiting in world.outbox.due(now=world.clock()):
        telling.post(world.tools(chat=world.chat()), waiting)
    [message] = world.slack.messages(CHANNEL)
    assert "Daily digest" in json.dumps(message.blocks)


def others(world: SlackWorld, far: FarSide) -> Tools:
    webhooks = {"ops": {"url": far.url, "credential": "hook", "allow_private": True, "format": "cloudevents"}}
    notifications = Notifications.model_validate({"webhooks": webhooks})
    found = tellers(Means(notifications=notifications, credentials=Credentials({"hook": SecretStr("s" * 20)}), http=SafeHttp()))
    return replace(world.tools(), others=found)


def test_those_beside_the_chat_have_copies_of_their_own(world: SlackWorld) -> None:
    promotion = world.opened()
    with far_side(saying(answer(status="503 Down"), answer())) as far:
        tools = others(world, far)
        telling.notify(tools, notice(promotion, "failed", Severity.CRITICAL))
        assert far.asked == [], "a stage's run waited for a receiver"
        assert world.outbox.counts() == {"queued": 1, "sent": 1}
        for minutes in (0, 2, 4):
            world.clock.shift = timedelta(minutes=minutes)
            for waiting in world.outbox.due(now=world.clock()):
                telling.post(tools, waiting)
        assert world.outbox.counts() == {"sent": 2}
        assert len({asked.headers["webhook-id"] for asked in far.asked}) == 1
        assert len(far.asked) == 2


def test_what_happened_is_an_event_once(world: SlackWorld) -> None:
    promotion = world.opened()
    with far_side(saying(answer())) as far:
        tools = others(world, far)
        now = world.clock()
        moved(world, promotion, state=PromotionState.HEALTHY, merged_at=now, merge_commit="c" * 40, healthy_since=now, ended_at=now)
        world.history.add_directive(Directive(key="c:1", order=Order.FREEZE, actor=Person(id=1, login="ana"), at=now, stage="qa"))
        for elsewhere in (Elsewhere(), Elsewhere()):
            elsewhere.show(tools)
            elsewhere.show(tools)
        for waiting in world.outbox.due(now=world.clock()):
            telling.post(tools, waiting)
        made = [json.loads(asked.body) for asked in far.asked]
    for event in made:
        validator(".".join(event["type"].split(".")[2:4])).validate(event)
    assert sorted(event["type"] for event in made) == [
        "dev.cdevents.change.created.0.4.0",
        "dev.cdevents.change.merged.0.3.0",
        "dev.cdevents.environment.modified.0.3.0",
        "dev.cdevents.service.upgraded.0.3.0",
    ]


def test_who_was_taken_out_of_the_configuration_is_told_nothing_more(world: SlackWorld) -> None:
    promotion = world.opened()
    with far_side(saying(answer())) as far:
        telling.notify(others(world, far), notice(promotion, "failed", Severity.CRITICAL))
        for waiting in world.outbox.due(now=world.clock()):
            telling.post(world.tools(), waiting)
        assert far.asked == []
    assert world.outbox.counts() == {"sent": 2}
