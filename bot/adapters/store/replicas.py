"""The processes that serve: their heartbeats, who may take over a dead one's work, and the fence that stops a paused one.

A replica beats every few seconds by the database's clock. One whose heart stopped for `dead_after`, or whose process is
gone from this very host, is claimed by exactly one other (a compare-and-swap on its row), which then resumes its runs.
Every guarded write first reads its own replica's row: a replica that was claimed in the meantime gets `Fenced`. On
PostgreSQL that read takes a share lock, so that claim and write cannot pass each other.
"""

import os
import socket
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store.database import Database
from bot.adapters.store.queue_tables import ReplicaRow
from bot.domain.errors import Fenced

ALIVE, DEAD, LEFT, STOPPED = "alive", "dead", "left", "stopped"
SILENT = "silent"
"""Never stored: alive by its row, but its heart stands still. `dead` once others claimed it, `stopped` when its work goes on there."""
CLAIM_LASTS = timedelta(seconds=10)
KEPT = timedelta(days=1)

_acting_as: ContextVar[str | None] = ContextVar("acting_as", default=None)


def host_name() -> str:
    """Where a process id means something: host name, boot and process-id namespace."""
    parts = [socket.gethostname()]
    for read in (_boot, _namespace):
        try:
            parts.append(read())
        except OSError:
            continue
    return "/".join(parts)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())


def require_alive(session: Session) -> None:
    """`Fenced` when the replica in whose name this thread acts was claimed by another. No replica (a command, a test): no fence."""
    replica = _acting_as.get()
    if replica is None:
        return
    query = select(ReplicaRow.state).where(ReplicaRow.id == replica)
    if session.connection().dialect.name == "postgresql":
        query = query.with_for_update(read=True)
    _require(replica, session.exec(query).first())


def _require(replica: str, state: str | None) -> None:
    if state != ALIVE:
        raise Fenced(f"replica {replica} was taken for dead and its work goes on elsewhere")


class Replicas:
    """The table of replicas, as one process uses it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, replica: str) -> int:
        """Announce a process; the answer is its fencing number, higher than that of all before it."""
        with self._database.write() as session:
            now = self._database.clock(session)
            if not self._database.is_sqlite:
                session.connection().execute(sa.text("LOCK TABLE replicas IN SHARE ROW EXCLUSIVE MODE"))
            fence = (session.exec(select(sa.func.max(ReplicaRow.fence))).one() or 0) + 1
            session.add(ReplicaRow(id=replica, fence=fence, host=host_name(), pid=os.getpid(), state=ALIVE, started_at=now, beat_at=now))
            return fence

    def beat(self, replica: str) -> bool:
        """The heart beats; False when another replica has taken this one for dead."""
        with self._database.write(repeatable=True) as session:
            changed = session.connection().execute(
                sa.update(ReplicaRow)
                .where(col(ReplicaRow.id) == replica, col(ReplicaRow.state) == ALIVE)
                .values(beat_at=self._database.clock(session))
            )
            return changed.rowcount == 1

    def claim_dead(self, by: str, *, dead_after: timedelta) -> list[str]:
        """Replicas that are dead and whose runs nobody resumes now; the caller resumes them, then calls `finish`."""
        with self._database.write() as session:
            now = self._database.clock(session)
            rows = session.exec(select(ReplicaRow).where(ReplicaRow.id != by, ReplicaRow.state != STOPPED)).all()
            return [row.id for row in rows if _is_dead(row, now, dead_after) and self._claim(session, row, by, now)]

    def _claim(self, session: Session, row: ReplicaRow, by: str, now: datetime) -> bool:
        changed = session.connection().execute(
            sa.update(ReplicaRow)
            .where(col(ReplicaRow.id) == row.id, col(ReplicaRow.taken_by) == row.taken_by, col(ReplicaRow.beat_at) == row.beat_at)
            .where(col(ReplicaRow.state) == row.state)
            .values(state=DEAD, taken_by=by, taken_at=now)
        )
        return changed.rowcount == 1

    def require(self, replica: str) -> None:
        """`Fenced` when another replica has taken this one for dead, or it never came to be one."""
        with self._database.read() as session:
            _require(replica, session.exec(select(ReplicaRow.state).where(ReplicaRow.id == replica)).first())

    def newest(self, replica: str) -> bool:
        """No replica that is alive began after this one: what its configuration lacks is there no more."""
        with self._database.read() as session:
            fences = sa.select(col(ReplicaRow.id)).where(col(ReplicaRow.state) == ALIVE).order_by(col(ReplicaRow.fence).desc())
            return session.connection().execute(fences.limit(1)).scalar() == replica

    def leave(self, replica: str) -> None:
        """Our own process ends in order. What it had taken from the queue and not begun, another one resumes at once."""
        with self._database.write() as session:
            session.connection().execute(
                sa.update(ReplicaRow).where(col(ReplicaRow.id) == replica, col(ReplicaRow.state) == ALIVE).values(state=LEFT)
            )

    def finish(self, replica: str) -> None:
        """The runs of a claimed replica were resumed."""
        with self._database.write() as session:
            session.connection().execute(sa.update(ReplicaRow).where(col(ReplicaRow.id) == replica).values(state=STOPPED))

    def reopen(self, replicas: Collection[str]) -> None:
        """Those of these whose runs were resumed once and who hold a run again may be claimed again: a paused process that wakes
        up takes runs from the queue under its old name before it learns that the name is dead."""
        if not replicas:
            return
        with self._database.write() as session:
            session.connection().execute(
                sa.update(ReplicaRow)
                .where(col(ReplicaRow.id).in_(replicas), col(ReplicaRow.state) == STOPPED)
                .values(state=DEAD, taken_at=None)
            )

    def prune(self) -> None:
        """Forget replicas that ended long ago; the newest fencing number stays."""
        with self._database.write() as session:
            now = self._database.clock(session)
            newest = session.exec(select(sa.func.max(ReplicaRow.fence))).one() or 0
            session.connection().execute(
                sa.delete(ReplicaRow).where(
                    col(ReplicaRow.state) == STOPPED, col(ReplicaRow.beat_at) < now - KEPT, col(ReplicaRow.fence) < newest
                )
            )

    def states(self, *, dead_after: timedelta) -> dict[str, int]:
        """How many replicas stand in each state; a living one whose heart stood still for longer than `dead_after` is `silent`."""
        with self._database.read() as session:
            now = self._database.clock(session)
            rows = session.exec(select(ReplicaRow.state, ReplicaRow.beat_at)).all()
        return dict(Counter(SILENT if state == ALIVE and now - beat_at > dead_after else state for state, beat_at in rows))

    @contextmanager
    def acting_as(self, replica: str) -> Iterator[None]:
        """Everything that this thread writes inside is refused once the replica is taken for dead."""
        token = _acting_as.set(replica)
        try:
            yield
        finally:
            _acting_as.reset(token)


def _is_dead(row: ReplicaRow, now: datetime, dead_after: timedelta) -> bool:
    if row.state == LEFT:
        return True
    if row.state == DEAD:
        return row.taken_at is None or now - row.taken_at > CLAIM_LASTS
    if now - row.beat_at > dead_after:
        return True
    return row.host == host_name() and row.pid != os.getpid() and not _runs(row.pid)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True
