"""The reference pages are what the code says today."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.config.schema import Config
from bot.gates import shelf
from scripts.gate_stories import STORIES, told
from scripts.reference import PAGES
from scripts.reference_gates import EXAMPLES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted(PAGES))
def test_pages_are_current(path: str) -> None:
    assert (ROOT / path).read_text() == PAGES[path](), f"{path} is out of date; run: make docs"


def test_the_check_of_make_docs_agrees() -> None:
    command = [sys.executable, "scripts/reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_examples_of_the_page_are_valid() -> None:
    for kind, text in EXAMPLES.items():
        settings = {"gate": kind, **yaml.load(text, Loader=yaml.BaseLoader)}
        settings.pop("calendar", None)
        settings.pop("holidays", None)
        Config.model_validate({"version": 1, "pipeline": {"stages": {"dev": {"repository": "a/b", "gates": [settings]}}}})


def test_every_gate_of_ours_tells_its_stories_and_one_of_them_passes() -> None:
    assert set(STORIES) == {gate.model_fields["gate"].default for gate in shelf()}
    for kind in STORIES:
        verdicts = [verdict for _, verdict in told(kind)]
        assert any(verdict.lets_pass for verdict in verdicts), kind
        assert any(not verdict.lets_pass for verdict in verdicts), kind
        assert all(verdict.lets_pass or verdict.changer for verdict in verdicts), kind
