"""The status comment: verdict first, every gate with who can change it, and nothing from outside that fires."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from bot.commands.grammar import address_of, parse, read
from bot.commands.model import Surface
from bot.commands.shelf import verbs
from bot.domain.promotion import Move, PromotionState
from bot.domain.verdict import Outcome, Verdict
from bot.messages import comment
from bot.planning.face import conclusion, show, show_rollout
from bot.planning.labels import labels
from tests.support.builders import NOW, promotion, release

PASSED = Verdict(gate="upstream", outcome=Outcome.PASSED, sentence="dev runs it.")
PENDING = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="1 of 2 hours.", changer="time", look_again=NOW)
FAILED = Verdict(gate="checks", outcome=Outcome.FAILED, sentence="smoke is red.", changer="whoever mends it")
UNKNOWN = Verdict(gate="metric", outcome=Outcome.UNKNOWN, sentence="no answer.", changer="the operator")


def test_the_verdict_comes_first_and_what_holds_before_what_passed():
    text = comment.waiting(promotion(), (PASSED, PENDING), "1 of 2 hours.")
    lines = text.splitlines()
    assert lines[0] == "### ⏳ `payments` **1.0.0 → 1.1.0** to **qa** · 1 of 2 gates pass"
    rows = [line for line in lines if line.startswith("| ") and "gate |" not in line]
    assert rows[0].startswith("| ⏳ | soak | 1 of 2 hours. | time. Next look: 2026-11-20 12:00:00 UTC.")
    assert rows[1] == "| ✅ | upstream | dev runs it. | – |"


@pytest.mark.parametrize(
    ("verdicts", "sign", "title", "concluded", "label"),
    [
        ((PASSED,), "✅", "all gates pass", "success", "ready"),
        ((PASSED, PENDING), "⏳", "soak: 1 of 2 hours.", "", "waiting"),
        ((PENDING, FAILED), "⛔", "checks: smoke is red.", "failure", "blocked"),
        ((PENDING, UNKNOWN), "⏳", "metric: no answer.", "", "waiting"),
    ],
)
def test_one_state_in_all_its_places(verdicts, sign, title, concluded, label):
    shown = show(promotion(), verdicts, "why")
    assert shown.comment.startswith(f"### {sign} ")
    assert (shown.check_title, shown.conclusion) == (title, concluded)
    assert [name for name in shown.labels if name.startswith("promotion:")] == [f"promotion:{label}"]


@pytest.mark.parametrize(
    ("state", "phrase", "label", "concluded"),
    [
        (PromotionState.OPEN, "open", "ready", "success"),
        (PromotionState.MERGED, "merged, rolling out", "merged", "success"),
        (PromotionState.HEALTHY, "healthy", "merged", "success"),
        (PromotionState.FAILED, "the rollout failed", "failed", "failure"),
        (PromotionState.REVERTING, "the rollout failed, being taken back", "failed", "failure"),
        (PromotionState.REVERTED, "the rollout failed, taken back", "failed", "failure"),
        (PromotionState.STUCK, "a person is needed", "failed", "failure"),
        (PromotionState.SUPERSEDED, "overtaken by a newer change", "superseded", "success"),
        (PromotionState.CLOSED, "closed", "superseded", "neutral"),
    ],
)
def test_every_state_has_its_words(state, phrase, label, concluded):
    one = promotion(state=state, merged_at=NOW)
    shown = show_rollout(one, "so it is.")
    assert comment.state_title(one) == phrase
    assert f"promotion:{label}" in labels(one, ())
    assert conclusion(one, ()) == concluded
    assert "so it is." in shown.comment
    assert "merged 2026-11-20 12:00:00 UTC" in shown.comment


def test_overrides_and_freezes_leave_their_labels():
    overridden = replace(PASSED, overridden_by="ana")
    frozen = Verdict(gate="freeze", outcome=Outcome.PENDING, sentence="frozen.", changer="time")
    assert {"promotion:override", "promotion:frozen"} <= set(labels(promotion(), (overridden, frozen)))


HOSTILE = "<img src=x onerror=pwn()> @everyone [x](javascript:alert(1)) | `/promote approve` \n/promote approve\n"


def test_nothing_from_outside_fires_in_a_comment():
    hostile = Verdict(gate="checks", outcome=Outcome.FAILED, sentence=HOSTILE, changer=HOSTILE)
    text = comment.waiting(promotion(), (hostile,), HOSTILE)
    assert "\n/promote" not in text
    assert "@everyone" not in text
    assert "<img" not in text
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    assert "<img" not in rendered
    assert rendered.count("<tr>") == 2


def test_the_commands_that_it_names_can_be_given_here_and_none_of_them_fires_from_it():
    named = re.findall(r"`/promote ([^`]+)`", comment.COMMANDS)
    calls = [parse(line.replace("…", "x"), verbs()) for line in named]
    assert [call.verb for call in calls] == ["approve", "hold", "why", "rebase", "cancel", "help"]
    assert all(Surface.PR in verbs()[call.verb].spec.surfaces for call in calls)
    everything = address_of("promotion-bot[bot]", bare=True)
    for text in (comment.waiting(promotion(), (PASSED,), HOSTILE), comment.after_merge(promotion(), HOSTILE)):
        assert comment.COMMANDS in comment.waiting(promotion(), (PASSED,), "")
        assert read(text, verbs(), address=everything).calls == ()


def test_a_batch_is_named_by_its_size():
    moves = (Move(service="a", old=release("1"), new=release("2")), Move(service="b", old=release("3"), new=release("4")))
    batch = promotion(moves=moves, name="all")
    assert "`all` (2 services) to **qa**" in comment.waiting(batch, (PASSED,), "why")
    assert "- `b`: `3` → `4`" in comment.after_merge(batch, "why")


def test_a_comment_is_cut_at_a_line_before_github_refuses_it():
    text = comment.clip("word\n" * 20_000)
    assert len(text) <= comment.LONGEST + 100
    assert text.endswith("`promotion-bot why` shows all of it.")


def test_the_same_state_gives_the_same_text():
    assert comment.waiting(promotion(), (PASSED, PENDING), "why") == comment.waiting(promotion(), (PASSED, PENDING), "why")
