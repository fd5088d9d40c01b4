"""A signal to stop ends the server, not the process: what stands after it, the bot's own leaving, still happens."""

import signal
import subprocess
import sys
import time
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


def test_a_second_signal_ends_the_drain() -> None:
    program = PROGRAM.replace("flush=True))\n", "flush=True), drain_seconds=300)\n", 1)
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/"
        assert httpx.get(url, timeout=60).status_code == 404
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert httpx.get(url, timeout=60).status_code == 404, "it still takes requests"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert (output.splitlines()[-1], process.returncode) == ("left", 0)
