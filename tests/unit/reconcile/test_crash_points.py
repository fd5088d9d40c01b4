"""The crash points: nothing happens without the variable; with it the process is killed at the point, the nth time."""

import signal
import subprocess
import sys

import pytest

from bot.reconcile.crash import CrashPoints

PROGRAM = """
import os
from bot.reconcile.crash import CrashPoints
points = CrashPoints(os.environ)
for number in range(3):
    points.at("merged:before")
    print(number, flush=True)
    points.at("merged:after")
"""


@pytest.mark.parametrize(("wanted", "printed"), [("merged:before", ""), ("merged:after", "0\n"), ("merged:after:3", "0\n1\n2\n")])
def test_the_process_is_killed_there(wanted: str, printed: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={"PROMOTION_BOT_CRASH_AT": wanted}, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (-signal.SIGKILL, printed)


def test_nothing_happens_without_it() -> None:
    CrashPoints({}).at("merged:before")
    CrashPoints({"PROMOTION_BOT_CRASH_AT": "pull-opened:after"}).at("merged:before")
