"""Cuts GitHub's own API and webhook descriptions (npm @octokit/openapi, @octokit/openapi-webhooks) to what the sandbox serves.

Run it when the sandbox is to serve another route or event:
`python -m tests.support.github_cut API.json WEBHOOKS.json`. Texts, examples and requests are left out; the answers stay.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from bot.sandbox.github.deliveries import Deliveries
from bot.sandbox.github.hooks import Dispatcher
from bot.sandbox.github.rest.table import all_routes
from bot.sandbox.github.world import World, wall_clock

DATA = Path(__file__).parents[1] / "data" / "github"
LEFT_OUT = ("description", "example", "examples", "x-github", "summary", "title", "externalDocs", "deprecated", "x-multi-segment")
HOOKS = (
    *("push", "create", "delete", "label-created", "status", "ping", "deployment-status-created", "check-suite-completed"),
    *(
        "check-run-created",
        "check-run-completed",
        "check-run-requested-action",
        "check-run-rerequested",
        "installation-suspend",
        "installation-unsuspend",
        "merge-group-checks-requested",
        "merge-group-destroyed",
    ),
    *("issue-comment-created", "issue-comment-edited", "issue-comment-deleted"),
    *("pull-request-review-submitted", "pull-request-review-dismissed"),
    *("pull-request-opened", "pull-request-closed", "pull-request-reopened", "pull-request-edited", "pull-request-synchronize"),
    *("pull-request-labeled", "pull-request-unlabeled", "pull-request-enqueued", "pull-request-dequeued"),
    *("pull-request-auto-merge-enabled", "pull-request-auto-merge-disabled"),
)


def served_routes() -> list[tuple[str, str]]:
    """Method and template of every REST route of the sandbox."""
    world = World(root=Path("unused"))
    deliveries = Deliveries(wall_clock)
    routes = all_routes(deliveries, Dispatcher(world=world, deliveries=deliveries))
    return [(route.method, route.template.replace(":path}", "}")) for route in routes]


def lean(node: Any, *, names: bool = False) -> Any:
    """A schema without words; `names` says that the keys are names of properties, not keywords."""
    if isinstance(node, list):
        return [lean(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or key not in LEFT_OUT}
    return {key: lean(value, names=key in ("properties", "schemas") and not names) for key, value in kept.items()}


def references(node: Any) -> set[str]:
    """Every `$ref` below."""
    if isinstance(node, list):
        return set().union(*(references(item) for item in node)) if node else set()
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return own.union(*(references(value) for value in node.values()))


def closure(full: Any, start: Any) -> dict[str, Any]:
    """The components that `start` needs, and those that they need."""
    kept: dict[str, Any] = {}
    waiting = list(references(start))
    while waiting:
        place = waiting.pop()
        _, _, shelf, name = place.split("/")
        if name not in kept.setdefault(shelf, {}):
            kept[shelf][name] = lean(full["components"][shelf][name])
            waiting += references(kept[shelf][name])
    return {shelf: dict(sorted(items.items())) for shelf, items in sorted(kept.items())}


def cut_api(full: Any) -> Any:
    """The answers of the served routes."""
    paths: dict[str, Any] = {}
    for method, template in served_routes():
        operation = full["paths"].get(template, {}).get(method.lower())
        if operation is not None:
            paths.setdefault(template, {})[method.lower()] = {"responses": lean(operation["responses"], names=True)}
    return {"openapi": full["openapi"], "paths": dict(sorted(paths.items())), "components": closure(full, paths)}


def cut_hooks(full: Any) -> Any:
    """The bodies of the emitted events."""
    hooks = {name: {"requestBody": lean(full["webhooks"][name]["post"]["requestBody"])} for name in HOOKS}
    return {"openapi": full["openapi"], "webhooks": hooks, "components": closure(full, hooks)}


def pack(name: str, found: Any) -> None:
    """Write one cut; the same input gives the same bytes."""
    DATA.mkdir(parents=True, exist_ok=True)
    raw = json.dumps(found, separators=(",", ":"), sort_keys=True).encode()
    (DATA / name).write_bytes(gzip.compress(raw, mtime=0))


if __name__ == "__main__":
    pack("api.json.gz", cut_api(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    pack("webhooks.json.gz", cut_hooks(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))))
