"""Titles, bodies, markers and sentences: what people read, and what the bot reads back."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain.directive import Directive, Order
from bot.domain.facts import Quarantine, StageHold
from bot.domain.promotion import Move, PromotionState, branch_name, promotion_id
from bot.domain.slot import SlotProblem
from bot.domain.verdict import Outcome, Verdict
from bot.messages import comment, pulls, rollouts, slack, standings, words
from bot.messages.comment import cell
from bot.planning.adopt import marker, read
from bot.planning.face import body, opening, renewing
from tests.support.builders import ANA, BASE, NOW, health, promotion, pull, release

BLOCKED = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="1 of 2 hours", changer="time.")
BATCH = (Move(service="a", old=release("1"), new=release("2")), Move(service="b", old=release("3"), new=release("4")))


def test_titles():
    assert pulls.title(promotion()) == "promote(qa): payments 1.0.0 -> 1.1.0"
    assert pulls.merge_title(promotion()) == "promote(qa): payments 1.0.0 -> 1.1.0 (#7)"
    assert pulls.merge_title(promotion(number=None)) == "promote(qa): payments 1.0.0 -> 1.1.0"
    assert pulls.title(promotion(moves=BATCH, name="all")) == "promote(qa): all (2 services)"
    assert rollouts.revert_title(promotion()) == "revert(qa): payments 1.1.0 -> 1.0.0"


def test_the_commit_names_its_promotion_in_trailers():
    message = pulls.commit_message(promotion())
    assert message.endswith(f"\n\nPromotion-Id: {promotion().id}\nPromotion-Stage: qa\n")


def test_the_body_lists_every_edit_and_carries_the_identity():
    text = body(promotion())
    assert "| `payments/deployment.yaml`:7 | `ghcr.io/acme/payments` | `1.0.0` | `1.1.0` |" in text
    found = read(pull(body=text), "qa")
    assert found is not None
    assert (found.id, found.base, found.moves[0].new) == (promotion().id, BASE, release("1.1.0"))


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "<!-- promotion-bot {} -->",
        "<!-- promotion-bot {not json} -->",
        '<!-- promotion-bot {"id": 1, "stage": "qa", "name": "payments", "base": "x", "moves": []} -->',
        '<!-- promotion-bot {"id": 1, "stage": "qa", "name": "payments", "base": "x", "moves": [{"service": "x"}]} -->',
        '<!-- promotion-bot {"stage": "qa", "moves": null} -->',
    ],
)
def test_a_broken_marker_is_no_promotion(broken):
    assert read(pull(body=broken), "qa") is None


def test_a_marker_of_another_stage_or_branch_is_not_ours():
    assert read(pull(body=marker(promotion())), "uat") is None
    assert read(pull(body=marker(promotion()), branch="promote/qa/other"), "qa") is None


def test_a_marker_cannot_be_closed_from_inside():
    evil = promotion(moves=(Move(service="x --> y", old=release("1"), new=release("2")),))
    assert marker(evil).count("-->") == 1
    json.loads(marker(evil).removeprefix("<!-- promotion-bot ").removesuffix(" -->"))


def test_actions_carry_the_texts():
    fresh = promotion("1.2.0")
    assert opening(promotion()).labels == ("promotion", "stage:qa", "promotion:waiting")
    action = renewing(fresh, replaces=promotion())
    assert (action.replaces, action.expected_head) == (promotion().id, promotion().head)


def test_the_first_sentence_of_an_open_promotion():
    assert pulls.state_sentence(promotion(), (), None, merge="auto") == "All gates pass: it is being merged."
    assert "by people" in pulls.state_sentence(promotion(), (), None, merge="manual")
    assert "pushed to by a person" in pulls.state_sentence(promotion(taken_over_by="ana"), (), None, merge="auto")
    text = pulls.state_sentence(promotion(), (BLOCKED, BLOCKED), BLOCKED, merge="auto")
    assert text == "1 of 2 hours. Who or what can change it: time. 1 more gate to pass. It is merged as soon as `soak` and `soak` pass."


LATER = NOW + timedelta(minutes=47)
SOAKING = replace(BLOCKED, passes_at=LATER)
APPROVAL, CHECKS, HTTP, IMAGE = (replace(BLOCKED, gate=name) for name in ("approval", "checks", "http", "image"))


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ((), ""),
        ((SOAKING,), "It is merged at 2026-11-20 12:47:00 UTC at the earliest, by time alone."),
        ((SOAKING, replace(SOAKING, passes_at=NOW)), "It is merged at 2026-11-20 12:47:00 UTC at the earliest, by time alone."),
        ((APPROVAL,), "It is merged as soon as `approval` passes."),
        ((APPROVAL, SOAKING), "It is merged as soon as `approval` passes, but not before 2026-11-20 12:47:00 UTC."),
        ((APPROVAL, CHECKS, HTTP, IMAGE), "It is merged as soon as `approval`, `checks`, `http` and 1 more pass."),
        ((replace(APPROVAL, outcome=Outcome.PASSED), SOAKING), "It is merged at 2026-11-20 12:47:00 UTC at the earliest, by time alone."),
    ],
)
def test_when_it_is_expected(verdicts, told):
    assert pulls.expected(verdicts, by_people=False) == told
    assert pulls.expected(verdicts, by_people=True) == told.replace("It is merged", "It can be merged")


def test_the_expected_time_stands_at_the_beginning_of_the_status_comment():
    sentence = pulls.state_sentence(promotion(), (SOAKING,), SOAKING, merge="auto")
    first = comment.waiting(promotion(), (SOAKING,), sentence).split("\n\n")[1]
    assert first.startswith("**1 of 2 hours.")
    assert first.endswith("It is merged at 2026-11-20 12:47:00 UTC at the earliest, by time alone.**")


def test_what_became_of_a_pull_request():
    assert pulls.merged_by("ana", BLOCKED) == "The pull request was merged by @ana. The gate soak had not passed: 1 of 2 hours"
    assert "by the forge" in pulls.merged_by("", None)
    assert pulls.closed_by("ana").startswith("@ana closed")
    assert pulls.closed_by("") == "The pull request was closed."
    assert "Newer: payments 1.2.0." in pulls.renewed(promotion(), promotion("1.2.0"))
    assert "made again on bbbbbbb" in pulls.renewed(promotion(), promotion())
    assert "#7" in pulls.adopted(promotion())
    assert pulls.gone(promotion()).startswith("payments no longer stands")
    assert "still rolls out" in pulls.still_moving(["payments"], "qa")


def test_sentences_about_bans_name_who_lifts_them():
    ban = Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=NOW, reason="it crashed.", promotion="p")
    assert "/promote retry" in standings.quarantined("payments", "uat", ban)
    order = Directive(key="k", order=Order.VETO, actor=ANA, at=NOW, reason="bad", until=NOW + timedelta(hours=1), version="1.0.0")
    assert "@ana vetoed payments 1.1.0" in standings.vetoed("payments", release("1.1.0"), order)
    assert "until 2026-11-20 13:00:00 UTC: bad" in standings.pinned("payments", "qa", order)
    assert "until 2026-11-20 13:00:00 UTC: bad" in standings.held("payments", "qa", order)
    assert "/promote unhold qa" in standings.stage_held("qa", StageHold(stage="qa", at=NOW, reason="two reverts."))
    problem = SlotProblem(path="a.yaml", line=3, code="ParseError", message="not YAML")
    assert standings.unreadable("payments", "qa", problem) == "payments waits because qa cannot be read at a.yaml:3: not YAML."


def test_sentences_about_rollouts():
    failed = promotion(state=PromotionState.FAILED, reason="it crashed", merge_commit="c" * 40)
    assert rollouts.revert_message(failed).splitlines()[2] == f"Takes back promote(qa): payments 1.0.0 -> 1.1.0 of {'c' * 12}."
    assert f"Reverts-Promotion: {failed.id}" in rollouts.revert_message(failed)
    assert "(#7)" in rollouts.revert_body(failed)
    for how in ("revert", "revert-pr", "notify"):
        assert rollouts.AFTERWARDS[how] in rollouts.failed_notice(failed, "it crashed", how)
    assert "turned bad in qa" in rollouts.turned_bad(health("1.1.0", reason="OOMKilled"), "qa")
    assert "not healthy within 60 s" in rollouts.timed_out("progressing", timedelta(seconds=60))


def test_lists_and_instants():
    assert words.listing([]) == ""
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.instant(None) == "an unknown time"
    assert words.full("so", "") == "so."
    assert words.full("so.", "ana") == "so. Who or what can change it: ana."
    assert words.code("a`b\nc") == "`aʼb c`"
    assert words.code("") == "``"
    assert words.plain("<b>@x [y](z)") == "&lt;b\\>@\u200bx \\[y\\](z)"


def outside_of_code(tokens: list[Token]) -> str:
    return "".join(outside_of_code(one.children or []) + ("" if one.type == "code_inline" else one.content) for one in tokens)


@given(st.text(alphabet="`@\\\\a </>|x\n"))
@example("`unveto payments@1.9.0` lifts @bo's veto")
@example("\\\\`@acme/team`")
@example("` @acme/team `` x ` y")
@example("<a href='`'>@acme/team`")
def test_a_sentence_mentions_nobody_and_holds_no_html_and_its_code_stays(text):
    [block] = MarkdownIt("commonmark").parse(f"x {words.prose(text)}")[1:2]
    shown = outside_of_code(block.children)
    assert not re.search(r"@(?!\u200b)", shown)
    assert all(one.type not in ("html_inline", "link_open") for one in block.children)
    assert words.prose(words.prose(text)).count("`") == words.prose(text).count("`")


def test_a_command_in_a_sentence_can_be_copied():
    told = standings.vetoed(
        "payments", release("1.1.0"), Directive(key="k", order=Order.VETO, actor=ANA, at=NOW, reason="", version="1.1.0")
    )
    for text in (words.prose(told), cell(told)):
        assert "`/promote unveto payments@1.1.0`" in text
        assert text.startswith("@\u200bana vetoed")


def test_slack_texts_are_escaped_and_within_the_limits():
    blocks = slack.blocks("critical", "prod", "payments", "<!channel> &\n" * 2000, {"where": "<http://evil|x>", "none": ""})
    assert len(blocks) <= 50
    texts = [block["text"]["text"] for block in blocks if "text" in block]
    assert all(len(text) <= 3000 for text in texts)
    assert not any("<!channel>" in text for text in texts)
    assert blocks[-1]["fields"][0]["text"] == "*where*\n&lt;http://evil|x&gt;"
    assert slack.fallback("info", "<x>") == "✅ &lt;x&gt;"


def test_branches_keep_services_apart():
    names = ["payments", "a/b", "a-b", "A.lock", "..", "ünï", "x" * 300]
    branches = [branch_name("qa", name) for name in names]
    assert branches[0] == "promote/qa/payments"
    assert len(set(branches)) == len(names)
    assert not any(branch.endswith(".lock") or ".." in branch for branch in branches)


def test_the_identity_is_the_content_on_its_base():
    one = promotion()
    assert promotion_id("qa", one.moves, BASE) == one.id
    assert promotion_id("qa", one.moves, "c" * 40) != one.id
    assert promotion_id("qa", promotion("1.2.0").moves, BASE) != one.id
