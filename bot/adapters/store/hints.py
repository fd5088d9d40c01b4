"""What events said must be read again: pull requests and repositories, each with a mark that no two events share.

A reader takes the marks before it reads and gives them back afterwards; an event that came in between changed the mark,
so its hint stays.
"""

import secrets
from collections.abc import Mapping

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store.queue_tables import FetchWantedRow, KnownRepositoryRow, StalePullRow
from bot.adapters.store.upsert import put

MARK_BITS = 62


def want_pull(session: Session, repository: str, number: int) -> None:
    mark = secrets.randbits(MARK_BITS)
    put(session, StalePullRow, {"repository": repository, "number": number, "mark": mark}, keys=("repository", "number"))


def stale_pulls(session: Session, repository: str) -> Mapping[int, int]:
    """Number and mark of those that must be read again."""
    rows = session.exec(select(StalePullRow).where(StalePullRow.repository == repository))
    return {row.number: row.mark for row in rows}


def pulls_read(session: Session, repository: str, read: Mapping[int, int]) -> None:
    """They were read after these marks were taken."""
    for number, mark in read.items():
        session.connection().execute(
            sa.delete(StalePullRow).where(
                col(StalePullRow.repository) == repository, col(StalePullRow.number) == number, col(StalePullRow.mark) == mark
            )
        )


def want_fetch(session: Session, repository: str) -> None:
    put(session, FetchWantedRow, {"repository": repository, "mark": secrets.randbits(MARK_BITS) | 1}, keys=("repository",))


def fetch_wanted(session: Session, repository: str) -> int:
    """The mark, or 0 when nothing was pushed since the last fetch."""
    row = session.get(FetchWantedRow, repository)
    return row.mark if row else 0


def fetched(session: Session, repository: str, mark: int) -> None:
    session.connection().execute(
        sa.delete(FetchWantedRow).where(col(FetchWantedRow.repository) == repository, col(FetchWantedRow.mark) == mark)
    )


def remember_repository(session: Session, number: int, name: str) -> None:
    """The forge's numeric id of a repository that the configuration names."""
    put(session, KnownRepositoryRow, {"id": number, "name": name}, keys=("id",))


def known_repository(session: Session, number: int) -> str | None:
    """The configured name of a repository by its numeric id, whatever it is called now."""
    row = session.get(KnownRepositoryRow, number)
    return row.name if row else None
