"""Opens the bot's database for a command that looks into it: it must be there, and at the schema that this program knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.adapters.store.database import Database


@contextmanager
def opened(url: str) -> "Iterator[Database]":
    """The open database. `UserError` when there is none (a command that looks must not make one) or its schema is another."""
    from bot.adapters.store import migrate
    from bot.adapters.store.database import Database, normalise
    from bot.domain.errors import UserError

    address = normalise(url)
    if address.startswith("sqlite"):
        path = Path(address.removeprefix("sqlite:///"))
        if not path.is_file():
            raise UserError(
                f"there is no database at {path}",
                why="a command that only looks does not make one",
                fix="name it with --database, or start `promotion-bot serve` first",
            )
    database = Database(address)
    try:
        migrate.require_current(database)
        yield database
    finally:
        database.close()
