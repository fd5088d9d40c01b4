"""Which commits wait for PostgreSQL's disk: all but those that say that a crash may take them back, and none after them."""

import pytest

from bot.adapters.store.database import Database


@pytest.mark.postgres
def test_only_a_repeatable_write_does_not_wait_for_the_disk(postgres_url: str) -> None:
    careful = "&" if "?" in postgres_url else "?"
    database = Database(f"{postgres_url}{careful}options=-csynchronous_commit%3Don")

    def setting(*, repeatable: bool) -> str:
        with database.write(repeatable=repeatable) as session:
            return str(session.connection().exec_driver_sql("SHOW synchronous_commit").scalar_one())

    assert [setting(repeatable=one) for one in (False, True, False)] == ["on", "off", "on"]
    database.close()
