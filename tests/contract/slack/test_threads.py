"""One thread per promotion: its head is changed in place, its notices stand below it, an incident has a thread of its own."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from slack_sdk import WebClient

from bot.adapters.slack.chat import SlackChat
from bot.app import build
from bot.app.duties import Duties
from bot.cli.demo.settings import SandboxSettings
from bot.config.schema import Config
from bot.domain.action import Notify, Severity
from bot.domain.errors import TransientError
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.verdict import Alarm, Outcome, Verdict
from bot.planning import opened
from bot.reconcile import telling
from bot.reconcile.elsewhere import Elsewhere, _card_of
from bot.sandbox.slack.workspace import Message
from tests.contract.slack.slack_world import CHANNEL, SlackWorld
from tests.support.slack_blocks import check

INCIDENTS = "incidents"


def moved(world: SlackWorld, promotion: Promotion, **changes: object) -> Promotion:
    """The promotion as the plan would have written it."""
    return world.history.save_promotion(replace(promotion, **changes), why="test", actor="promotion-bot", now=world.clock())


def notice(promotion: Promotion, event: str, severity: Severity, text: str = "something") -> Notify:
    return Notify(
        key=f"{promotion.id}:{event}",
        thread=promotion.id,
        severity=severity,
        stage="qa",
        service="payments",
        text=text,
        fields={},
    )


def roots(world: SlackWorld, channel: str = CHANNEL) -> list[Message]:
    return [one for one in world.slack.messages(channel) if one.thread_ts in (None, one.ts)]


def words(message: Message) -> str:
    check(message.blocks)
    return f"{message.text} {message.blocks}"


def test_a_whole_life_is_one_message_that_changes_in_place(world: SlackWorld) -> None:
    promotion = world.opened()
    elsewhere = Elsewhere(cards=world.chat())
    assert elsewhere.show(world.tools()) is None
    [root] = roots(world)
    assert "open" in root.text
    assert "promotion_approve" in words(root)
    asked = len(world.slack.calls())
    elsewhere.show(world.tools())
    assert len(world.slack.calls()) == asked, "nothing changed, and Slack was asked"
    now = world.clock()
    promotion = moved(world, promotion, state=PromotionState.MERGED, merged_at=now, merge_commit="c" * 40, rollout_since=now)
    Elsewhere(cards=world.chat()).show(world.tools())
    assert [one.ts for one in roots(world)] == [root.ts]
    assert "rolling out" in root.text
    assert "promotion_approve" not in words(root)
    assert "promotion_revert" in words(root)
    moved(world, promotion, state=PromotionState.HEALTHY, healthy_since=now, ended_at=now)
    elsewhere.show(world.tools())
    assert "healthy" in root.text
    assert len(world.slack.messages(CHANNEL)) == 1


def test_notices_stand_below_the_head_once_each_whatever_process_sends_them(world: SlackWorld) -> None:
    promotion = world.opened()
    Elsewhere(cards=world.chat()).show(world.tools())
    for _ in range(2):
        telling._into(world.chat(), notice(promotion, "failed", Severity.CRITICAL))
    head, below = world.slack.messages(CHANNEL)
    assert below.thread_ts == head.ts
    assert below.broadcast


def test_a_thread_is_found_however_much_was_said_in_the_channel_since(world: SlackWorld) -> None:
    promotion = world.opened()
    Elsewhere(cards=world.chat()).show(world.tools())
    others = WebClient(token=world.slack.bot_token, base_url=world.slack.api_url)
    for place in range(450):
        others.chat_postMessage(channel=CHANNEL, text=f"talk {place}")
    chat = world.chat()
    telling._into(chat, notice(promotion, "failed", Severity.CRITICAL))
    assert world.slack.messages(CHANNEL)[-1].thread_ts == world.slack.messages(CHANNEL)[0].ts
    read = [one for one in world.slack.calls() if "conversations.history" in str(one)]
    telling._into(chat, replace(notice(promotion, "other", Severity.INFO), key="other", thread="other"))
    again = [one for one in world.slack.calls() if "conversations.history" in str(one)]
    assert len(again) - len(read) <= 1, "the whole channel was read once more"


def test_what_another_process_posted_before_it_died_is_not_posted_again(world: SlackWorld, tmp_path: Path) -> None:
    """It had told of the failure and not yet noted so; this one knows the thread as it was before."""
    promotion, mine, died = world.opened(), world.chat(), world.chat()
    telling.notify(world.tools(chat=mine), notice(promotion, "late", Severity.WARNING))
    telling._into(died, notice(promotion, "failed", Severity.CRITICAL))
    world.outbox.put(notice(promotion, "failed", Severity.CRITICAL), now=world.clock())
    given = SandboxSettings(github_token=SecretStr("none"), slack_bot_token=SecretStr(world.slack.bot_token), state_dir=tmp_path)
    parts = build(world.config, given)
    parts.chat = mine
    Duties(parts, world.outbox, lambda _stage: world.tools(chat=mine)).retell()
    parts.close()
    assert world.outbox.counts() == {"sent": 2}
    assert len(world.slack.messages(CHANNEL)) == 2


def test_the_head_changes_no_more_often_than_it_must(world: SlackWorld) -> None:
    promotion = world.opened()
    elsewhere = Elsewhere(cards=world.chat())
    elsewhere.show(world.tools())
    pending = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="until 12:00", changer="time")
    world.history.save_verdicts(promotion, [pending], now=world.clock())
    look = elsewhere.show(world.tools())
    assert look is not None
    assert timedelta() < look - world.clock() <= timedelta(seconds=15)
    assert world.slack.calls("chat.update") == []
    world.clock.shift = timedelta(seconds=16)
    assert elsewhere.show(world.tools()) is None
    assert len(world.slack.calls("chat.update")) == 1
    assert "soak: until 12:00" in roots(world)[0].text


def test_an_incident_is_told_in_its_own_channel_from_failure_to_recovery(world: SlackWorld) -> None:
    world.slack.add_channel(INCIDENTS)
    promotion = world.opened()
    chat = world.chat(severities={"critical": f"#{INCIDENTS}"})
    elsewhere = Elsewhere(cards=chat)
    elsewhere.show(world.tools())
    assert world.slack.messages(INCIDENTS) == []
    now = world.clock()
    promotion = moved(
        world, promotion, state=PromotionState.FAILED, merged_at=now, failed_at=now, reason="crash loop", merge_commit="c" * 40
    )
    elsewhere.show(world.tools())
    telling.notify(world.tools(chat=chat), notice(promotion, "failed", Severity.CRITICAL))
    again = world.chat(severities={"critical": f"#{INCIDENTS}"})
    telling.notify(world.tools(chat=again), notice(promotion, "reverted", Severity.WARNING, "qa is healthy again"))
    promotion = moved(world, promotion, state=PromotionState.REVERTED, revert_commit="d" * 40, rollout_since=now, ended_at=now)
    elsewhere.show(world.tools())
    head, *below = world.slack.messages(INCIDENTS)
    assert "taken back" in head.text
    assert "merged" in words(head)
    assert "failed" in words(head)
    assert [one.thread_ts for one in below] == [head.ts, head.ts]
    assert len(roots(world)) == 1
    assert len(world.slack.messages(CHANNEL)) == 3


def test_a_renewed_promotion_keeps_the_message_of_its_pull_request(world: SlackWorld) -> None:
    promotion = world.opened()
    elsewhere = Elsewhere(cards=world.chat())
    elsewhere.show(world.tools())
    moved(world, promotion, state=PromotionState.SUPERSEDED, ended_at=world.clock())
    elsewhere.show(world.tools())
    newer = replace(promotion, id="newer", head="e" * 40, version=0)
    world.history.save_promotion(newer, why="test", actor="promotion-bot", now=world.clock())
    elsewhere.show(world.tools())
    [root] = roots(world)
    assert "e" * 40 in words(root)
    telling.notify(world.tools(chat=world.chat()), notice(newer, "healthy", Severity.INFO))
    assert world.slack.messages(CHANNEL)[-1].thread_ts == root.ts


def test_a_message_that_somebody_deleted_is_written_anew(world: SlackWorld) -> None:
    promotion = world.opened()
    elsewhere = Elsewhere(cards=world.chat())
    elsewhere.show(world.tools())
    world.slack.workspace.messages.clear()
    moved(world, promotion, state=PromotionState.CLOSED, ended_at=world.clock(), reason="closed by ana")
    elsewhere.show(world.tools())
    [root] = roots(world)
    assert "closed by ana" in root.text


@pytest.mark.parametrize("fault", ["status:503", "ratelimited", "internal_error"])
def test_c13_a_slack_that_is_down_holds_nothing_up_and_catches_up(world: SlackWorld, fault: str) -> None:
    promotion = world.opened()
    chat = world.chat()
    elsewhere = Elsewhere(cards=chat)
    world.slack.fault(fault, times=50, seconds=1)
    look = elsewhere.show(world.tools())
    assert look is not None
    assert look > world.clock()
    tools = world.tools(chat=chat)
    telling.notify(tools, notice(promotion, "failed", Severity.CRITICAL))
    assert world.outbox.counts() == {"queued": 1}
    asked = len(world.slack.calls())
    with pytest.raises(TransientError):
        chat.post(key="k", thread="t", severity="info", stage="qa", service="payments", text="x", fields={})
    assert len(world.slack.calls()) == asked, "a Slack that asked for a pause was called at once"
    world.slack.server.faults.clear()
    world.clock.shift = timedelta(minutes=2)
    Elsewhere(cards=world.chat()).show(world.tools())
    for one in world.outbox.due(now=world.clock()):
        telling.post(world.tools(chat=world.chat()), one)
    assert world.outbox.counts() == {"sent": 1}
    assert len(roots(world)) == 1


def test_a_promotion_that_ended_while_slack_was_down_is_told_once_it_is_back(world: SlackWorld) -> None:
    promotion, elsewhere = world.opened(), Elsewhere(cards=world.chat())
    world.slack.fault("status:503", times=50)
    look = elsewhere.show(world.tools())
    assert look is not None
    promotion = moved(world, promotion, state=PromotionState.CLOSED, ended_at=world.clock())
    assert elsewhere.show(world.tools()) == look, "a run in between forgets nothing"
    world.slack.server.faults.clear()
    world.clock.shift += look - world.clock() + timedelta(seconds=1)
    elsewhere.cards = world.chat()
    assert elsewhere.show(world.tools()) is None
    [root] = roots(world)
    assert "closed" in root.text


def test_a_message_whose_record_was_lost_is_found_and_brought_to_the_end(world: SlackWorld) -> None:
    promotion = world.opened()
    world.chat().show(_card_of(world.tools(), promotion), {})
    moved(world, promotion, state=PromotionState.CLOSED, ended_at=world.clock())
    Elsewhere(cards=world.chat()).show(world.tools())
    [root] = roots(world)
    assert "closed" in root.text


def test_what_ended_long_ago_is_not_begun(world: SlackWorld) -> None:
    moved(world, world.opened(), state=PromotionState.CLOSED, ended_at=world.clock())
    world.clock.shift += timedelta(hours=1)
    assert Elsewhere(cards=world.chat()).show(world.tools()) is None
    assert roots(world) == []


def test_a_channel_that_is_not_there_is_told_with_what_to_mend(world: SlackWorld) -> None:
    promotion = world.opened()
    elsewhere = Elsewhere(cards=world.chat(channel="#nowhere"))
    assert elsewhere.show(world.tools()) is None
    telling.notify(world.tools(chat=world.chat(channel="#nowhere")), notice(promotion, "failed", Severity.CRITICAL))
    assert world.outbox.counts() == {"queued": 1}
    assert world.slack.messages() == []


def test_the_forges_page_of_deployments_shows_each_rollout_once(world: SlackWorld) -> None:
    promotion = world.opened()
    elsewhere = Elsewhere(page=world.forge.deployments)
    elsewhere.show(world.tools())
    assert page(world) == []
    merge = world.hub.log(world.repo, "main")[0].sha
    now = world.clock()
    promotion = moved(world, promotion, state=PromotionState.MERGED, merged_at=now, merge_commit=merge, rollout_since=now)
    elsewhere.show(world.tools())
    elsewhere.show(world.tools())
    Elsewhere(page=world.forge.deployments).show(world.tools())
    assert page(world) == [("qa", merge, [])]
    moved(world, promotion, state=PromotionState.HEALTHY, healthy_since=now, ended_at=now)
    elsewhere.show(world.tools())
    assert page(world) == [("qa", merge, ["success"])]


def test_a_record_whose_answer_was_lost_is_not_made_twice(world: SlackWorld) -> None:
    promotion = world.opened()
    merge = world.hub.log(world.repo, "main")[0].sha
    now = world.clock()
    moved(world, promotion, state=PromotionState.MERGED, merged_at=now, merge_commit=merge, rollout_since=now)
    Elsewhere(page=world.forge.deployments).show(world.tools())
    world.history.save_binding(f"deployment:{promotion.id}", {"id": "?"}, now=now)
    Elsewhere(page=world.forge.deployments).show(world.tools())
    assert [found[:2] for found in page(world)] == [("qa", merge)]


@pytest.mark.parametrize("kind", ["applied_then_500", "applied_then_reset", "status:502"])
@pytest.mark.parametrize("at", [1, 2])
def test_no_lost_answer_doubles_a_record_or_its_state(world: SlackWorld, kind: str, at: int) -> None:
    """A rollout that failed and was taken back is two records with a state each; of each kind of write one answer is lost."""
    promotion = world.opened()
    merge, now = world.hub.log(world.repo, "main")[0].sha, world.clock()
    back = world.hub.push(world.repo, "main", {"README.md": b"restored\n"}, message="revert", author="ana")
    for route in ("/repos/*/*/deployments", "/repos/*/*/deployments/*/statuses"):
        world.hub.faults.add("POST", route, kind=kind, at=at)
    moved(world, promotion, state=PromotionState.REVERTED, merged_at=now, merge_commit=merge, revert_commit=back, ended_at=now)
    for _ in range(4):
        Elsewhere(page=world.forge.deployments).show(world.tools())
    assert page(world) == [("qa", merge, ["failure"]), ("qa", back, ["success"])]


def page(world: SlackWorld) -> list[tuple[str, str, list[str]]]:
    """The environment, commit and states of each record, oldest first, read from the sandbox itself."""
    owner, _, name = world.repo.partition("/")
    repository = next(one for one in world.hub.world.repositories.values() if one.full_name == f"{owner}/{name}")
    return [(one.environment, one.sha, [status.state for status in one.statuses]) for one in repository.deployments.values()]


def test_an_alarm_is_posted_once_in_the_channel_of_the_team_in_charge(world: SlackWorld) -> None:
    alarm = Alarm(key="dora:qa:2026-11-13T12:00:00Z", service="ledger", text="The gate dora of qa only warns now.")
    config = Config.model_validate(
        {
            "version": 1,
            "pipeline": {"stages": {"qa": {"repository": world.repo}}},
            "services": {"ledger": {"images": ["ghcr.io/acme/ledger"], "team": "books"}},
            "teams": {"books": {"slack": "#books"}},
            "notifications": {"slack": {"channel": f"#{CHANNEL}", "api_url": world.slack.api_url}},
        }
    )
    assert config.notifications.slack is not None
    world.slack.add_channel("books")
    told = [opened.told(config, world.promotion(), alarm) for _ in range(2)]
    for notice in told:
        telling.notify(world.tools(chat=SlackChat(world.client, config, config.notifications.slack)), notice)
    [message] = world.slack.messages("books")
    assert "only warns now" in words(message)
    assert "books" in words(message)
    assert world.slack.messages(CHANNEL) == []
