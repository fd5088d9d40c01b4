"""Makes docs/demo.svg, the picture in the README, from a real run of the demo: what the terminal showed, line by line.

Run it after a change that a viewer would see: `.venv/bin/python scripts/picture.py`.
"""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "demo.svg"
WIDTH = 120
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
FOLDER = re.compile(r"/[^ ]*/promotion-bot-demo-[a-z0-9_]+")


def main() -> int:
    """Run the demo, draw what it printed; the demo's own exit status."""
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", "demo", "--once"]
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode != 0:
        print(done.stdout[-3000:], done.stderr[-3000:], sep="\n", file=sys.stderr)
        return done.returncode
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ make demo ARGS=--once", style="bold"))
    for line in done.stdout.splitlines():
        plain = FOLDER.sub("/…/demo", ADDRESS.sub("http://127.0.0.1", line))
        console.print(Text.from_ansi(plain), overflow="ellipsis", no_wrap=True, crop=True)
    svg = console.export_svg(title="promotion-bot demo")
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
