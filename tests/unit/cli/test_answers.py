"""Answers of the bot on a terminal and for programs: no Markdown marks, tables in line, cells that are no formula."""

import csv

from bot.cli._answers import plain, worded
from bot.messages.words import code

BOARD = (
    "| service | stage | standing | versions | why |\n|---|---|---|---|---|\n"
    "| `payments` | qa | open [#7](https://github.example/a/b/pull/7) | `1.0.0` → `1.1.0` | soak \\| waits for @\u200bmia &lt;b> |\n"
    "| `x` | prod | waiting | `1.0.0` | **bold** |"
)


def test_a_table_stands_in_line() -> None:
    head, first, second = plain(BOARD).splitlines()
    assert [line.index(word) for line, word in ((head, "stage"), (first, "qa"), (second, "prod"))] == [10, 10, 10]
    assert "open #7 (https://github.example/a/b/pull/7)" in first
    assert first.endswith("soak | waits for @mia <b>")
    assert second.endswith("bold")


def test_a_table_as_csv() -> None:
    rows = list(csv.reader(worded({"told": BOARD}, "csv").splitlines()))
    assert [row[0] for row in rows] == ["service", "payments", "x"]
    assert rows[1][4] == "soak | waits for @mia <b>"


def test_prose_has_no_marks() -> None:
    told = "**`payments` in qa**: it waits.\n\n<details><summary>2 gates</summary>\n\n- ⏳ `soak`: *soon*\n\n</details>"
    assert plain(told) == "payments in qa: it waits.\n\n2 gates\n\n- ⏳ soak: soon"
    assert worded({"told": told}, "markdown") == told


def test_signs_that_markdown_escapes_stand_as_they_are() -> None:
    assert plain("- writes as: promotion-bot\\[bot\\]") == "- writes as: promotion-bot[bot]"
    assert plain(code("a\\b")) == "a\\b"


def test_what_has_no_words_says_its_outcome() -> None:
    assert worded({"outcome": "done", "told": ""}, "text") == "done"
    assert worded({"outcome": "done", "told": "=1+1"}, "csv").splitlines() == ["outcome,told", "done,'=1+1"]
