"""What is shown in Slack: within its limits, escaped, and with the buttons that fit; and what a press means."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.grammar import parse
from bot.commands.model import Call
from bot.commands.shelf import verbs
from bot.domain.action import Severity
from bot.domain.card import Card
from bot.domain.promotion import Move, Promotion, PromotionState
from bot.messages import slack, slack_answer, slack_buttons, slack_card
from tests.support.builders import NOW, promotion, release
from tests.support.slack_blocks import check, texts

NASTY = [
    "<!channel>",
    "<!here|x>",
    "<@U123>",
    "<http://evil.example|click>",
    "&lt;!channel&gt;",
    "@channel",
    "`x` *b* _i_ ~s~",
    "a\nb",
    "\u202e",
]
LONG = "x" * 9_000


def some(**more: object) -> Promotion:
    return replace(promotion(), **{"number": 7, "head": "f" * 40, "url": "https://github.com/acme/env-qa/pull/7", **more})


def no_magic(blocks: object) -> None:
    """No sign that Slack gives a meaning stands unescaped, except in links that the bot made itself."""
    for text in texts(blocks):
        assert "<!" not in text
        assert "<@" not in text
        assert "<http://evil" not in text


@pytest.mark.parametrize("state", list(PromotionState))
@pytest.mark.parametrize("nasty", [*NASTY, LONG])
def test_a_card_is_valid_and_harmless_in_every_state(state: PromotionState, nasty: str) -> None:
    moves = tuple(Move(service=f"{nasty[:40]}{n}", old=release("1.0.0"), new=release("1.1.0")) for n in range(30))
    one = some(
        state=state, moves=moves, name=nasty[:300], merged_at=NOW, failed_at=NOW, ended_at=NOW, revert_commit="d" * 40, rollout_since=NOW
    )
    for found in (one, replace(one, moves=moves[:1]), replace(one, url="", number=None)):
        blocks = slack_card.card_blocks(Card(promotion=found, sentence=nasty, severity=Severity.CRITICAL))
        check(blocks)
        no_magic(blocks)
        no_magic([{"text": slack_card.card_text(Card(promotion=found, sentence=nasty))}])


@pytest.mark.parametrize("nasty", [*NASTY, LONG, "&" * 9_000, "<" * 3_500])
def test_notices_and_answers_are_valid_and_harmless(nasty: str) -> None:
    for blocks in (
        slack.blocks("critical", "qa", nasty[:60], nasty, {f"field {n}": nasty for n in range(20)}),
        slack_answer.answer_blocks(nasty),
        slack_answer.answer_blocks("\n".join([nasty] * 40)),
    ):
        check(blocks)
        no_magic(blocks)


def board(*rows: str) -> str:
    return "\n".join(["| service | stage | standing | versions | why |", "|---|---|---|---|---|", *rows])


def test_a_board_is_a_section_for_each_row_between_what_stands_around_it() -> None:
    row = "| `payments` | qa | open [#7](https://x.example/7) | `1.0.0` → `1.1.0` | soak \\| waits for @\u200bmia |"
    blocks = slack_answer.answer_blocks(f"Hello\n\n{board(row, '| `x` | prod | ready | `2` | |')}\n\nBye")
    check(blocks)
    assert texts(blocks) == [
        "Hello",
        "*`payments`* · qa · open <https://x.example/7|#7> · `1.0.0` → `1.1.0`\nsoak | waits for @\u200bmia",
        "*`x`* · prod · ready\n`2`",
        "Bye",
    ]


@pytest.mark.parametrize("nasty", [*NASTY, LONG, "&" * 4_000])
def test_a_board_of_hundreds_says_that_it_is_cut_and_harms_nobody(nasty: str) -> None:
    cell = nasty.replace("\n", " ")
    blocks = slack_answer.answer_blocks(board(*[f"| `s{n}` | qa | {cell} | 1 | {cell} |" for n in range(300)]))
    check(blocks)
    no_magic(blocks)
    assert texts(blocks)[-1] == slack.CUT


@given(st.text(max_size=400))
def test_no_text_at_all_calls_a_channel(text: str) -> None:
    blocks = slack_answer.answer_blocks(text)
    check(blocks)
    no_magic(blocks)


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("**bold** and *it*", "*bold* and _it_"),
        ("`a*b*c` <b>", "`a*b*c` "),
        ("[#1](https://x.example/1?a=1&b=2)", "<https://x.example/1?a=1&amp;b=2|#1>"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("- one", "• one"),
        ("### Head", "*Head*"),
        ("| a | b |\n|---|---|\n| `c` | d \\| e |", "• `c` · d | e"),
        ("<details><summary>2 gates</summary>", "2 gates"),
        ("&lt;ok&gt;", "&lt;ok&gt;"),
        (r"\*not bold\*", "*not bold*"),
    ],
)
def test_markdown_in_slacks_notation(markdown: str, wanted: str) -> None:
    assert slack_answer.mrkdwn(markdown) == wanted


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (PromotionState.OPEN, {slack_buttons.APPROVE, slack_buttons.HOLD, slack_buttons.WHY}),
        (PromotionState.MERGED, {slack_buttons.REVERT, slack_buttons.WHY}),
        (PromotionState.HEALTHY, {slack_buttons.REVERT}),
        (PromotionState.REVERTED, set()),
        (PromotionState.CLOSED, set()),
    ],
)
def test_the_buttons_fit_the_state(state: PromotionState, offered: set[str]) -> None:
    blocks = slack_card.card_blocks(Card(promotion=some(state=state), sentence=""))
    found = {element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]}  # type: ignore[attr-defined]
    assert found - {slack_buttons.LINK} == offered


@pytest.mark.parametrize("action", slack_buttons.ACTIONS)
def test_each_button_is_a_line_that_the_grammar_reads(action: str) -> None:
    bound = slack_buttons.read(slack_buttons.value(some()))
    assert bound is not None
    lines = slack_buttons.lines(action, bound)
    assert lines
    calls = [parse(line, verbs()) for line in lines]
    assert all(isinstance(call, Call) for call in calls)


def test_approve_names_the_head_and_revert_the_version_that_stood_there() -> None:
    bound = slack_buttons.read(slack_buttons.value(some()))
    assert bound is not None
    [approve] = [parse(line, verbs()) for line in slack_buttons.lines(slack_buttons.APPROVE, bound)]
    [back] = [parse(line, verbs()) for line in slack_buttons.lines(slack_buttons.REVERT, bound)]
    assert isinstance(approve, Call)
    assert isinstance(back, Call)
    assert approve.flags["sha"] == "f" * 40
    assert (back.verb, back.flags["from"]) == ("rollback", str(some().moves[0].new.main.tag))


@pytest.mark.parametrize("service", ['a" --to 9 "', "a\\", 'x"y', "ünïcode", "--to=9"])
def test_a_services_name_cannot_become_a_flag(service: str) -> None:
    one = some(moves=(Move(service=service, old=release("1.0.0"), new=release("1.1.0")),))
    bound = slack_buttons.read(slack_buttons.value(one))
    assert bound is not None
    [call] = [parse(line, verbs()) for line in slack_buttons.lines(slack_buttons.REVERT, bound)]
    assert isinstance(call, Call)
    assert call.words == (service, one.stage)
    assert set(call.flags) == {"from", "reason"}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "null", "x", "9" * 3000),
        json.dumps({"stage": "qa"}),
        json.dumps({"stage": 1, "number": 1, "head": "", "moves": []}),
        json.dumps({"stage": "qa", "number": True, "head": "", "moves": []}),
        json.dumps({"stage": "qa", "number": 1, "head": "", "moves": [["a"]]}),
    ],
)
def test_a_value_that_is_none_of_ours_is_none(text: str) -> None:
    assert slack_buttons.read(text) is None
