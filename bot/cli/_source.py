"""Where the reporting commands take the history from: a file, or the bot's own database.

Decides between the two and reads the configuration beside it (owners, the stages' order, how long a stage may be degraded).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli._complete import stages as known_stages
from bot.domain.history import History

if TYPE_CHECKING:
    from bot.config.schema import Config
    from bot.reporting.waiting import Waited

Events = Annotated[
    str | None, typer.Option("--events", help="History file (JSON), or - for standard input; without it the bot's database is read.")
]
Live = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="PROMOTION_BOT_DATABASE_URL",
        help="The bot's database, where --events is not given: sqlite:///file.db or postgresql://user@host/name.",
    ),
]
LookedAt = Annotated[
    str | None,
    typer.Option(
        "--stage",
        help="The stage to look at; without it the one that --config reports on (its last, unless it says another), else prod.",
        autocompletion=known_stages,
    ),
]
PROD = "prod"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A history, whose services are, the pipeline's order where it is known, and what promotions waited for (live only).

    `stage` is the one that is meant where nothing says which.
    """

    history: History
    owners: dict[str, str]
    stages: tuple[str, ...] | None
    waits: "Sequence[Waited]" = ()
    stage: str = PROD


def read_source(events: str | None, database: str | None, config: Path | None, *, as_json: bool) -> Source:
    """The history of the file, else of the database (by default the one of `serve`); refuses with exit 2 what cannot be read."""
    from bot.cli._history import read_config, read_events
    from bot.reporting.schedule import stage_of

    rules = read_config(config, as_json=as_json) if config is not None else None
    owners, stages = _pipeline(rules)
    stage = stage_of(rules) if rules is not None else PROD
    if events is not None:
        return Source(history=read_events(events, as_json=as_json), owners=owners, stages=stages, stage=stage)
    history, waits = read_live(database, rules)
    return Source(history=history, owners=owners, stages=stages, waits=waits, stage=stage)


def read_live(database: str | None, rules: "Config | None") -> "tuple[History, Sequence[Waited]]":
    """The history that the bot recorded, and what its promotions waited for. `UserError` where there is no database of ours."""
    from bot.adapters.store.delivery import StoredDelivery
    from bot.cli.database import opened
    from bot.reporting.live import live_history
    from bot.settings import load_settings

    with opened(database or load_settings().database) as found:
        stored = StoredDelivery(found)
        records, waits = stored.records(), stored.waits()
    grace = {stage.name: stage.rollout.grace for stage in rules.pipeline.stages} if rules is not None else {}
    return live_history(records, teams=_pipeline(rules)[0], grace=grace), waits


def _pipeline(rules: "Config | None") -> tuple[dict[str, str], tuple[str, ...] | None]:
    if rules is None:
        return {}, None
    return {name: service.team for name, service in rules.services.items() if service.team is not None}, rules.order()
