"""Ties between accounts of the chat and of the forge, and the steps by which a user makes one.

Decides that each step happens once and within ten minutes of the first, and that no secret is kept as it is.
"""

from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from sqlmodel import col, select

from bot.adapters.store.database import Database
from bot.adapters.store.tables import ChatTieRequestRow, ChatTieRow
from bot.adapters.store.upsert import put
from bot.domain.people import Person

LASTS = timedelta(minutes=10)
MOST_TRIES = 5


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


class StoredTies:
    """The two tables. Every secret that is handed in is random and ours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def account_of(self, team: str, user: str) -> int | None:
        """The account that this user of this workspace has proved to be."""
        with self._database.read() as session:
            row = session.get(ChatTieRow, (team, user))
            return row.account if row is not None else None

    def begin(self, team: str, user: str, *, link: str, now: datetime) -> None:
        """A new request; one that the same user began before, and all that are over, are forgotten."""
        with self._database.write() as session:
            mine = sa.and_(col(ChatTieRequestRow.team) == team, col(ChatTieRequestRow.user) == user)
            over = col(ChatTieRequestRow.at) < now - LASTS
            session.connection().execute(sa.delete(ChatTieRequestRow).where(sa.or_(mine, over)))
            session.add(ChatTieRequestRow(link=_hash(link), team=team, user=user, at=now))

    def known(self, link: str, *, now: datetime) -> bool:
        """May this link still be opened?"""
        with self._database.read() as session:
            row = session.get(ChatTieRequestRow, _hash(link))
            return row is not None and not row.state and now - row.at <= LASTS

    def open(self, link: str, *, state: str, now: datetime) -> bool:
        """Bind the request to a browser. True once for each link."""
        with self._database.write() as session:
            changed = session.connection().execute(
                sa.update(ChatTieRequestRow)
                .where(
                    col(ChatTieRequestRow.link) == _hash(link), col(ChatTieRequestRow.state) == "", col(ChatTieRequestRow.at) >= now - LASTS
                )
                .values(state=_hash(state))
            )
            return changed.rowcount == 1

    def waiting(self, state: str, *, now: datetime) -> bool:
        """Is a request bound to this browser's state and not proved yet?"""
        with self._database.read() as session:
            return session.exec(select(ChatTieRequestRow).where(*_bound(state, now))).first() is not None

    def prove(self, state: str, person: Person, *, word: str, now: datetime) -> bool:
        """Keep which account the browser proved. True once for each request."""
        with self._database.write() as session:
            changed = session.connection().execute(
                sa.update(ChatTieRequestRow).where(*_bound(state, now)).values(account=person.id, login=person.login, word=_hash(word))
            )
            return changed.rowcount == 1

    def confirm(self, team: str, user: str, *, word: str, now: datetime) -> Person | None:
        """Make the tie, when the very user who began it gives the word. Five wrong words end the request."""
        with self._database.write() as session:
            row = session.exec(
                select(ChatTieRequestRow).where(
                    col(ChatTieRequestRow.team) == team,
                    col(ChatTieRequestRow.user) == user,
                    col(ChatTieRequestRow.word) != "",
                    col(ChatTieRequestRow.at) >= now - LASTS,
                )
            ).first()
            if row is None or row.account is None:
                return None
            if row.word != _hash(word):
                row.tries += 1
                if row.tries >= MOST_TRIES:
                    session.delete(row)
                else:
                    session.add(row)
                return None
            person = Person(id=row.account, login=row.login)
            session.delete(row)
            values = {"team": team, "user_": user, "account": person.id, "login": person.login, "at": now}
            put(session, ChatTieRow, values, keys=("team", "user_"))
            return person


def _bound(state: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(ChatTieRequestRow.state) == _hash(state),
        col(ChatTieRequestRow.word) == "",
        col(ChatTieRequestRow.at) >= now - LASTS,
    )
