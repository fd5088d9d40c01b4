"""The demo's world: four (or more) environment repositories, a cluster for each, a chat, and the people in it. No bot yet.

Decides what there is; what happens in it is told by `story`. Everything listens on loopback and lives in one directory
that is removed at the end.
"""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.errors import UserError
from bot.sandbox.cluster import ClusterSandbox, Source
from bot.sandbox.github import GitHubSandbox
from bot.sandbox.slack import SlackSandbox

OWNER = "acme"
KNOWN_ORDER = ("dev", "development", "test", "int", "qa", "stage", "staging", "uat", "preprod", "prod", "production")
DEVELOPER, APPROVER, TEAM = "ana", "bo", "release-managers"
CHANNEL = "deployments"
WEBHOOK_SECRET = "a-secret-of-the-sandbox-alone"  # noqa: S105  guards nothing but loopback


@dataclass(slots=True)
class World:
    """The running sandbox. `root` holds everything on disk; `stages` are in the order in which versions travel."""

    root: Path
    stages: tuple[str, ...]
    github: GitHubSandbox
    slack: SlackSandbox
    clusters: dict[str, ClusterSandbox] = field(default_factory=dict)
    app_id: int = 0
    app_key: str = ""
    installation: int = 0

    def repository(self, stage: str) -> str:
        return f"{OWNER}/env-{stage}"

    def kubeconfig(self, stage: str) -> Path:
        return self.root / f"{stage}.kubeconfig"

    def stop(self) -> None:
        for cluster in self.clusters.values():
            cluster.stop()
        self.slack.stop()
        self.github.stop()
        shutil.rmtree(self.root, ignore_errors=True)


def stages_of(directory: Path) -> tuple[str, ...]:
    """The stage folders of a directory: in the usual order where their names are usual, else by name."""
    if not directory.is_dir():
        raise UserError(
            f"{directory} is not a folder.",
            why="the demo's repositories are made from the folders in it",
            fix="name a folder that holds one folder per stage",
        )
    found = sorted(entry.name for entry in directory.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if len(found) < 2:
        raise UserError(
            f"{directory} holds {len(found)} stage folders.",
            why="versions travel from one to the next, so that two are the least",
            fix="one folder per stage, such as dev and prod",
        )
    usual = {name: place for place, name in enumerate(KNOWN_ORDER)}
    return tuple(sorted(found, key=lambda name: (usual.get(name.lower(), len(usual)), name)))


def build(directory: Path, *, rollout_seconds: float, progress_deadline: float) -> World:
    """Start the world, seeded from one folder per stage."""
    stages = stages_of(directory)
    root = Path(tempfile.mkdtemp(prefix="promotion-bot-demo-"))
    github = GitHubSandbox(root / "github", webhook_secret=WEBHOOK_SECRET)
    world = World(root=root, stages=stages, github=github, slack=SlackSandbox())
    github.start()
    world.slack.start()
    world.slack.add_channel(CHANNEL)
    github.add_user(DEVELOPER, name="Ana Developer")
    github.add_user(APPROVER, name="Bo Release")
    for stage in stages:
        repository = world.repository(stage)
        github.create_repo(repository, directory / stage, auto_delete_head=True)
        for login in (DEVELOPER, APPROVER):
            github.add_collaborator(repository, login, "maintain")
    github.add_team(OWNER, TEAM, [APPROVER])
    world.app_id, world.app_key, world.installation = github.create_app("promotion-bot", owner=OWNER)
    for stage in stages:
        bare = root / "github" / f"{world.repository(stage)}.git"
        cluster = ClusterSandbox(
            stage,
            source=Source(url=str(bare)),
            rollout_seconds=rollout_seconds,
            progress_deadline=progress_deadline,
            poll_seconds=0.5,
        )
        cluster.start()
        cluster.kubeconfig(world.kubeconfig(stage))
        world.clusters[stage] = cluster
    return world
