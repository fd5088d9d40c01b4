"""The heart of a process beats on whatever those it speaks to do: one that hangs would have its work taken over by others."""

import socket
import time
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.adapters.store.queue_tables import ReplicaRow
from bot.app import Bot, build
from bot.cli.demo.settings import SandboxSettings
from bot.config.load import load
from bot.domain.action import Notify, Severity
from bot.reconcile.engine import Timing

CONFIG = """\
version: 1
forge: {{url: "http://127.0.0.1:9", api_url: "http://127.0.0.1:9"}}
pipeline:
  stages:
    dev: {{repository: acme/env-dev}}
notifications:
  mail:
    ops: {{host: 127.0.0.1, port: {port}, security: none, sender: bot@example.org, to: [ops@example.org]}}
"""


def test_a_mail_server_that_never_answers_stops_no_heart(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = tmp_path / "promotion-bot.yaml"
        path.write_text(CONFIG.format(port=silent.getsockname()[1]))
        given = SandboxSettings(github_token=SecretStr("none"), insecure_no_webhook_secret=True, state_dir=tmp_path / "state")
        parts = build(load(path), given)
        bot = Bot(parts, timing=Timing(beat=timedelta(seconds=0.5), stop_wait=timedelta(seconds=1)))
        notice = Notify(key="to:mail.ops:k", thread="t", severity=Severity.CRITICAL, stage="dev", text="failed", fields={})
        bot.outbox.put(notice, now=parts.clock())
        bot.start()
        try:
            silent.settimeout(30)
            spoken_to, _ = silent.accept()
            time.sleep(4)
            with parts.database.read() as session:
                age = parts.database.clock(session) - session.get_one(ReplicaRow, bot.engine.replica).beat_at
            assert age < timedelta(seconds=3), f"the heart stood still for {age.total_seconds():.1f} s"
            spoken_to.close()
        finally:
            bot.stop()
