"""`promotion-bot sandbox`: the sandbox without a bot: a GitHub with an environment repository per stage, clusters, a Slack.

Prints where everything stands, so that git, curl, kubectl, PyGithub, or a bot started by hand can be pointed at it.
Secrets are written to files that only their owner can read, never printed.
"""

import json
import shlex
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from bot.cli.demo.world import World

HOOK = "http://127.0.0.1:8080/webhooks/github"
ROLLOUT_SECONDS, DEADLINE_SECONDS = 3.0, 20.0


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def sandbox(
        source: Annotated[Path | None, typer.Option("--from", help="Seed from this folder: one folder per stage.")] = None,
        webhook_url: Annotated[str, typer.Option("--webhook-url", help="Where GitHub's webhooks go.")] = HOOK,
        slack_url: Annotated[str, typer.Option("--slack-url", help="Where Slack's commands and buttons go.")] = "",
        rollout: Annotated[float, typer.Option("--rollout", min=0.1, help="About how many seconds a rollout takes.")] = ROLLOUT_SECONDS,
        seconds: Annotated[float | None, typer.Option("--for", min=0, help="End by itself after so many seconds.")] = None,
        output: Annotated[Literal["text", "json"], typer.Option("--output", "-o")] = "text",
    ) -> None:
        """Start the sandbox alone and print its addresses; it runs until Ctrl-C and leaves nothing behind."""
        from bot.cli.demo.show import example_tree
        from bot.cli.demo.world import WEBHOOK_SECRET, build

        over = threading.Event()
        _end_on_signals(over)
        directory = (source or example_tree()).resolve()
        world = build(directory, rollout_seconds=rollout, progress_deadline=max(DEADLINE_SECONDS, 4 * rollout))
        try:
            world.github.set_webhook(webhook_url or None, WEBHOOK_SECRET)
            world.slack.people.request_url = slack_url
            told = addresses(world, directory)
            print(json.dumps(told, indent=2) if output == "json" else as_text(told), flush=True)
            over.wait(seconds)
        finally:
            world.stop()


def _end_on_signals(over: threading.Event) -> None:
    def end(_: int, __: FrameType | None) -> None:
        over.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)


def addresses(world: "World", directory: Path) -> dict[str, Any]:
    """Where everything stands. Writes the secrets and the bot's configuration beside the rest of the sandbox."""
    from bot.cli.demo import rules
    from bot.cli.demo.world import DEVELOPER, WEBHOOK_SECRET

    rules.write(world, example=rules.read_example(directory))
    token = _secret(world.root / "github.token", world.github.create_token(DEVELOPER))
    variables = {
        "PROMOTION_BOT_GITHUB_APP_PRIVATE_KEY_FILE": _secret(world.root / "github-app.pem", world.app_key),
        "PROMOTION_BOT_GITHUB_WEBHOOK_SECRETS_FILE": _secret(world.root / "webhook.secret", WEBHOOK_SECRET),
        "PROMOTION_BOT_SLACK_BOT_TOKEN_FILE": _secret(world.root / "slack.token", world.slack.bot_token),
        "PROMOTION_BOT_SLACK_SIGNING_SECRET_FILE": _secret(world.root / "slack.secret", world.slack.signing_secret),
        "PROMOTION_BOT_STATE_DIR": world.root / "state",
    }
    lines = "".join(f"export {name}={shlex.quote(str(path))}\n" for name, path in variables.items())
    environment = world.root / "bot.env"
    environment.write_text(lines, encoding="utf-8")
    return {
        "github": {
            "url": world.github.url,
            "api_url": world.github.api_url,
            "graphql_url": world.github.graphql_url,
            "token_file": str(token),
        },
        "slack": {"url": world.slack.url, "api_url": world.slack.api_url, "token_file": str(world.root / "slack.token")},
        "bot": {"config": str(world.root / "promotion-bot.yaml"), "environment": str(environment)},
        "stages": {stage: _stage(world, stage) for stage in world.stages},
    }


def _stage(world: "World", stage: str) -> dict[str, Any]:
    cluster, name = world.clusters[stage], world.repository(stage)
    admin = cluster.kubeconfig(world.root / f"{stage}.admin.kubeconfig", "admin")
    return {
        "repository": name,
        "url": f"{world.github.url}/{name}",
        "clone_url": world.github.clone_url(name),
        "cluster_url": cluster.url,
        "ca_file": str(cluster.ca_file or ""),
        "token_file": str(_secret(world.root / f"{stage}.token", cluster.token("admin"))),
        "kubeconfig": str(world.kubeconfig(stage)),
        "admin_kubeconfig": str(admin),
        "problems": cluster.problems(),
    }


def _secret(path: Path, value: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(value, encoding="utf-8")
    return path


def as_text(told: dict[str, Any]) -> str:
    """The addresses as lines that can be pasted into a shell."""
    github, slack, bot = told["github"], told["slack"], told["bot"]
    first = next(iter(told["stages"].values()))
    token = f'"$(cat {shlex.quote(github["token_file"])})"'
    clone = first["clone_url"].replace("://", f"://x-access-token:{token}@", 1)
    bearer = f'-H "Authorization: Bearer $(cat {shlex.quote(github["token_file"])})"'
    lines = ["The sandbox runs. Ctrl-C ends it and removes everything.", "", f"GitHub   {github['url']}/"]
    lines += [f"  {stage:<8} {about['url']}" for stage, about in told["stages"].items()]
    lines += [
        f"  git      git clone {clone}",
        f"  curl     curl {bearer} {github['api_url']}/repos/{first['repository']}",
        f'  PyGithub Github(base_url="{github["api_url"]}", auth=Auth.Token(open("{github["token_file"]}").read()))',
        "",
        "Clusters",
    ]
    for stage, about in told["stages"].items():
        lines.append(f"  {stage:<8} kubectl --kubeconfig {shlex.quote(about['kubeconfig'])} get deployments,pods -A")
        lines += [f"           not taken from the repository: {problem}" for problem in about["problems"]]
    body = shlex.quote(json.dumps({"repository": "ghcr.io/acme/payments", "version": "1.9.0", "how": "crash"}))
    header = f'-H "Authorization: Bearer $(cat {shlex.quote(first["token_file"])})"'
    lines += [
        f"  curl     curl --cacert {shlex.quote(first['ca_file'])} {header} {first['cluster_url']}/apis/apps/v1/deployments",
        f"  break    curl --cacert {shlex.quote(first['ca_file'])} {header} {first['cluster_url']}/_sandbox/behave -d {body}",
        "           (how: ok, crash, pull, hang, bad_later:SECONDS)",
        "",
        f"Slack    {slack['url']}/",
        f'  client   WebClient(base_url="{slack["api_url"]}", token=open("{slack["token_file"]}").read())',
        "",
        "A bot for it, in another terminal",
        f"  . {shlex.quote(bot['environment'])}",
        f"  promotion-bot plan --config {shlex.quote(bot['config'])}",
        f"  promotion-bot serve --config {shlex.quote(bot['config'])}",
    ]
    return "\n".join(lines)
