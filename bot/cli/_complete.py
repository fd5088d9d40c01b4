"""What a shell offers for services and stages: the names that the meant configuration has, else those that a running bot knows.

Decides where to ask, and for how long at most. A shell that completes wants an answer at once or none: every error is silence, nothing
is printed, nobody is asked for a password, and no token goes over the network in plain text.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

SECONDS = 0.8
LARGEST = 1 << 20
Names = dict[str, list[str]]


def services(context: typer.Context, incomplete: str) -> list[str]:
    """Services whose names begin so."""
    return begin(known(context.params).get("service", []), incomplete)


def stages(context: typer.Context, incomplete: str) -> list[str]:
    """Stages whose names begin so."""
    return begin(known(context.params).get("stage", []), incomplete)


def begin(names: Iterable[str], incomplete: str) -> list[str]:
    """Those that begin so, each once, in their order. What a terminal could take for an order of its own is left out."""
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete) and name.isprintable() and " " not in name]


def known(params: dict[str, Any]) -> Names:
    """The names by kind: of `--config` where it stands in the line, else of the bot that `--url` or PROMO_URL means."""
    try:
        config = params.get("config")
        return _configured(Path(str(config))) if config else _running(str(params.get("url") or ""))
    except Exception:
        return {}


def _configured(path: Path) -> Names:
    """Read without judging it: a configuration that is being written has mistakes."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open("rb") as file:
        document = yaml.load(file.read(LARGEST), Loader=loader)  # noqa: S506  a safe loader, by either name
    return {"service": list(map(str, document.get("services") or {})), "stage": list(map(str, document["pipeline"]["stages"]))}


def _running(url: str) -> Names:
    import httpx

    from bot.cli._remote import DEFAULT, LOOPBACK, TOKENS, URL

    address = (url or os.environ.get(URL) or DEFAULT).rstrip("/")
    parts = urlsplit(address)
    token = next((os.environ[name].strip() for name in TOKENS if os.environ.get(name)), "")
    if not token or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        return {}
    answer = httpx.get(f"{address}/api/v1/stages", headers={"authorization": f"Bearer {token}"}, timeout=SECONDS)
    items = answer.raise_for_status().json()["items"]
    return {
        "stage": [str(item["stage"]) for item in items],
        "service": sorted({str(one["service"]) for item in items for one in item["services"]}),
    }
