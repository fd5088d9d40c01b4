"""One running bot per SQLite file: an advisory lock beside the database, held for the life of `serve`.

Decides which process may serve from a file. The operating system lets go of the lock when the process ends, however it ends. Commands that
only read or add to the database do not ask for it, and PostgreSQL, where several replicas are welcome, needs none.
"""

import errno
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
import structlog

from bot.adapters.store.database import normalise
from bot.domain.errors import UserError
from bot.messages.words import instant

try:
    import fcntl
except ImportError:  # no POSIX: nothing to lock with
    fcntl = None  # type: ignore[assignment]

UNSUPPORTED = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
log = structlog.get_logger("serve")


def lock_file(database: str) -> Path | None:
    """Where the lock of a database's URL stands; None where the database is no file."""
    url = sa.make_url(normalise(database))
    if not url.drivername.startswith("sqlite") or url.database in (None, "", ":memory:") or str(url.database).startswith("file:"):
        return None
    path = Path(str(url.database)).resolve()
    return path.with_name(f"{path.name}.lock")


@contextmanager
def sole_server(database: str, clock: Callable[[], datetime]) -> Iterator[None]:
    """Hold the database for this process. `UserError` (`Conflict`) names the process that holds it already."""
    place = lock_file(database)
    if place is None or fcntl is None:
        yield
        return
    make_folder(place.parent)
    handle = _opened(place)
    try:
        _take(handle, place)
        _sign(handle, clock())
        yield
    finally:
        os.close(handle)  # and with it the lock


def make_folder(folder: Path) -> None:
    """A folder that the bot keeps its files in. `UserError` where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _opened(place: Path) -> int:
    try:
        return os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(place.parent, error) from None


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"The bot cannot write into {folder}: {error.strerror or error}",
        where=str(folder),
        fix="give its account write access to it, or name another one with PROMOTION_BOT_STATE_DIR",
        code="NotWritable",
    )


def _take(handle: int, place: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(
            f"Another bot serves from {place.with_suffix('')}: {_holder(handle)}. Two that share a SQLite file would run every stage twice",
            where=str(place),
            fix="stop that one first; several replicas need PostgreSQL (PROMOTION_BOT_DATABASE_URL)",
            code="Conflict",
        ) from None
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        log.warning("database.unlocked", reason=f"{place} cannot be locked on this file system; let only one bot serve from it")


def _sign(handle: int, now: datetime) -> None:
    """Write who holds it. Only for the sentence of those who come second: what counts is the lock."""
    said = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now.isoformat()})
    os.ftruncate(handle, 0)
    os.pwrite(handle, said.encode(), 0)


def _holder(handle: int) -> str:
    try:
        said = json.loads(os.pread(handle, 1000, 0))
        return f"process {int(said['pid'])} on {said['host']}, since {instant(datetime.fromisoformat(said['since']))}"
    except (ValueError, KeyError, TypeError):
        return "a process that did not leave its name"
