"""What is installed is what was locked: every package pinned with its hashes, installed by them alone, and nothing loaded at run time."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]+\])?==[^\s;]+( ;[^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+")
LOADS = re.compile(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?(?:https?:)?//", re.IGNORECASE)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_with_its_hashes(name):
    entries = [entry for entry in re.split(r"\n(?=[^\s#])", (ROOT / name).read_text().strip()) if not entry.startswith("#")]
    assert len(entries) > 20
    assert [entry for entry in entries if not PINNED.fullmatch(entry.strip())] == []


def test_whatever_installs_the_lock_checks_its_hashes():
    files = [ROOT / "Dockerfile", ROOT / "Makefile", *(ROOT / ".ci").iterdir()]
    lines = [line for file in files for line in file.read_text().splitlines() if re.search(r"pip install\b.*-r requirements", line)]
    assert len(lines) >= 3
    assert [line for line in lines if "--require-hashes" not in line] == []


def test_no_page_of_ours_loads_anything_from_elsewhere():
    pages = [path for path in (ROOT / "bot").rglob("*") if path.suffix in {".py", ".html", ".css", ".js", ".txt"}]
    assert [path.relative_to(ROOT).as_posix() for path in pages if LOADS.search(path.read_text())] == []
