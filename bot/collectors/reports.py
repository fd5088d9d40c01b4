"""Makes the delivery reports that are due, once per team and period, and hands them on: to the chat, as an issue, and into a folder.

Decides nothing about figures or days (`reporting`), and sends nothing itself: a message waits in the outbox until the chat took it. An
issue that the forge forbids keeps no report from the chat, and neither does a chart that cannot be drawn: the message says what is missing.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from bot.config.schema import Config
from bot.domain.action import Notify, Picture, Severity
from bot.domain.errors import UserError
from bot.domain.instants import format_instant, parse_instant
from bot.reporting.digest import digest
from bot.reporting.formats import find_formats
from bot.reporting.formats._rows import title
from bot.reporting.live import Records, live_history
from bot.reporting.page import Page, build_page
from bot.reporting.picture import EXTRA, alt_text, can_draw, picture
from bot.reporting.schedule import Due, due, stage_of
from bot.reporting.waiting import Waited

log = structlog.get_logger("reports")

NO_CHART = f"No chart image: Pillow is not installed where the bot runs (pip install 'promotion-bot[{EXTRA}]')."


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
        message = _message(config, page, one, key, _open(config, page, board, key))
        chart = _chart(message, page, key) if config.notifications.slack is not None else None
        if config.notifications.slack is not None and chart is None:
            message = replace(message, text=f"{message.text}\n\n{NO_CHART}")
        outbox.put(message, now=now)
        if chart is not None:
            outbox.put(chart, now=now)
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


def _chart(message: Notify, page: Page, key: str) -> Notify | None:
    """The charts as a picture, to be sent after the text; None where the drawing library is missing."""
    if not can_draw():
        log.warning("report.no_chart", key=key, problem=NO_CHART)
        return None
    window = page.report.window
    name = f"{hashlib.sha256(message.key.encode()).hexdigest()[:12]}.png"
    content = base64.b64encode(picture(page)).decode("ascii")
    text = f"Charts: {title(page)}, {window.first} to {page.report.days[-1] if page.report.days else window.first}"
    shown = Picture(name=f"delivery-report-{name}", alt=alt_text(page), content=content)
    return replace(message, key=f"{message.key}:chart", text=text, picture=shown)


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
