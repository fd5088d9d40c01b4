"""Makes the delivery reports that are due, once per team and period, and hands them on: to the chat, as an issue, and into a folder.

Decides nothing about figures or days (`reporting`), and sends nothing itself: a message waits in the outbox until the chat took it. An
issue that the forge forbids keeps no report from the chat, and the message says that it is missing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from bot.config.schema import Config
from bot.domain.action import Notify, Severity
from bot.domain.errors import UserError
from bot.domain.instants import format_instant, parse_instant
from bot.reporting.digest import digest
from bot.reporting.formats import find_formats
from bot.reporting.formats._rows import title
from bot.reporting.live import Records, live_history
from bot.reporting.page import Page, build_page
from bot.reporting.schedule import Due, due, stage_of
from bot.reporting.waiting import Waited

log = structlog.get_logger("reports")


class Kept(Protocol):
    """Who keeps the history and which reports were made."""

    def records(self, stage: str | None = None) -> Records: ...

    def waits(self, *, since: datetime | None = None) -> Sequence[Waited]: ...

    def report(self, key: str) -> Mapping[str, Any] | None: ...

    def last_report(self, series: str, *, before: datetime) -> Mapping[str, Any] | None: ...

    def save_report(self, key: str, series: str, document: Mapping[str, Any], *, as_of: datetime) -> bool: ...


class Letterbox(Protocol):
    """Messages that are sent later, each key once."""

    def put(self, message: Notify, *, now: datetime) -> bool: ...


class Board(Protocol):
    """Where issues are written, each mark once."""

    def open_issue(self, repository: str, *, title: str, body: str, mark: str) -> str: ...


def send_due(config: Config, kept: Kept, outbox: Letterbox, clock: Callable[[], datetime], board: Board) -> int:
    """Make what is due and was not made; how many. The row is written last, so that a crash in between repeats the same keys."""
    now, stage, made = clock(), stage_of(config), 0
    for one in due(config, now):
        key = one.key(stage)
        if kept.report(key) is not None:
            continue
        before = kept.last_report(one.series(stage), before=now)
        page = page_of(config, kept, one, now=now, told_as_of=parse_instant(before["as_of"]) if before else None)
        _write(config, page, key)
        outbox.put(_message(config, page, one, key, _open(config, page, board, key)), now=now)
        document = {"as_of": format_instant(now), "figures": page.report.figures_to_json()}
        kept.save_report(key, one.series(stage), document, as_of=now)
        log.info("report.made", key=key)
        made += 1
    return made


def page_of(config: Config, kept: Kept, one: Due, *, now: datetime, told_as_of: datetime | None) -> Page:
    """The report's page over the live history."""
    owners = {name: service.team for name, service in config.services.items() if service.team is not None}
    grace = {stage.name: stage.rollout.grace for stage in config.pipeline.stages}
    return build_page(
        live_history(kept.records(), teams=owners, grace=grace),
        window=one.window,
        as_of=now,
        stage=stage_of(config),
        team=one.team,
        owners=owners,
        stages=config.order(),
        waits=kept.waits(since=one.window.before().starts_at),
        told_as_of=told_as_of,
    )


def _open(config: Config, page: Page, board: Board, key: str) -> str:
    """Where the report is read as an issue; empty where it is none, a sentence where the forge forbids it."""
    repository = config.reports.issues
    if repository is None:
        return ""
    window = page.report.window
    name = f"{title(page)}, {window.first} to {page.report.days[-1] if page.report.days else window.first}"
    try:
        return board.open_issue(repository, title=name, body=find_formats()["markdown"](page), mark=f"report:{key}")
    except UserError as error:
        log.warning("report.no_issue", key=key, repository=repository, problem=error.what)
        return f"It could not be written as an issue of {repository}: {error.what}"


def _message(config: Config, page: Page, one: Due, key: str, link: str) -> Notify:
    """Sent to the team's channel: the chat finds it by one of the team's services."""
    own = sorted(name for name, service in config.services.items() if one.team is not None and service.team == one.team)
    return Notify(
        key=f"report:{key}",
        thread=f"report:{key}",
        severity=Severity.INFO,
        stage=page.report.stage,
        service=own[0] if own else "",
        text=digest(page, link=link, restated=page.restated),
        fields={},
    )


def _write(config: Config, page: Page, key: str) -> None:
    if not config.reports.folder:
        return
    folder = Path(config.reports.folder)
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", key.replace("*", "all"))
    for ending, form in (("md", "markdown"), ("html", "html")):
        draft = folder / f".{name}.{ending}.part"
        draft.write_text(find_formats()[form](page), encoding="utf-8")
        draft.replace(folder / f"{name}.{ending}")
