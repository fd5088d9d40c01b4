"""What a backfill reads: the repositories that were named, or those of the configuration in the bot's own clones; and the bot's database.

Decides what the words typed mean, and refuses in one sentence if they mean nothing. Walking and keeping is left to the adapters.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli._refusal import refuse

if TYPE_CHECKING:
    from bot.adapters.backfilling import Place
    from bot.adapters.store.database import Database
    from bot.config.schema import Config

Tell = Callable[[str], None]


def read_places(given: Iterable[str], *, as_json: bool) -> "list[Place]":
    """Each `--stage`, read; a wrong one ends the program."""
    from bot.adapters.backfilling import Place

    places: list[Place] = []
    for text in given:
        name, found, rest = text.partition("=")
        if any(place.stage == name for place in places):
            refuse(
                f"--stage {name} is named twice",
                why="a stage stands in one place; two would be mixed into one history",
                fix="name each stage once",
                as_json=as_json,
            )
        repository, _, folder = rest.partition("//")
        path, _, branch = repository.partition("@")
        if not found or not name or not path:
            refuse(
                f"--stage {text!r}",
                why="it does not name a stage and its repository",
                fix="write prod=/repos/env@main//prod",
                as_json=as_json,
            )
        places.append(Place(stage=name, path=Path(path), branch=branch or "HEAD", folder=folder.strip("/")))
    return places


def read_sources(given: Iterable[str], *, as_json: bool) -> dict[str, Path]:
    """Each `--source`, read; a wrong one ends the program."""
    sources: dict[str, Path] = {}
    for text in given:
        name, found, path = text.partition("=")
        if not found or not name or not path:
            refuse(f"--source {text!r}", why="it names no service or no repository", fix="write api=/repos/api", as_json=as_json)
        sources[name] = Path(path)
    return sources


def cloned(config: "Config", tell: Tell) -> "tuple[list[Place], dict[str, Path]]":
    """Every stage and source repository of the configuration, fetched into the clones of `serve`. A source that cannot be fetched is told
    and left out: its commits stay unknown. Raises what git's remotes raise for an environment repository."""
    from bot.adapters.backfilling import Place
    from bot.app import build
    from bot.domain.errors import BotError
    from bot.settings import load_settings

    parts = build(config, load_settings())
    try:
        for repository in dict.fromkeys(stage.repository for stage in config.pipeline.stages):
            parts.repositories.refresh(repository)
            tell(f"{repository} is fetched")
        places = [
            Place(
                stage=stage.name,
                path=parts.repositories.directory(stage.repository),
                branch=f"refs/remotes/origin/{stage.branch}",
                folder=stage.folder,
            )
            for stage in map(config.stage, config.order())
        ]
        sources: dict[str, Path] = {}
        for repository in dict.fromkeys(service.source for service in config.services.values() if service.source is not None):
            try:
                parts.sources.refresh(repository)
            except BotError as error:
                tell(f"{repository} cannot be read, so that the commits of its services stay unknown: {error}")
                continue
            own = [name for name, service in config.services.items() if service.source == repository]
            sources |= dict.fromkeys(own, parts.sources.directory(repository))
        return places, sources
    finally:
        parts.close()


def check_stages(places: "Iterable[Place]", config: "Config", *, as_json: bool) -> None:
    """Refuses a stage that the configuration does not have: no report would ever show it."""
    known = config.order()
    for place in places:
        if place.stage not in known:
            refuse(
                f"there is no stage {place.stage}",
                why="the bot's reports follow its configuration, which does not have it",
                fix=f"say one of {', '.join(known)}",
                as_json=as_json,
            )


@contextmanager
def own_database(url: str) -> "Iterator[Database]":
    """The bot's database, to be written beside a running `serve`; made where there is none yet. `UserError` for another schema."""
    from bot.adapters.store import migrate
    from bot.adapters.store.database import Database, normalise
    from bot.domain.errors import UserError

    address = normalise(url)
    folder = Path(address.removeprefix("sqlite:///")).parent
    if address.startswith("sqlite") and not folder.is_dir():
        raise UserError(
            f"there is no folder {folder}",
            why="the database would be made in it, and a mistyped place would be a second database that nobody reads",
            fix="name the database of `serve` with --database, or start `promotion-bot serve` first",
        )
    database = Database(address)
    try:
        if migrate.known(database) is None:
            migrate.upgrade(database)
        migrate.require_current(database)
        yield database
    finally:
        database.close()
