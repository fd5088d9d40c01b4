"""Where stages stand: one repository with a folder per stage, and one repository with a branch per stage.

One bot and both at once; a version travels through each, and one that fails is taken back. (A repository per stage is the demo.)
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app import Parts, build
from bot.cli._process import Served
from bot.cli.demo.settings import sandbox_settings
from bot.config.load import load
from bot.domain.promotion import PromotionState
from bot.logs import configure
from bot.sandbox.cluster import ClusterSandbox, Source
from bot.sandbox.github import GitHubSandbox
from tests.support.model_world import manifest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("layouts")]

OLD, NEW, SECRET = "1.0.0", "1.1.0", "a-secret-of-the-test"
FOLDERS, BRANCHES = "acme/folders", "acme/branches"
CHAINS = {FOLDERS: ("f-dev", "f-qa", "f-prod"), BRANCHES: ("b-dev", "b-qa", "b-prod")}


def files(stage: str, folder: str = "") -> dict[str, str]:
    version = NEW if stage.endswith("dev") else OLD
    return {f"{folder}{service}.yaml": manifest(service, version) for service in ("good", "bad")}


@dataclass(slots=True)
class Place:
    """The forge, and the bot that runs over it."""

    github: GitHubSandbox
    parts: Parts

    def declares(self, stage: str, service: str) -> str:
        repository, branch, folder = where(stage)
        content = self.github.read_file(repository, branch, f"{folder}/{service}.yaml".lstrip("/"))
        return next(version for version in (OLD, NEW) if content == manifest(service, version).encode())

    def states(self) -> dict[str, dict[str, PromotionState]]:
        chains = [stage for chain in CHAINS.values() for stage in chain]
        return {stage: {one.name: one.state for one in self.parts.history.promotions(stage)} for stage in chains}


def where(stage: str) -> tuple[str, str, str]:
    """(repository, branch, folder) of a stage."""
    return (FOLDERS, "main", f"stages/{stage}") if stage.startswith("f-") else (BRANCHES, f"env/{stage}", "")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    configure(form="console", level="CRITICAL")
    root = Path(tempfile.mkdtemp(prefix="layouts-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        github = GitHubSandbox(root / "github", webhook_secret=SECRET)
        github.start()
        stack.callback(github.stop)
        github.add_user("ana")
        seed = {path: text for stage in CHAINS[FOLDERS] for path, text in files(stage, f"stages/{stage}/").items()}
        github.create_repo(FOLDERS, seed, auto_delete_head=True)
        github.create_repo(BRANCHES, {"README.md": "one branch per stage\n"}, auto_delete_head=True)
        for stage in CHAINS[BRANCHES]:
            github.push(BRANCHES, f"env/{stage}", {**files(stage)}, message=stage, author="ana")
        app_id, key, installation = github.create_app("promotion-bot", owner="acme")
        stages = {}
        for chain in CHAINS.values():
            for number, stage in enumerate(chain):
                repository, branch, folder = where(stage)
                source = Source(url=str(root / "github" / f"{repository}.git"), branch=branch, folder=folder)
                cluster = ClusterSandbox(stage, source=source, rollout_seconds=0.6, progress_deadline=4.0, poll_seconds=0.5)
                cluster.start()
                stack.callback(cluster.stop)
                cluster.kubeconfig(root / f"{stage}.kubeconfig")
                if stage.endswith("-qa"):
                    cluster.behave("ghcr.io/acme/bad", NEW, "crash")
                stages[stage] = {
                    "repository": repository,
                    "branch": branch,
                    "folder": folder,
                    "after": [chain[number - 1]] if number else [],
                    "cluster": {"kubeconfig": str(root / f"{stage}.kubeconfig")},
                    "rollout": {"timeout": "240s", "bake": "1s", "grace": "0s"},
                }
        file = root / "promotion-bot.yaml"
        forge = {"url": github.url, "api_url": github.api_url, "app": {"app_id": app_id, "installation_id": installation}}
        forge |= {"pushes_per_minute": 1_000}  # one repository holds all stages of all chains
        file.write_text(json.dumps({"version": 1, "forge": forge, "pipeline": {"stages": stages}, "timing": {"resync": "5s"}}))
        parts = build(load(file), sandbox_settings(app_key=key, webhook_secret=SECRET, slack_token="", state_dir=root / "state"))
        served = Served(parts)
        stack.callback(served.stop)
        github.set_webhook(f"{served.url}/webhooks/github", SECRET)
        served.start()
        yield Place(github, parts)


@pytest.mark.parametrize("repository", CHAINS)
def test_versions_travel_and_what_fails_is_taken_back(place: Place, repository: str) -> None:
    _, second, last = CHAINS[repository]
    wanted = {
        second: {"good": PromotionState.HEALTHY, "bad": PromotionState.REVERTED},
        last: {"good": PromotionState.HEALTHY},
    }
    ends = time.monotonic() + 150
    while {stage: place.states()[stage] for stage in wanted} != wanted and time.monotonic() < ends:
        time.sleep(0.2)
    assert {stage: place.states()[stage] for stage in wanted} == wanted
    for stage in (second, last):
        assert (place.declares(stage, "good"), place.declares(stage, "bad")) == (NEW, OLD)
    pulls = place.github.pulls(repository)
    assert sorted(pull.head_ref for pull in pulls) == sorted([f"promote/{second}/good", f"promote/{second}/bad", f"promote/{last}/good"])
    assert {pull.base_ref for pull in pulls} == {where(second)[1], where(last)[1]}
