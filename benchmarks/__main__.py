"""Runs every benchmark, each in a process of its own, and prints one table. Run: python -m benchmarks [NAME ...] [--json]

A benchmark is a file in this folder with `def bench() -> list[Row]`. Times are wall clock where nothing else is said, so the table
ends with the machine's load. Exit 1 when a benchmark broke or a goal was missed.
"""

import argparse
import json
import multiprocessing
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row, load, run


def names() -> list[str]:
    """The benchmarks there are, by name."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if not file.stem.startswith("_") and "def bench()" in file.read_text()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the wanted ones; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("name", nargs="*", help=f"which; all by default: {', '.join(names())}")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.name) - set(names()))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(names())}")
    rows: dict[str, list[Row]] = {}
    broken: dict[str, str] = {}
    context = multiprocessing.get_context("spawn")
    for name in asked.name or names():
        print(f"{name} …", file=sys.stderr, flush=True)
        with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
            try:
                rows[name] = pool.submit(run, name).result()
            except Exception as error:
                traceback.print_exception(error, file=sys.stderr)
                broken[name] = f"{type(error).__name__}: {error}"
    if asked.json:
        told = {name: [asdict(row) | {"met": row.met} for row in found] for name, found in rows.items()}
        print(json.dumps({"benchmarks": told, "broken": broken, "machine": load()}))
    else:
        show(rows, broken)
    return 1 if broken or not all(row.met for found in rows.values() for row in found) else 0


def show(rows: dict[str, list[Row]], broken: dict[str, str]) -> None:
    """The table."""
    table = Table("benchmark", "what", "measured", "goal", "")
    for column in (2, 3):
        table.columns[column].justify = "right"
    for name, found in rows.items():
        for place, row in enumerate(found):
            sign = "≥" if row.at_least else "≤"
            goal = "" if row.goal is None else f"{sign} {row.goal:g} {row.unit}"
            verdict = "" if row.goal is None else ("met" if row.met else "[bold red]MISSED")
            table.add_row("" if place else name, row.what, f"{row.measured:,.10g} {row.unit}", goal, verdict)
    for name, why in broken.items():
        table.add_row(name, f"[red]did not run: {why}", "", "", "[bold red]BROKEN")
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(load())


if __name__ == "__main__":
    sys.exit(main())
