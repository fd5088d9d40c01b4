"""What waits, where time went, what was restated: every layout of the report tells it, and none of them makes a row of nothing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.history_file import read_history
from bot.domain.promotion import PromotionState
from bot.domain.verdict import Outcome, Verdict
from bot.reporting.cards import Trend, cards_of, headline
from bot.reporting.digest import digest
from bot.reporting.formats import find_formats
from bot.reporting.page import Page, build_page
from bot.reporting.waiting import Waited
from tests.support.builders import promotion
from tests.support.deliveries import deploy, failure, recovery, window

AS_OF = datetime(2025, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVENTS = [
    deploy("b1", "2025-02-25T09:00:00Z", "v0"),
    deploy("d1", "4 09:00", "v1"),
    failure("f0", "5 09:00", "b1"),
]
SOAK = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="1 of <2> hours|")
OPEN = Waited(
    promotion=promotion(id="o", service="api", into="prod", opened_at=AS_OF - 50 * HOUR), verdicts=((AS_OF - 50 * HOUR, (SOAK,)),)
)
MERGED = Waited(
    promotion=promotion(
        id="m",
        service="api",
        into="prod",
        opened_at=AS_OF - 100 * HOUR,
        merged_at=AS_OF - 97 * HOUR,
        healthy_since=AS_OF - 96 * HOUR,
        state=PromotionState.HEALTHY,
    ),
    verdicts=((AS_OF - 100 * HOUR, (SOAK,)),),
)


def page(events: list[dict[str, Any]] = EVENTS, **more: Any) -> Page:
    asked = {"window": window(), "as_of": AS_OF, "stage": "prod"} | more
    return build_page(read_history(json.dumps({"events": events})), **asked)


FULL = page(waits=(OPEN, MERGED), told_as_of=datetime(2025, 3, 3, tzinfo=UTC))


@pytest.mark.parametrize("name", ["markdown", "html", "table"])
def test_what_waits_is_told_with_its_age_and_its_gate_and_left_out_where_nothing_does(name: str) -> None:
    render = find_formats()[name]
    text = render(FULL)
    assert "Promotions that wait now" in text
    assert "2d 2h" in text
    assert "1 of <2> hours|" in text if name == "table" else "1 of &lt;2&gt; hours" in text
    assert "Promotions that wait now" not in render(page())


@pytest.mark.parametrize("name", ["markdown", "html"])
def test_where_time_went_and_what_was_restated(name: str) -> None:
    render = find_formats()[name]
    text = render(FULL)
    assert "Where promotions waited" in text
    assert "3h" in text
    assert "Restated since the last report" in text
    assert "change fail rate of 2025-02-24 to 2025-03-03: 0 % → 100 %" in text
    assert "Where promotions waited" not in render(page())
    assert "Restated" not in render(page())


def test_promotions_of_other_services_do_not_stand_in_a_service_s_report() -> None:
    assert [row.service for row in page(waits=(OPEN, MERGED), service="api").blocked] == ["api"]
    assert page(waits=(OPEN, MERGED), service="web").blocked == ()
    assert page(waits=(OPEN, MERGED), service="web").phases == ()


def test_the_phases_have_their_medians_and_ninetieth_percentiles() -> None:
    found = {row.name: (row.median, row.p90) for row in FULL.phases}
    assert found == {"soak": (3 * 3600, 3 * 3600), "rollout": (3600, 3600)}


def test_the_digest_tells_what_waits_and_counts_what_it_does_not_list() -> None:
    text = digest(FULL, restated=FULL.restated)
    assert "Promotions that wait now: 1\n• api 1.1.0 into prod, for 2d 2h: 1 of <2> hours|" in text
    assert "Restated since the last report:\n• change fail rate" in text
    bad = [deploy(f"x{number}", f"5 {number:02d}:00", f"v{number}", service=f"s{number}", status="failed") for number in range(8)]
    lines = digest(page(bad)).splitlines()
    start = lines.index("Open failures: 8")
    assert lines[start + 6] == "… and 3 more"
    assert len([line for line in lines[start:] if line.startswith("• s")]) == 5


def test_the_digest_of_a_week_in_which_all_was_mended_has_no_part_about_what_is_not_there() -> None:
    good = [deploy(f"g{number}", f"{number} 09:00", f"v{number}", commits={f"c{number}": f"{number} 08:00"}) for number in range(3, 9)]
    before = [deploy("b", "2025-02-25T09:00:00Z", "v0", commits={"c": "2025-02-25T08:00:00Z"})]
    mended = [failure("f0", "3 10:00", "g3"), recovery("f0", "3 11:00")]
    found = page([*before, *mended, *good])
    assert found.quality == ()
    text = digest(found)
    for part in ("Open failures", "wait now", "Restated", "Data quality"):
        assert part not in text
    assert text.splitlines()[-1].startswith(("▲", "▼", "●", "–"))
    assert "Nothing to report." in find_formats()["html"](found)
    for name in ("markdown", "table"):
        assert "Data quality" not in find_formats()[name](found)


def test_a_window_that_has_not_begun_says_that_there_is_too_little_data() -> None:
    found = page(as_of=datetime(2025, 2, 1, tzinfo=UTC))
    assert {card.trend for card in cards_of(found)} == {Trend.UNKNOWN}
    assert headline(cards_of(found)) == "There is too little data to compare with the window before."
    assert "2025-03-03 to 2025-03-03 (UTC)" in digest(found)
    assert "deployment_frequency" not in found.standings()
    for render in find_formats().values():
        assert render(found).endswith("\n")


def test_a_year_s_tier_stands_beside_the_figure_that_it_judges() -> None:
    text = find_formats()["table"](page(tiers="2023"))
    assert "(2023: " in text
    assert "2023" not in find_formats()["table"](page())


def test_an_outsider_s_text_is_told_literally() -> None:
    nasty = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="<script>alert(1)</script> @all")
    waits = (Waited(promotion=OPEN.promotion, verdicts=((AS_OF - HOUR, (nasty,)),)),)
    for name in ("markdown", "html"):
        assert "<script>alert" not in find_formats()[name](page(waits=waits))
    assert "@all" not in find_formats()["markdown"](page(waits=waits))
