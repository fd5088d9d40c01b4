"""Known weaknesses of the locked packages, by the real pip-audit: against a server that speaks as OSV does, and against nobody."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.audit import Weakness, judged, rounds
from scripts.locked import pins
from tests.support.far_side import Asked, answer, far_side

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
HASH = "--hash=sha256:" + "a" * 64
LOCK = f"""some-lib==1.0 \\
    {HASH}
other[more]==2.0 ; sys_platform == 'win32' \\
    {HASH}
twice==1.0 ; python_full_version < '3.12' \\
    {HASH}
twice==2.0 ; python_full_version >= '3.12' \\
    {HASH}
"""
KNOWN = {
    "vulns": [
        {
            "id": "PYSEC-2026-7",
            "aliases": ["CVE-2026-0007"],
            "summary": "bad",
            "published": "2026-01-01T00:00:00Z",
            "modified": "2026-01-01T00:00:00Z",
            "affected": [
                {
                    "package": {"name": "other", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}],
                }
            ],
        }
    ]
}


def audit(lock: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    command = [sys.executable, str(ROOT / "scripts" / "audit.py"), str(lock), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env={**clean, **environment})


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text(LOCK)
    return path


def against(lock: Path, answers: Mapping[str, object], *words: str) -> tuple[subprocess.CompletedProcess[str], list[tuple[str, str]]]:
    """What is said where the service knows this of each package, and what it was asked."""
    questions = []

    def handle(asked: Asked, connection: object) -> None:
        question = json.loads(asked.body)
        name = question["package"]["name"]
        questions.append((name, question["version"]))
        told = answer(json.dumps(answers.get(name, {})).encode(), content_type="application/json", connection="close")
        connection.sendall(told)  # type: ignore[attr-defined]

    with far_side(handle) as far:
        return audit(lock, "--service", "osv", "--osv-url", f"{far.url}/v1/query", *words), sorted(questions)


def test_every_package_is_looked_up_whatever_system_it_is_for(lock: Path) -> None:
    done, questions = against(lock, {})
    assert (done.returncode, done.stdout, done.stderr) == (0, "4 packages looked up; no weakness is known\n", "")
    assert questions == [("other", "2.0"), ("some-lib", "1.0"), ("twice", "1.0"), ("twice", "2.0")]


def test_a_known_weakness_is_named_with_what_mends_it(lock: Path) -> None:
    done, _ = against(lock, {"other": KNOWN})
    assert done.returncode == 1
    assert done.stdout == "weakness: other 2.0: PYSEC-2026-7 (CVE-2026-0007), mended in 2.1\n"
    assert "1 known weaknesses in 1 of 4 packages" in done.stderr


@pytest.mark.parametrize(("name", "code"), [("PYSEC-2026-7", 0), ("CVE-2026-0007", 0), ("CVE-2026-0008", 1)])
def test_what_was_accepted_is_shown_and_stops_nobody(lock: Path, name: str, code: int) -> None:
    done, _ = against(lock, {"other": KNOWN}, "--accept", name)
    assert done.returncode == code
    assert "other 2.0: PYSEC-2026-7" in done.stdout


@pytest.mark.parametrize("words", [(), ("--service", "osv")])
def test_without_the_network_nothing_is_said_to_be_well(lock: Path, words: tuple[str, ...]) -> None:
    done = audit(lock, *words, HTTPS_PROXY="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (75, "")
    assert re.match(r"error: 4 of 4 packages could not be looked up.*\nwhy: .*ProxyError.*\n(why: .*\n)*fix: ", done.stderr)


def test_a_service_that_fails_has_said_nothing(lock: Path) -> None:
    with far_side(lambda _asked, connection: connection.sendall(answer(status="503 Down"))) as far:
        done = audit(lock, "--service", "osv", "--osv-url", f"{far.url}/v1/query")
    assert (done.returncode, done.stdout) == (75, "")
    assert "4 of 4 packages could not be looked up" in done.stderr


def test_a_package_that_the_service_does_not_know_was_not_looked_up(lock: Path) -> None:
    some, other = pins(lock)[1], pins(lock)[0]
    skipped = {"name": "some-lib", "skip_reason": "Dependency not found on PyPI and could not be audited: some-lib (1.0)"}
    clean = {"name": "other", "version": "2.0", "vulns": []}
    found = judged({"dependencies": [clean, skipped]}, [some, other])
    assert found.unknown == {"some-lib 1.0": "Dependency not found on PyPI and could not be audited"}
    assert judged({"dependencies": [skipped]}, [other]).unknown == {"other 2.0": "pip-audit says nothing about it"}
    assert judged({"dependencies": [clean]}, [other]).unknown == {}


def test_a_lock_that_cannot_be_read_is_no_finding(tmp_path: Path) -> None:
    for text in ("some-lib>=1.0\n", "some-lib==1.0\n", f"some-lib==1.0,!=2.0 \\\n    {HASH}\n", "./folder\n"):
        path = tmp_path / "bad.txt"
        path.write_text(text)
        assert audit(path).returncode == 2
    assert audit(tmp_path / "none.txt").returncode == 2


def test_both_locks_are_asked_about_whole() -> None:
    locked = [pin for name in LOCKS for pin in pins(ROOT / name)]
    asked = [(pin.name, pin.version) for turn in rounds(locked) for pin in turn]
    assert len(asked) == len(set(asked))
    assert set(asked) == {(pin.name, pin.version) for pin in locked}
    assert all(len({pin.name for pin in turn}) == len(turn) for turn in rounds(locked))


def test_a_weakness_without_a_mended_version_says_so() -> None:
    assert str(Weakness(package="a 1", names=("X-1",), mended=())) == "a 1: X-1, no version without it yet"
