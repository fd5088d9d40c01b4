"""Spans of time as people write them, and texts without secrets."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.duration import LONGEST, parse_duration, spell
from bot.domain.redact import find_secret, redact


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("30m", 1800), ("4h", 14400), ("2d", 172800), ("1h30m", 5400), ("1w", 604800), ("0", 0), ("0s", 0), (" 5m ", 300),
        ("5M", 300), ("PT1H30M", 5400), ("P2D", 172800), ("P1W", 604800), ("PT90S", 90), ("P1DT1H", 90000),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "5", "m", "-5m", "1.5h", "30m1h", "1h 30m", "5 minutes", "P", "PT", "P1M", "P1Y", "1e3s", "٣m", "4000d", "99999999999s"],
)
def test_no_durations(text: str) -> None:
    assert parse_duration(text) is None


@given(st.integers(0, int(LONGEST.total_seconds())))
def test_what_is_spelled_reads_back(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_duration(spell(span).replace(" ", "")) == span


def test_spelling_rounds_up_so_that_nothing_is_over_too_early() -> None:
    assert spell(timedelta(seconds=59, microseconds=1)) == "1m"
    assert spell(timedelta(hours=52, minutes=1)) == "2d 4h 1m"
    assert spell(timedelta(seconds=-5)) == "0s"


SECRETS = [
    "gh" + "p_" + "A1b2" * 9, "gh" + "s_" + "A1b2" * 9, "github_" + "pat_" + "A1b2" * 15, "gl" + "pat-" + "A1b2" * 6,
    "xox" + "b-123456789-abcdefg",
    "xapp-" + "1-A123456-abcdef", "https://hooks.slack.com/" + "services/T0/B0/abcdefgh", "AKIA" + "ABCDEFGHIJKLMNOP",
    "eyJ" + "hbGciOiJ9" + ".eyJ" + "zdWIiOiIx" + ".c2lnbmF0dXJl",
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("frame", ["{}", "a {} b", "'{}'", "token={};x", "\n{}\n"])
def test_secrets_are_found_and_taken_out(secret: str, frame: str) -> None:
    text = frame.format(secret)
    assert find_secret(text) is not None
    assert secret not in redact(text)
    assert redact(text) == frame.format("***")


def test_keys_and_addresses() -> None:
    key = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE" + " KEY-----"
    assert redact(f"a\n{key}\nb") == "a\n***\nb"
    assert redact(key[:40]) == "***" + key[31:40] or "MIIE" not in redact(key[:40])
    assert redact("git clone https://x-access-token:abc@github.com/a/b") == "git clone https://***@github.com/a/b"
    assert find_secret("https://ana:pw@h") == "an address with a password in it"
    assert find_secret("ssh://git@github.com/a/b") is None
    assert redact("Authorization: Bearer abcdefghijklmnopqrstuvwxyz") == "Authorization: Bearer ***"
    assert redact("postgresql://u:p@h:5432/d?x=1") == "postgresql://***@h:5432/d?x=1"


@pytest.mark.parametrize(
    "text",
    [
        "1.4.2",
        "sha256:" + "a" * 64,
        "ghcr.io/acme/payments:1.0@sha256:" + "b" * 64,
        "ana@acme.example",
        "promote/prod/x",
        "https://a.example/x?y=1@2",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert find_secret(text) is None
    assert redact(text) == text


def test_known_values_are_taken_out_longest_first() -> None:
    assert redact("abcdefgh abcdef abc", ["abcdef", "abcdefgh", "abc"]) == "*** *** abc"


@given(st.text(max_size=300))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)
