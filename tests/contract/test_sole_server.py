"""Two `serve` on one SQLite file: the second is refused, a crash leaves nothing locked, and other commands go on."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.store.database import Database
from bot.adapters.store.migrate import upgrade
from bot.app.sole import lock_file, sole_server
from bot.domain.errors import UserError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONFIG = "version: 1\nforge: {app: {app_id: 1}}\npipeline:\n  stages:\n    dev: {repository: acme/env-dev}\n"
SERVE = "from bot.cli.main import main; main()"
DROP, OVERRIDES = 24, (1, 2)
"""PR_CAPBSET_DROP, and the rights to pass over modes of files (linux/prctl.h, linux/capability.h)."""
HOLD = """
import sys, time
from datetime import datetime, UTC
from bot.app.sole import sole_server
with sole_server(sys.argv[1], lambda: datetime.now(UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


def clock() -> datetime:
    return NOW


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'promotion-bot.db'}"


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command line over a database in this folder."""
    config = folder / "bot.yaml"
    config.write_text(CONFIG)
    environment = {
        **os.environ,
        "PROMOTION_BOT_STATE_DIR": str(folder),
        "PROMOTION_BOT_DATABASE_URL": url(folder),
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("folder", "database"),
    [
        ("there", "sqlite:///{}/promotion-bot.db"),
        ("there/not/yet", "sqlite:///{}/promotion-bot.db"),
        ("there/not/yet", "postgresql://nobody@127.0.0.1:9/none"),
    ],
)
def test_a_folder_that_cannot_be_written_is_told_with_what_to_mend(tmp_path: Path, folder: str, database: str) -> None:
    """A file system that allows reading only, as the container's own is; root is refused as well once it may not pass over modes."""
    config, there = tmp_path / "bot.yaml", tmp_path / "there"
    config.write_text(CONFIG.replace("forge: {app: {app_id: 1}}\n", ""))
    there.mkdir(mode=0o500)
    state = tmp_path / folder
    environment = {
        **os.environ,
        "PROMOTION_BOT_STATE_DIR": str(state),
        "PROMOTION_BOT_DATABASE_URL": database.format(state),
        "PROMOTION_BOT_GITHUB_TOKEN": "none",
        "PROMOTION_BOT_GITHUB_WEBHOOK_SECRETS": "s" * 32,
        "NO_COLOR": "1",
    }
    begin = f"import ctypes, os, sys; [ctypes.CDLL(None).prctl({DROP}, one, 0, 0, 0) for one in {OVERRIDES}]; "
    program = begin + f"os.execv(sys.executable, [sys.executable, '-c', {SERVE!r}, 'serve', '--config', {str(config)!r}])"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    what, _, fix = done.stderr.strip().splitlines()
    assert what.startswith(f"error: The bot cannot write into {state}")
    assert "PROMOTION_BOT_STATE_DIR" in fix


def test_the_second_is_refused_and_told_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    with sole_server(url(tmp_path), clock), pytest.raises(UserError) as refused, sole_server(url(tmp_path), clock):
        pass
    told = refused.value
    assert told.code == "Conflict"
    assert f"process {os.getpid()} on " in told.what
    assert "since 2026-11-20 12:00:00 UTC" in told.what
    assert str(tmp_path / "promotion-bot.db") in told.what
    assert "PostgreSQL" in told.fix


def test_the_same_file_by_another_name_is_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")
    with sole_server(url(tmp_path / "real"), clock):
        for other in (url(tmp_path / "link"), "promotion-bot.db"):
            with pytest.raises(UserError, match="Another bot"), sole_server(other, clock):
                pass


def test_it_is_free_again_after_an_orderly_end_and_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), sole_server(url(tmp_path), clock):
        _ = 1 / 0
    for _ in range(2):
        with sole_server(url(tmp_path), clock):
            pass


def test_a_killed_process_leaves_nothing_locked(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, url(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"process {other.pid} on"), sole_server(url(tmp_path), clock):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait(30)
        with sole_server(url(tmp_path), clock):
            pass


def test_two_databases_do_not_disturb_each_other(tmp_path: Path) -> None:
    with sole_server(url(tmp_path / "one"), clock), sole_server(url(tmp_path / "two"), clock):
        pass


@pytest.mark.parametrize("database", ["postgresql://bot@db/bot", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_file_needs_no_lock(database: str) -> None:
    assert lock_file(database) is None
    with sole_server(database, clock), sole_server(database, clock):
        pass


def test_serve_is_refused_with_a_sentence_and_other_commands_work(tmp_path: Path) -> None:
    database = Database(url(tmp_path))
    upgrade(database)
    database.close()
    with sole_server(url(tmp_path), clock):
        refused = run(tmp_path, "serve", "--config", str(tmp_path / "bot.yaml"), "--insecure-no-webhook-secret")
        assert refused.returncode == 6, refused.stderr
        assert "error: Another bot serves from" in refused.stderr
        assert f"process {os.getpid()} on" in refused.stderr
        assert "fix: stop that one first" in refused.stderr
        assert "Traceback" not in refused.stderr
        for words in (("events",), ("report", "--from", "2026-11-01", "--to", "2026-11-20", "--database", url(tmp_path))):
            read = run(tmp_path, *words)
            assert read.returncode == 0, read.stderr
