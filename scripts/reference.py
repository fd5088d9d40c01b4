"""Reference pages from the code: `make docs` writes them, a test checks that they are current.

One function per page, listed in PAGES. `python scripts/reference.py --check` writes nothing and exits 1 when a page is out of date.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts import reference_commands, reference_config, reference_gates  # noqa: E402

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/configuration.md": reference_config.page,
    "docs/commands.md": reference_commands.page,
    "docs/gates.md": reference_gates.page,
}


def main(*, check: bool) -> int:
    """Write all pages, or only say which are out of date."""
    stale = [path for path, page in PAGES.items() if not (ROOT / path).exists() or (ROOT / path).read_text() != page()]
    for path in stale:
        if check:
            print(f"{path} is out of date; run: make docs", file=sys.stderr)
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(PAGES[path]())
            print(f"wrote {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
