"""The demo's configuration: the same file that an operator would write, for the stages of the sandbox."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.cli.demo.world import APPROVER, CHANNEL, DEVELOPER, OWNER, TEAM, World
from bot.config.load import load
from bot.config.schema import Config

SOAK, BAKE, TIMEOUT = "2s", "1s", "30s"
EXAMPLE_SERVICES: Mapping[str, Any] = {
    "warehouse": {
        "images": {
            "dev": ["registry-dev.acme.example/warehouse"],
            **{stage: ["registry.acme.example/warehouse"] for stage in ("qa", "uat", "prod")},
        }
    }
}
"""The one service of the example tree that cannot be discovered: its registry differs between the stages."""


def write(world: World, *, example: bool) -> Config:
    """Write the configuration into the world's directory, and read it as `serve` would."""
    path = world.root / "promotion-bot.yaml"
    path.write_text(_yaml(_document(world, example=example)))
    return load(path)


def _document(world: World, *, example: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "version": 1,
        "forge": {
            "url": world.github.url,
            "api_url": world.github.api_url,
            "app": {"app_id": world.app_id, "installation_id": world.installation},
            "writes_per_minute": 100_000,
            "writes_per_hour": 100_000,
            "pushes_per_minute": 100_000,
        },
        "pipeline": {"stages": {stage: _stage(world, stage) for stage in world.stages}},
        "notifications": {
            "slack": {
                "channel": CHANNEL,
                "api_url": world.slack.api_url,
                "people": {world.slack.add_user(login): login for login in (DEVELOPER, APPROVER)},
            }
        },
        "timing": {"resync": "15s"},
    }
    if example:
        document["services"] = dict(EXAMPLE_SERVICES)
    return document


def _stage(world: World, stage: str) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "repository": world.repository(stage),
        "cluster": {"kubeconfig": str(world.kubeconfig(stage))},
        "rollout": {"timeout": TIMEOUT, "bake": BAKE, "grace": "0s"},
    }
    place = world.stages.index(stage)
    if place:
        settings["after"] = [world.stages[place - 1]]
        settings["gates"] = [{"gate": "soak", "for": SOAK}, {"gate": "health"}]
        if place == len(world.stages) - 1:
            settings["gates"].append({"gate": "approval", "count": 1, "teams": [f"{OWNER}/{TEAM}"]})
    return settings


def _yaml(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def read_example(directory: Path) -> bool:
    """True for the example tree of this project, whose one configured service the configuration has to name."""
    return (directory / "dev" / "warehouse").is_dir() and (directory / "prod" / "warehouse").is_dir()
