"""What events said must be read again: pull requests and repositories, each with a mark that no two events share.

A reader takes the marks before it reads and gives them back afterwards; an event that came in between changed the mark,
so its hint stays.
"""

import secrets
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store.queue_tables import FetchWantedRow, KnownRepositoryRow, StalePullRow
from bot.adapters.store.upsert import put, put_all

MARK_BITS = 62


def want_pulls(session: Session, pulls: Iterable[tuple[str, int]]) -> None:
    """Pull requests, each as repository and number."""
    rows = [{"repository": repository, "number": number, "mark": secrets.randbits(MARK_BITS)} for repository, number in sorted(pulls)]
    put_all(session, StalePullRow, rows, keys=("repository", "number"))


def stale_pulls(session: Session, repository: str) -> Mapping[int, int]:
    """Number and mark of those that must be read again."""
    rows = session.exec(select(StalePullRow).where(StalePullRow.repository == repository))
    return {row.number: row.mark for row in rows}


def pulls_read(session: Session, repository: str, read: Mapping[int, int]) -> None:
    """They were read after these marks were taken."""
    for number, mark in sorted(read.items()):
        session.connection().execute(
            sa.delete(StalePullRow).where(
                col(StalePullRow.repository) == repository, col(StalePullRow.number) == number, col(StalePullRow.mark) == mark
            )
        )


def want_fetches(session: Session, repositories: Iterable[str]) -> None:
    rows = [{"repository": repository, "mark": secrets.randbits(MARK_BITS) | 1} for repository in sorted(repositories)]
    put_all(session, FetchWantedRow, rows, keys=("repository",))


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
