"""A stranger's gate comes in by an entry point of an installed package, and is a gate like any other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GATE = """
from typing import Literal
from bot.domain.facts import Case
from bot.domain.verdict import Verdict
from bot.gates import Gate

class Moon(Gate):
    '''Passes at full moon.'''
    gate: Literal["moon"] = "moon"
    full: bool = False
    def evaluate(self, case: Case) -> Verdict:
        return self.passed("Full moon.") if self.full else self.pending("No full moon.", "The moon")

class Soak(Moon):
    gate: Literal["soak"] = "soak"

NOTHING = 3
"""
CONFIG = "version: 1\npipeline: {stages: {dev: {repository: a/b, gates: [{gate: moon, full: true}, {gate: moon, name: two, ful: 1}]}}}\n"
ASK = "import sys; from bot.config.load import check; print(*check(sys.argv[1]).problems, sep='\\n')"


def installed(tmp_path: Path, entry: str) -> subprocess.CompletedProcess[str]:
    """The problems of CONFIG, in a Python that has a package with this entry point."""
    (tmp_path / "moonshine.py").write_text(GATE)
    info = tmp_path / "moonshine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: moonshine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[promotion_bot.gates]\nmoon = moonshine:{entry}\n")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    command = [sys.executable, "-c", ASK, CONFIG]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env=environment)


def test_a_gate_of_another_package(tmp_path: Path) -> None:
    done = installed(tmp_path, "Moon")
    assert done.stdout == "config.yaml:2:102: Unknown key 'ful'. Did you mean full?\n", done.stderr


@pytest.mark.parametrize(("entry", "why"), [("NOTHING", "is not a gate"), ("Soak", "two gates are called 'soak'")])
def test_what_is_no_gate_or_takes_a_name_is_refused(tmp_path: Path, entry: str, why: str) -> None:
    done = installed(tmp_path, entry)
    assert done.returncode != 0
    assert why in done.stderr
