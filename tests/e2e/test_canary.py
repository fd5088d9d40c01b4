"""A whole story with secrets that are known here: afterwards none of them stands in any log, database, clone, message or metric.

The story includes a failed rollout and its revert, at the most talkative log level. The child processes' environments are looked
at while it runs.
"""

from dataclasses import replace
from pathlib import Path

import httpx
import psutil

from tests.faults.matrix import both, by_name, play
from tests.faults.scenarios import prepare
from tests.faults.world import HOOK_SECRET, World, new_world


def secrets_of(world: World) -> dict[str, bytes]:
    """What must be found nowhere, by name."""
    key = world.bot.environment["PROMOTION_BOT_GITHUB_APP_PRIVATE_KEY"]
    found = {"webhook secret": HOOK_SECRET, "Slack token": world.slack.bot_token, "private key": key.splitlines()[2]}
    for number, token in enumerate(world.github.world.tokens):
        found[f"token {number}"] = token
    for stage, cluster in world.clusters.items():
        found[f"cluster token of {stage}"] = cluster.token()
    return {name: secret.encode() for name, secret in found.items()}


def written(world: World) -> dict[str, bytes]:
    """All that the bot wrote down or said, by place; what the test itself laid out (kubeconfigs, the sandbox) is not its writing."""
    root = world.root
    files = [root / "bot.log", *root.glob("bot.db*"), *(path for path in (root / "state").rglob("*") if path.is_file())]
    found = {str(path.relative_to(root)): path.read_bytes() for path in files}
    found["metrics"] = httpx.get(f"http://127.0.0.1:{world.bot.port}/metrics").content
    found["chat"] = repr(world.slack.messages()).encode()
    for stage in world.clusters:
        for pull in world.github.pulls(world.repository(stage)):
            found[f"pull request {pull.number} of {stage}"] = repr((pull.title, pull.body, pull.comments)).encode()
        log = world.github.log(world.repository(stage))
        found[f"commits of {stage}"] = "\n".join(commit.message for commit in log).encode()
    return found


def test_no_secret_is_written_or_said() -> None:
    scenario = by_name("fail")
    world = new_world(scenario.stages)
    children: set[bytes] = set()

    def look(_world: World) -> None:
        if world.bot.process is not None:
            bot = psutil.Process(world.bot.process.pid)
            children.update(environment_of(child.pid, parent=bot.pid) for child in bot.children(recursive=True))

    try:
        prepare(world, scenario)
        world.bot.start()
        assert play(world, replace(scenario, people=both(scenario.people, look))) == ""
        secrets, places = secrets_of(world), written(world)
        assert len(secrets) >= 7
        assert all(places[name] for name in ("bot.log", "chat", "metrics"))
        shown = {(name, place) for name, secret in secrets.items() for place, content in places.items() if secret in content}
        assert shown == set()
        assert any(children), "git was seen at work"
        keys = {name: secrets[name] for name in ("webhook secret", "Slack token", "private key")}
        assert {name for name, secret in keys.items() if any(secret in one for one in children)} == set()
    finally:
        world.close()


def environment_of(process: int, *, parent: int) -> bytes:
    """Empty for a process that is gone, or that has not become another program yet and so shows its parent's own."""
    try:
        begun = Path(f"/proc/{process}/cmdline").read_bytes() != Path(f"/proc/{parent}/cmdline").read_bytes()
        return Path(f"/proc/{process}/environ").read_bytes() if begun else b""
    except OSError:
        return b""
