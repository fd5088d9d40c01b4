"""The report's charts as a picture: every number is drawn where it belongs, and told to who does not see it."""

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from bot.domain.history_file import read_history
from bot.reporting.page import Page, build_page
from bot.reporting.picture import BARS, LEFT, LINES, LONGEST_ALT, PLOT, RIGHT, SIZE, TOPS, alt_text, picture
from bot.reporting.weekly import weekly
from tests.support.deliveries import deploy, window

EVENTS = [
    deploy("d1", "3 09:00", "v1", baseline=True),
    deploy("d2", "4 09:00", "v2", commits={"b": "2 09:00"}),
    deploy("d3", "5 09:00", "v3", kind="hotfix", commits={"c": "1 09:00"}),
    deploy("d4", "6 09:00", "v4", status="failed"),
]


def page(events: list[dict[str, Any]] = EVENTS, **more: Any) -> Page:
    history = read_history(json.dumps({"events": events}))
    return build_page(history, window=window(), as_of=datetime(2025, 3, 10, tzinfo=UTC), stage="prod", **more)


def drawn(of: Page) -> Image.Image:
    return Image.open(BytesIO(picture(of))).convert("RGB")


def seen(image: Image.Image, week: int, top: int) -> set[str]:
    """The colours in the middle of a week's column of one chart."""
    slot = (RIGHT - LEFT) / 12
    x = int(LEFT + slot * (week + 0.5))
    return {"#{:02x}{:02x}{:02x}".format(*image.getpixel((x, y))) for y in range(top + 1, top + PLOT)}  # type: ignore[misc]


def test_each_outcome_has_its_colour_in_the_week_in_which_it_happened() -> None:
    image, found = drawn(page()), page()
    last = len(found.weeks) - 1
    counted = {name: values[last] for name, values in weekly(found).rollouts}
    assert counted == {"promotion": 2, "hotfix": 1, "revert": 0, "rollback": 0, "failed rollout": 1}
    assert seen(image, last, TOPS[0]) >= {BARS[0], BARS[1], BARS[4]}
    assert not seen(image, last, TOPS[0]) & {BARS[2], BARS[3]}
    assert not seen(image, last - 1, TOPS[0]) & set(BARS)
    assert seen(image, last, TOPS[1]) >= set(LINES)
    assert not seen(image, last - 1, TOPS[1]) & set(LINES)


def test_it_is_a_png_of_one_size_that_slack_shows_and_the_same_each_time() -> None:
    first = picture(page())
    assert first == picture(page())
    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(first) < 200_000
    assert drawn(page()).size == SIZE


@pytest.mark.parametrize("events", [[], [deploy("d1", "3 09:00", "v1", service="größe-→-日本", baseline=True)]], ids=["none", "strange"])
def test_nothing_and_signs_that_the_font_lacks_are_drawn_too(events: list[dict[str, Any]]) -> None:
    assert drawn(page(events, service="größe-→-日本")).size == SIZE


def test_the_words_tell_every_number_and_no_more_than_slack_takes() -> None:
    told = alt_text(page())
    assert told.startswith("Two charts. Delivery of all services to prod, 12 weeks, first days 16 Dec to 03 Mar. ")
    assert "Rollouts each week: promotion 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2; hotfix 0, " in told
    assert "median none, none, none, none, none, none, none, none, none, none, none, 3;" in told
    assert alt_text(page([])).endswith("Rollouts each week: none. Change lead time each week in days: none.")
    assert len(alt_text(page(service="x" * 2000))) == LONGEST_ALT
