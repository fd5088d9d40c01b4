"""The whole bot with a Slack beside it: a promotion's thread appears, its button approves it, and the thread tells the end."""

import time
from collections.abc import Callable
from pathlib import Path

from bot.app import build
from bot.cli._process import Served
from bot.cli.demo import rules, world
from bot.cli.demo.settings import sandbox_settings
from bot.messages import slack_buttons
from bot.sandbox.slack.workspace import Message
from bot.settings import Settings

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/web:{tag}
"""


def until(done: Callable[[], bool], what: str, *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_a_promotion_is_approved_with_the_button_of_its_thread(tmp_path: Path) -> None:
    for stage, tag in (("dev", "1.1.0"), ("prod", "1.0.0")):
        (tmp_path / stage / "web").mkdir(parents=True)
        (tmp_path / stage / "web" / "deployment.yaml").write_text(DEPLOYMENT.format(tag=tag))
    place = world.build(tmp_path, rollout_seconds=0.5, progress_deadline=20)
    parts = build(rules.write(place, example=False), settings(place))
    served = Served(parts)
    place.github.set_webhook(f"{served.url}/webhooks/github", world.WEBHOOK_SECRET)
    place.slack.people.request_url = f"{served.url}/slack/events"
    served.start()
    try:
        until(lambda: card(place) is not None, "no thread with buttons began")
        found = card(place)
        assert found is not None
        assert place.slack.press(world.DEVELOPER, found, slack_buttons.APPROVE).in_time
        assert place.slack.press(world.APPROVER, found, slack_buttons.APPROVE).in_time
        until(lambda: "healthy" in found.text, f"the thread did not tell the end: {found.text}")
        text = place.github.read_file(place.repository("prod"), "main", "web/deployment.yaml")
        assert text is not None
        assert b"web:1.1.0" in text
        told = [one.text for one in place.slack.messages() if one.ephemeral_for]
        assert any("was not applied" in one or "Approved" in one for one in told)
        roots = [one for one in place.slack.messages(world.CHANNEL) if one.thread_ts in (None, one.ts) and not one.ephemeral_for]
        assert len(roots) == 1
    finally:
        served.stop()
        place.stop()


def card(place: world.World) -> Message | None:
    """The open promotion's message."""
    ids = {"action_id": slack_buttons.APPROVE}
    for message in place.slack.messages(world.CHANNEL):
        for block in message.blocks:
            if any(element.get("action_id") == ids["action_id"] for element in block.get("elements", [])):
                return message
    return None


def settings(place: world.World) -> Settings:
    return sandbox_settings(
        app_key=place.app_key,
        webhook_secret=world.WEBHOOK_SECRET,
        slack_token=place.slack.bot_token,
        slack_secret=place.slack.signing_secret,
        state_dir=place.root / "state",
    )
