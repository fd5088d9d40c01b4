"""The audit chain: whatever is changed, removed or put in, the first bad row is named."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.adapters.store import audit
from bot.adapters.store.database import Database
from tests.support.builders import NOW


def write(database: Database, number: int) -> None:
    with database.write() as session:
        audit.append(
            session,
            actor="ana",
            action="approve",
            subject="qa/payments",
            why=f"reason {number}",
            now=NOW + timedelta(seconds=number),
            details={"n": "ü"},
        )


@pytest.mark.parametrize(
    ("tamper", "bad"),
    [
        ("UPDATE audit SET why = 'nobody' WHERE id = 3", 3),
        ("UPDATE audit SET actor = 'eve' WHERE id = 1", 1),
        ("UPDATE audit SET details = '{}' WHERE id = 5", 5),
        ("DELETE FROM audit WHERE id = 2", 2),
        ("UPDATE audit SET id = 9 WHERE id = 5", 5),
        ("UPDATE audit SET hash = before WHERE id = 4", 4),
    ],
)
def test_tampering_is_found_at_the_first_bad_row(database: Database, tamper: str, bad: int) -> None:
    for number in range(5):
        write(database, number)
    assert audit.verify(database) == audit.ChainReport(rows=5)
    with database.write() as session:
        session.connection().exec_driver_sql(tamper)
    report = audit.verify(database)
    assert report.broken_at == bad
    assert report.rows == bad - 1


def test_writers_at_the_same_time_make_one_chain(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(database, number), range(40)))
    assert audit.verify(database) == audit.ChainReport(rows=40)
