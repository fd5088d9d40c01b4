"""Looks up what is known against the packages of the locks: pip-audit over every pin, whatever system it is for.

Exit 0: every package was looked up and nothing is known against it, or what is known was accepted by --accept. 1: something is known.
2: a lock cannot be read. 75: something could not be looked up (no network, a service that fails, a package it has never heard of), and
nothing is known against the rest: that is no answer. pip-audit itself passes over packages of other systems, and says that all is well
where its service knows none of them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.locked import Pin, pins  # noqa: E402

LOCKS = ("requirements.txt", "requirements-dev.txt")
FOUND = 1
UNKNOWN = 75
"""EX_TEMPFAIL of sysexits.h."""
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """One advisory against a pinned package. `names` are its ids; `mended` the versions without it, empty where there is none yet."""

    package: str
    names: tuple[str, ...]
    mended: tuple[str, ...]

    def __str__(self) -> str:
        first, *others = self.names
        also = f" ({', '.join(others)})" if others else ""
        return f"{self.package}: {first}{also}, {'mended in ' + ', '.join(self.mended) if self.mended else 'no version without it yet'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`unknown` says of each package that was not looked up why not."""

    weaknesses: tuple[Weakness, ...]
    unknown: Mapping[str, str]


def rounds(locked: Iterable[Pin]) -> list[list[Pin]]:
    """The pins without their conditions, each once, so that no round holds two versions of one package: pip-audit takes no such file."""
    found: dict[str, dict[str, Pin]] = defaultdict(dict)
    for pin in sorted(locked):
        found[pin.name].setdefault(pin.version, pin)
    several = [list(versions.values()) for versions in found.values()]
    return [[pins[turn] for pins in several if turn < len(pins)] for turn in range(max(map(len, several), default=0))]


def ask(asked: Collection[Pin], options: Collection[str]) -> Answer:
    """What pip-audit finds out about these."""
    lines = [" ".join([f"{pin.name}=={pin.version}", *(f"--hash=sha256:{one}" for one in pin.hashes)]) for pin in asked]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        fixed = ["--requirement", file.name, "--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off"]
        done = subprocess.run([sys.executable, "-m", "pip_audit", *fixed, *options], capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or [f"pip-audit ended with {done.returncode} and said nothing"])[-1]
        return Answer(weaknesses=(), unknown={_name(pin): last for pin in asked})
    return judged(report, asked)


def judged(report: Mapping[str, list[dict[str, Any]]], asked: Collection[Pin]) -> Answer:
    """A report of pip-audit (`--format=json`) held against what it was asked for."""
    said = {(str(one["name"]), str(one.get("version", ""))): one for one in report["dependencies"]}
    weaknesses, unknown = [], {}
    for pin in asked:
        found = said.get((pin.name, pin.version)) or said.get((pin.name, ""), {"skip_reason": "pip-audit says nothing about it"})
        if "vulns" not in found:
            unknown[_name(pin)] = str(found["skip_reason"]).removesuffix(f": {pin.name} ({pin.version})")
            continue
        for one in found["vulns"]:
            names = (one["id"], *sorted(one["aliases"]))
            weaknesses.append(Weakness(package=_name(pin), names=names, mended=tuple(one["fix_versions"])))
    return Answer(weaknesses=tuple(weaknesses), unknown=unknown)


def told(answers: Collection[Answer], count: int, accepted: set[str]) -> int:
    """Prints the outcome; the exit code."""
    known = [one for answer in answers for one in answer.weaknesses]
    left = [one for one in known if accepted.isdisjoint(one.names)]
    unknown = {package: why for answer in answers for package, why in answer.unknown.items()}
    for one in known:
        print(f"{'weakness' if one in left else 'accepted'}: {one}")
    if unknown:
        print(f"error: {len(unknown)} of {count} packages could not be looked up: nobody knows what is known against them", file=sys.stderr)
        for why in sorted(set(unknown.values())):
            packages = [package for package, reason in unknown.items() if reason == why]
            more = f" and {len(packages) - SHOWN} more" if len(packages) > SHOWN else ""
            print(f"why: {', '.join(packages[:SHOWN])}{more}: {why}", file=sys.stderr)
        print("fix: run it where the service can be reached, or ask another: --service osv", file=sys.stderr)
    if left:
        print(f"error: {len(left)} known weaknesses in {len({one.package for one in left})} of {count} packages", file=sys.stderr)
        print("fix: raise the versions (make lock), or --accept ID what does no harm here", file=sys.stderr)
        return FOUND
    if unknown:
        return UNKNOWN
    print(f"{count} packages looked up; {f'{len(known)} weaknesses, all accepted' if known else 'no weakness is known'}")
    return 0


def _name(pin: Pin) -> str:
    return f"{pin.name} {pin.version}"


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="Look up known weaknesses of the packages of the locks. Exit 0, 1 or 75 (could not look).")
    parser.add_argument("locks", nargs="*", type=Path, default=[ROOT / name for name in LOCKS], help="locks with hashes")
    parser.add_argument("--accept", action="append", default=[], metavar="ID", help="an advisory that does no harm here; repeatable")
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi", help="who is asked (pypi)")
    parser.add_argument("--osv-url", help="another address of OSV")
    given = parser.parse_args()
    try:
        turns = rounds(pin for lock in given.locks for pin in pins(lock))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    options = [f"--vulnerability-service={given.service}", *([f"--osv-url={given.osv_url}"] if given.osv_url else [])]
    answers = [ask(turn, options) for turn in turns]
    return told(answers, sum(map(len, turns)), set(given.accept))


if __name__ == "__main__":
    sys.exit(main())
