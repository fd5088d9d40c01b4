"""Structured logs: one line per event, as JSON or for a terminal, with what is bound (delivery, stage, promotion) and no secret.

Decides form, level and what is masked. Everything that leaves through Python's own logging goes the same way, libraries
included, so that no line passes by the mask.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from traceback import format_exception
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from bot.domain.redact import redact

NOISY = ("dbos", "markdown_it", "httpx", "httpcore", "urllib3", "uvicorn.access", "github", "kubernetes", "slack_sdk", "alembic")
LONGEST = 4000
DRAWN_AGAIN = 3


class Masker:
    """Masks secrets in every text of a log line, however deep: those it was told of, and all that look like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        return {
            key: self._masked(value) for key, value in event.items() if not key.startswith("_") or key in ("_record", "_from_structlog")
        }

    def _masked(self, value: Any) -> Any:
        match value:
            case str():
                text = redact(value, self._secrets)
                return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
            case dict():
                return {str(key): self._masked(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._masked(item) for item in value]
            case bytes():
                return f"<{len(value)} bytes>"
            case None | bool() | int() | float() | logging.LogRecord():
                return value
            case _:
                return redact(str(value), self._secrets)


def traceback_of(exc_info: ExcInfo, draw: Callable[[ExcInfo], Sequence[str]] = lambda found: format_exception(*found)) -> str:
    """The traceback, or the error alone where it cannot be drawn.

    Python 3.11 before 3.11.8 may raise SystemError while two threads draw one (https://github.com/python/cpython/issues/106905), and
    a line of the log must not end what it only tells of.
    """
    for _ in range(DRAWN_AGAIN):
        with contextlib.suppress(SystemError):
            return "".join(draw(exc_info)).rstrip("\n")
    return f"{exc_info[0].__name__}: {exc_info[1]}"


def configure(
    *, form: Literal["json", "console"] = "json", level: str = "INFO", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Set logging up for the whole process. `secrets` are the values that must never appear."""
    masker = Masker(secrets)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(traceback_of),
    ]
    last: Processor = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, masker, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in NOISY:
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        library.setLevel(max(logging.WARNING, root.level))
