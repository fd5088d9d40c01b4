"""Logs: one JSON object a line, what is bound is in it, and no secret whichever way it came."""

import io
import json
import logging

import pytest
import structlog

from bot.logs import configure, traceback_of

SECRET = "hunter2-hunter2"
TOKEN = "ghp_" + "a" * 36


@pytest.fixture
def stream() -> io.StringIO:
    found = io.StringIO()
    configure(level="DEBUG", secrets=[SECRET], stream=found)
    return found


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_what_is_bound(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(stage="qa", delivery="d1"):
        structlog.get_logger("engine").info("run.done", seconds=1.5)
    (line,) = lines(stream)
    assert (
        line.items() >= {"event": "run.done", "stage": "qa", "delivery": "d1", "seconds": 1.5, "level": "info", "logger": "engine"}.items()
    )


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"x {SECRET} y",
        TOKEN,
        {"deep": [{"er": TOKEN}]},
        ("a", SECRET),
        f"https://bot:{SECRET}@github.com/x",
        b"bytes " + SECRET.encode(),
    ],
)
def test_no_secret_is_written_however_deep_it_stands(stream: io.StringIO, value: object) -> None:
    structlog.get_logger("x").warning("event", value=value, other=Exception(str(value)))
    assert SECRET not in stream.getvalue()
    assert "a" * 36 not in stream.getvalue()


def test_no_secret_is_written_in_a_traceback_or_by_a_library(stream: io.StringIO) -> None:
    try:
        raise RuntimeError(f"cannot log in with {SECRET}")
    except RuntimeError:
        structlog.get_logger("x").exception("failed", token=TOKEN)
    logging.getLogger("httpx").warning("Authorization: Bearer %s", SECRET)
    logging.getLogger("some.library").error("cloning https://x:%s@github.com", TOKEN)
    assert len(lines(stream)) == 3
    assert SECRET not in stream.getvalue()
    assert "a" * 36 not in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()


def test_a_long_text_is_cut(stream: io.StringIO) -> None:
    structlog.get_logger("x").info("event", body="b" * 100_000)
    assert len(stream.getvalue()) < 10_000


def test_a_traceback_that_python_fails_to_draw_ends_nothing() -> None:
    """As Python 3.11.7 does it while another thread draws one too."""
    try:
        raise ValueError("the cause")
    except ValueError as error:
        found = (ValueError, error, error.__traceback__)
    failures = iter([SystemError("AST constructor recursion depth mismatch (before=147, after=34)")])

    def draw(_: object) -> list[str]:
        raise next(failures, SystemError("again"))

    def draw_at_last(_: object) -> list[str]:
        for failure in failures:
            raise failure
        return ["Traceback\n", "ValueError: the cause\n"]

    assert traceback_of(found, draw_at_last) == "Traceback\nValueError: the cause"
    assert traceback_of(found, draw) == "ValueError: the cause"
    assert "in test_a_traceback_that_python" in traceback_of(found)
