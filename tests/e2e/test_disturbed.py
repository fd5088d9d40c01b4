"""The whole bot, as a process, while its machine and its neighbours fail: the story ends as if nothing had happened.

(Every crash point on both databases is `make faults`; here stand a few of them, and what is no crash. What runs with every change is
test_killed.py: a crash point on each database, and SIGTERM in the middle of a merge.)
"""

import resource
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.faults.matrix import Undisturbed, crash_at, good, story, undisturbed
from tests.faults.world import World, new_world, wait_until
from tests.support.tcp_proxy import proxy_to

pytestmark = [pytest.mark.slow, pytest.mark.disturbed, pytest.mark.xdist_group("disturbed"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def failing() -> Undisturbed:
    """A version crashes and is taken back."""
    return undisturbed("fail")


@pytest.mark.parametrize("point", ["merged:after:1", "history-saved:after:2"])
def test_killed_on_sqlite(failing: Undisturbed, point: str) -> None:
    good(crash_at(point, failing))


@pytest.mark.postgres
def test_killed_on_postgresql(failing: Undisturbed, postgres_url: str) -> None:
    good(crash_at("merged:after:1", failing, postgres_url))


def after_opening(act: Callable[[World], None]) -> Callable[[World], None]:
    """Once, as soon as the pull request stands."""

    def disturb(world: World) -> None:
        if world.pulls():
            world.once("disturbed", lambda: act(world))

    return disturb


def test_the_database_is_locked_for_longer_than_anybody_waits(failing: Undisturbed) -> None:
    def lock(world: World) -> None:
        def hold() -> None:
            other = sqlite3.connect(world.root / "bot.db", timeout=60)
            other.execute("BEGIN IMMEDIATE")
            time.sleep(14)
            other.rollback()
            other.close()

        threading.Thread(target=hold, daemon=True).start()

    good(story(failing, None, "locked", disturb=after_opening(lock)))


def test_the_disk_is_full_for_a_while(failing: Undisturbed) -> None:
    """No file may grow: what a full disk does to the database, the clones and the log."""

    def fill(world: World) -> None:
        assert world.bot.process is not None
        pid = world.bot.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        threading.Timer(6, lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))).start()

    good(story(failing, None, "disk full", disturb=after_opening(fill)))


def test_the_forge_and_the_chat_do_not_answer_for_a_while(failing: Undisturbed) -> None:
    def fail(world: World) -> None:
        for method in ("POST", "PUT", "PATCH", "GRAPHQL"):
            world.github.faults.add(method, "*", kind="status:502", times=3)
        world.github.faults.add("GIT", "*", kind="status:503", times=3)
        world.slack.fault("status:503", times=2)

    good(story(failing, None, "502", disturb=after_opening(fail)))


@pytest.mark.postgres
def test_the_connections_to_postgresql_are_cut(failing: Undisturbed, postgres_url: str) -> None:
    folder = parse_qs(urlsplit(postgres_url).query)["host"][0]
    socket_file = next(Path(folder).glob(".s.PGSQL.*[0-9]"))
    with proxy_to(str(socket_file)) as proxy:
        parts = urlsplit(postgres_url)
        url = f"postgresql://{parts.username}@127.0.0.1:{proxy.port}{parts.path}"
        cut_at: list[float] = []

        def disturb(world: World) -> None:
            if world.pulls() and len(cut_at) < 4 and (not cut_at or time.monotonic() - cut_at[-1] > 2):
                cut_at.append(time.monotonic())
                proxy.cut()
                proxy.closed = len(cut_at) == 2
                threading.Timer(3, setattr, (proxy, "closed", False)).start()

        good(story(failing, url, "connections cut", disturb=disturb))
        assert proxy.cuts >= 3


def test_a_forge_that_no_name_leads_to_is_waited_for() -> None:
    world = new_world({})
    try:
        text = world.bot.config.read_text().replace(world.github.url, "http://forge.invalid")
        world.bot.config.write_text(text)
        world.bot.start()
        assert wait_until(world.bot.answers, 60)
        time.sleep(5)
        assert world.bot.ended is None
        told = world.bot.log.read_text()
        assert "forge.invalid" in told or "cannot be fetched" in told
        assert "internal error" not in told
        assert "Traceback" not in told
        assert world.bot.terminate() == 0
    finally:
        world.close()
