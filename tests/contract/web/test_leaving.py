"""A signal to stop ends the server, not the process: what stands after it, the bot's own leaving, still happens."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
from bot.web.health import Readiness
from bot.web.server import create_app, listen, serve
readiness = Readiness()
app = create_app([], readiness=readiness)
listener = listen("127.0.0.1", 0)
try:
    serve(app, readiness, listener, started=lambda: print(listener.getsockname()[1], flush=True))
finally:
    print("left", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_comes_after_the_server_is_done(how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 404
        process.send_signal(how)
        output, _ = process.communicate(timeout=60)
    assert (output.splitlines()[-1], process.returncode) == ("left", 0)
