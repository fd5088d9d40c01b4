"""Which promotion a typed line means: a table of lines."""

from dataclasses import replace

import pytest

from bot.commands.shelf import verbs
from bot.domain.promotion import Promotion, PromotionState
from bot.planning.naming import named
from tests.support.builders import promotion


def one(stage: str, name: str, number: int, state: PromotionState = PromotionState.OPEN) -> Promotion:
    found = promotion()
    move = replace(found.moves[0], service=name)
    return replace(found, id=f"{stage}{name}{number}", stage=stage, name=name, number=number, state=state, moves=(move,))


KNOWN = {
    "qa": (one("qa", "payments", 3, PromotionState.HEALTHY), one("qa", "payments", 7), one("qa", "web", 8)),
    "prod": (one("prod", "payments", 8), one("prod", "ledger", 9, PromotionState.CLOSED)),
}


@pytest.mark.parametrize(
    ("line", "rest", "stage", "number"),
    [
        ("approve #7", "approve", "qa", 7),
        ("/promote approve #7", "approve", "qa", 7),
        ("approve --promotion 7", "approve", "qa", 7),
        ("approve --promotion=7 --sha abc1234", "approve --sha abc1234", "qa", 7),
        ("approve #8 prod", "approve prod", "prod", 8),
        ("approve payments qa", "approve", "qa", 7),
        ("approve qa payments", "approve", "qa", 7),
        ('hold #7 --reason "see #12, it\'s odd"', 'hold --reason "see #12, it\'s odd"', "qa", 7),
        ("hold qa payments --reason x", "hold qa payments --reason x", "", None),
        ("why payments qa", "why payments qa", "", None),
        ("why soak #7", "why soak", "qa", 7),
        ("cancel ledger prod", "cancel", "prod", 9),
        ("approve", "approve", "", None),
        ("approve qa", "approve qa", "", None),
        ("help", "help", "", None),
        ("", "", "", None),
        ("#7", "#7", "", None),
        ("nonsense #7", "nonsense", "qa", 7),
    ],
)
def test_a_line_and_what_it_names(line: str, rest: str, stage: str, number: int | None) -> None:
    found = named(line, KNOWN, verbs())
    assert (found.line, found.stage, found.number, found.problem) == (rest, stage, number, "")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("approve #8", "Name the stage"),
        ("approve #99", "No promotion with the number #99"),
        ("approve #7 #8", "more than one"),
    ],
)
def test_nobody_guesses(line: str, word: str) -> None:
    found = named(line, KNOWN, verbs())
    assert word in found.problem
    assert found.number is None
