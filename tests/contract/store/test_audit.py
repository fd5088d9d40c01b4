"""The audit chain: whatever is changed, removed or put in, the first bad row is named."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.adapters.store import audit, migrate
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
        ("DELETE FROM audit WHERE id = 5", 5),
        ("DELETE FROM audit WHERE id > 2", 3),
        ("DELETE FROM audit", 1),
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


@pytest.mark.parametrize(
    ("tamper", "bad", "told"),
    [
        (["DELETE FROM audit WHERE id = 5"], 5, "row 5 is missing"),
        (["DELETE FROM audit"], 1, "row 1 is missing"),
        (["DELETE FROM audit_head"], 7, "nothing says that row 6 is the newest"),
        (["UPDATE audit_head SET last = 3, hash = (SELECT hash FROM audit WHERE id = 3)"], 7, "nothing says that row 6 is the newest"),
        (["UPDATE audit_head SET hash = 'x'"], 6, "row 6 does not follow"),
        (["DELETE FROM audit WHERE id > 3", "DELETE FROM audit_head"], 5, "nothing says that row 4 is the newest"),
    ],
)
def test_what_is_written_later_hides_no_missing_end(database: Database, tamper: list[str], bad: int, told: str) -> None:
    for number in range(5):
        write(database, number)
    with database.write() as session:
        for statement in tamper:
            session.connection().exec_driver_sql(statement)
    before = audit.verify(database)
    assert before.broken_at is not None
    write(database, 9)
    report = audit.verify(database)
    assert report.broken_at == bad
    assert told in report.problem


def test_a_log_that_was_rolled_back_with_its_change_is_whole(database: Database) -> None:
    write(database, 0)
    with pytest.raises(RuntimeError), database.write() as session:
        audit.append(session, actor="a", action="b", subject="c", why="d", now=NOW, details={})
        raise RuntimeError("the change failed")
    assert audit.verify(database) == audit.ChainReport(rows=1)
    write(database, 1)
    assert audit.verify(database) == audit.ChainReport(rows=2)


@pytest.mark.parametrize("rows", [0, 3])
def test_a_log_of_an_earlier_version_gets_its_head(database_url: str, rows: int) -> None:
    database = Database(database_url)
    migrate.upgrade(database)
    for number in range(rows):
        write(database, number)
    with database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE audit_head")
        session.connection().exec_driver_sql("DROP TABLE paces")  # of a later version still
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0006'")
    migrate.upgrade(database)
    assert audit.verify(database) == audit.ChainReport(rows=rows)
    write(database, 7)
    assert audit.verify(database) == audit.ChainReport(rows=rows + 1)
    database.close()


def test_writers_at_the_same_time_make_one_chain(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(database, number), range(40)))
    assert audit.verify(database) == audit.ChainReport(rows=40)
