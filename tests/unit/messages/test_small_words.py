"""Sentences that stand alone: links of accounts, buttons of others, plain notices as events, places, orders, and cut comments."""

import pytest

from bot.domain.action import Notify, Severity
from bot.domain.card import Card
from bot.domain.directive import Directive, Order
from bot.domain.promotion import Move, PromotionState
from bot.domain.rendered import ObjectChange, Rendered
from bot.messages import comment, orders, pairs, rendered, slack, slack_answer, slack_buttons, slack_card, standings
from bot.messages.cloudevents import OURS, cloudevent
from tests.support.builders import ANA, NOW, promotion, release, slot


def test_an_account_that_is_tied_to_nobody_is_told_how_it_gets_tied() -> None:
    assert "`/promote link`" in slack_answer.not_linked(linking=True)
    assert "`/promote link`" not in slack_answer.not_linked(linking=False)
    for text in (slack_answer.not_linked(linking=True), slack_answer.not_linked(linking=False)):
        assert "`notifications.slack.people`" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (slack_answer.stranger("guests may not"), "Nothing was done: guests may not."),
        (slack_answer.unavailable("GitHub answers 502."), "Nothing was done: GitHub answers 502. Give it again in a moment."),
        (slack_answer.gone("ana"), "(ana) does not exist any more, or changed hands."),
    ],
)
def test_what_was_not_done_says_so_and_why(text: str, told: str) -> None:
    assert text.startswith("Nothing was done: ")
    assert text.endswith(told)


def test_a_table_s_rule_alone_takes_nothing_with_it_that_is_not_its_head() -> None:
    assert slack_answer.mrkdwn("|---|\nx") == "x"
    assert slack_answer.mrkdwn("| a | b |\n|---|---|\n| 1 | 2 |") == "• 1 · 2"


def test_buttons_that_are_none_of_ours_and_versions_that_were_not_kept_mean_no_line() -> None:
    pressed = slack_buttons.Pressed(stage="qa", number=7, head="", moves=(("api", "", "1.1.0"), ("web", "1.0.0", "")))
    assert slack_buttons.lines("promotion_merge", pressed) == ()
    assert slack_buttons.lines(slack_buttons.APPROVE, pressed) == ()
    assert slack_buttons.lines(slack_buttons.REVERT, pressed) == ()
    assert slack_buttons.lines(slack_buttons.WHY, pressed) == ("why",)


def test_a_batch_too_large_for_a_button_has_no_revert_button() -> None:
    moves = tuple(Move(service=f"s{number}", old=release("1"), new=release("2")) for number in range(11))
    kept = slack_buttons.read(slack_buttons.value(promotion(moves=moves, number=7)))
    assert kept is not None
    assert kept.moves == ()
    shown = str(slack_card.card_blocks(Card(promotion=promotion(moves=moves, state=PromotionState.HEALTHY), sentence="")))
    assert slack_buttons.REVERT not in shown


def test_a_card_stands_at_the_head_of_its_promotion_s_thread() -> None:
    assert Card(promotion=promotion(id="p9"), sentence="").thread == "p9"


def test_a_plain_notice_is_an_event_of_our_own() -> None:
    notice = Notify(key="k", thread="p1", severity=Severity.CRITICAL, stage="qa", service="api", text="it failed", fields={"a": "b"})
    made = cloudevent(notice, identity="i1", source="https://bot.example", at=NOW)
    assert (made["type"], made["subject"], made["id"], made["time"]) == (OURS, "p1", "i1", "2026-11-20T12:00:00Z")
    assert made["data"] == {"severity": "critical", "stage": "qa", "service": "api", "text": "it failed", "fields": {"a": "b"}}


def test_a_notice_without_fields_has_no_row_of_fields() -> None:
    found = slack.blocks("info", "qa", "", "text", {"empty": ""})
    assert [block["type"] for block in found] == ["header", "section"]
    assert "fields" not in found[-1]


def test_a_place_is_its_file_line_and_version() -> None:
    assert pairs.place(slot("1.9.1", path="api/values.yaml")) == "api/values.yaml:7 1.9.1"


def test_folders_in_which_nothing_differs_or_that_cannot_be_rendered_say_so() -> None:
    nothing = Rendered(folder="", tool="kustomize", objects=(), problem="")
    broken = Rendered(folder="web", tool="helm", objects=(), problem="it needs <a chart>")
    text = rendered.section([nothing, broken])
    assert "`.` (kustomize)" in text
    assert "No object differs" in text
    assert "Not rendered: it needs &lt;a chart\\>" in text
    assert rendered.section([]) == ""
    many = tuple(ObjectChange(kind="ConfigMap", namespace="", name=f"c{n}", what="is new", fields=()) for n in range(40))
    assert "- and 10 more objects" in rendered.section([Rendered(folder="x", tool="helm", objects=many, problem="")])


@pytest.mark.parametrize(("reason", "tail"), [("errors.", ": errors."), ("", ".")])
def test_what_an_order_did_names_who_gave_it_and_why(reason: str, tail: str) -> None:
    order = Directive(key="k", order=Order.REVERT, actor=ANA, at=NOW, stage="qa", version="1.0.0", reason=reason)
    assert orders.rolled_back(order) == f"@ana ordered to take it back{tail}"
    assert orders.going_back("api", "qa", order) == f"@ana ordered api in qa back to 1.0.0{tail}"
    assert orders.cancelled(order) == f"@ana closed this promotion by order{tail} This version is not offered again by itself."
    assert orders.not_asked(order, "1 of 2 hours.") == f"Not asked: @ana ordered to go back{tail} Without that: 1 of 2 hours."


def test_a_registry_that_does_not_answer_is_named_with_its_problem() -> None:
    text = standings.offers_unknown("api", "dev", "ghcr.io/acme/api", "it answers 401")
    assert text.endswith("ghcr.io/acme/api: it answers 401. It is asked again by itself.")


@pytest.mark.parametrize("state", list(PromotionState))
def test_every_state_has_one_phrase(state: PromotionState) -> None:
    assert comment.state_title(promotion(state=state)).strip()
