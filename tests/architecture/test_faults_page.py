"""docs/faults.md holds every fault once, and each test that it names exists. Tests are read, not imported."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
FAULTS = {
    "A": "1 2 3 4 5 6 7 8 9 11 14 20 21",
    "B": "1 5 7 8 9 12 13 15 17 19 20 21 22 23 24 25 27 29 30 31",
    "C": "1 3 6 7 8 10 11 12 13",
    "D": "1 2 3 4 5 6 7 8 10 11 12 14 15 16 18 19 20 21 22",
    "E": "1 2 3 4 5 7 9 10 11 12 13 15 16 17 18 19 22 23",
    "F": "2 3 4 5 6 7 8 9 10 11 12 13 14",
    "G": "1 2 3 4 6 7 8 9 10 11 12 15",
    "H": "6",
    "I": "2 3 4 5 6 7 8 9 10 11",
    "J": "3 4 5 8 9 10 11 12 13 14 15",
    "K": "1 2 3 4 7 8 9 10 13 14 15 16 17 19 20 21",
    "L": "1 2 3 5 7 8 10 12 13",
}
ROW = re.compile(r"^\| ([A-L]\d+) \| ([^|]+) \| ([^|]+) \| (.+) \|$")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
LEAST_REASON = 40


def rows() -> list[tuple[str, str]]:
    """Each row's id and what stands in its last column."""
    found = [ROW.match(line) for line in PAGE.read_text().splitlines() if re.match(r"\| [A-L]\d", line)]
    assert all(found), "a row does not have four columns"
    return [(row[1], row[4]) for row in found if row]


@cache
def names_in(path: str) -> frozenset[str]:
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    return frozenset(
        node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_fault_has_one_row():
    wanted = Counter(f"{section}{number}" for section, numbers in FAULTS.items() for number in numbers.split())
    assert Counter(name for name, _ in rows()) == wanted


def test_every_test_that_is_named_exists():
    named = [(name, path, test) for name, shown in rows() for path, test in NAMED.findall(shown)]
    assert [row for row in named if row[2] not in names_in(row[1])] == []


def test_a_row_names_tests_or_says_why_there_is_none():
    for name, shown in rows():
        reason = shown.removeprefix("*none*: ")
        if reason != shown:
            assert len(reason) >= LEAST_REASON, name
            assert not NAMED.search(shown), name
            continue
        assert all(NAMED.fullmatch(part) for part in shown.split("<br>")), name
