"""Quiet hours and the time of the digest, in their own time zones."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bot.config.notifications import Digest, QuietHours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BERLIN = {"begin": "22:00", "end": "07:00", "zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("settings", "severity", "now", "wanted"),
    [
        (BERLIN, "info", "2026-11-20T20:59:59", None),
        (BERLIN, "info", "2026-11-20T21:00:00", "2026-11-21T06:00:00"),
        (BERLIN, "warning", "2026-11-21T05:59:59", "2026-11-21T06:00:00"),
        (BERLIN, "info", "2026-11-21T06:00:00", None),
        (BERLIN, "critical", "2026-11-20T23:00:00", None),
        ({**BERLIN, "unless": "warning"}, "warning", "2026-11-20T23:00:00", None),
        ({**BERLIN, "weekends": True}, "info", "2026-11-20T23:30:00", "2026-11-23T06:00:00"),
        ({**BERLIN, "weekends": True}, "info", "2026-11-22T12:00:00", "2026-11-23T06:00:00"),
        ({"begin": "12:00", "end": "13:00"}, "info", "2026-11-20T12:30:00", "2026-11-20T13:00:00"),
        ({"begin": "12:00", "end": "13:00"}, "info", "2026-11-20T13:00:00", None),
        ({**BERLIN}, "info", "2026-10-24T23:00:00", "2026-10-25T06:00:00"),
        ({**BERLIN}, "info", "2026-03-28T22:00:00", "2026-03-29T05:00:00"),
    ],
)
def test_quiet_hours(settings: dict[str, Any], severity: str, now: str, wanted: str | None) -> None:
    assert QuietHours.model_validate(settings).until(severity, at(now)) == (at(wanted) if wanted else None)


@pytest.mark.parametrize(
    ("settings", "now", "wanted"),
    [
        ({"at": "09:00"}, "2026-11-20T09:00:00", "2026-11-20T09:00:00"),
        ({"at": "09:00"}, "2026-11-20T08:59:59", "2026-11-19T09:00:00"),
        ({"at": "09:00"}, "2026-11-21T08:59:59", "2026-11-20T09:00:00"),
        ({"at": "09:00"}, "2026-11-22T12:00:00", None),
        ({"at": "09:00", "zone": "Europe/Berlin"}, "2026-11-20T08:00:00", "2026-11-20T08:00:00"),
        ({"at": "09:00", "days": "sun"}, "2026-11-22T12:00:00", "2026-11-22T09:00:00"),
    ],
)
def test_the_last_digest_that_was_due(settings: dict[str, Any], now: str, wanted: str | None) -> None:
    assert Digest.model_validate(settings).last_due(at(now)) == (at(wanted) if wanted else None)


@pytest.mark.parametrize("value", ["25:00", "9:00", "noon", 900, None, "09:00:00"])
def test_a_time_of_the_day_is_said_with_how_to_write_it(value: object) -> None:
    with pytest.raises(ValidationError, match="time of the day"):
        Digest.model_validate({"at": value})


def test_quiet_hours_of_no_length_are_refused() -> None:
    with pytest.raises(ValidationError, match="same time"):
        QuietHours.model_validate({"begin": "09:00", "end": "09:00"})
