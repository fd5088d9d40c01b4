"""A bot at work in a process of its own, on the sandbox in another: for what must be measured while promotions run.

The sandbox holds GitHub, clusters and Slack. New versions are committed to dev by GitHub's contents API, as a build would.
"""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

BOT = [sys.executable, "-c", "from bot.cli.main import main; main()"]
STARTS_SECONDS = 60.0
TAG = re.compile(r"(?m)^(\s*(?:-\s)?(?:image: \S+:|tag: \"?|newTag: \"?))(\d+)\.(\d+)((?:\.\d+)?)")


@dataclass(slots=True, kw_only=True)
class Beside:
    """`url` is the bot's; `laid_out` what the sandbox says of itself."""

    url: str
    laid_out: dict[str, Any]
    environment: dict[str, str]

    def slash(self, text: str, *, user: str, team: str) -> tuple[int, float]:
        """One `/promote` command: the status of its acknowledgement, and the seconds until then."""
        secret = Path(self.environment["PROMOTION_BOT_SLACK_SIGNING_SECRET_FILE"]).read_text().strip()
        form = {
            "team_id": team,
            "user_id": user,
            "command": "/promote",
            "text": text,
            "channel_id": "C1",
            "trigger_id": f"{time.time_ns()}",
        }
        body = urlencode(form | {"response_url": f"{self.laid_out['slack']['url']}/nowhere"})
        now = str(int(time.time()))
        signed = SignatureVerifier(secret).generate_signature(timestamp=now, body=body) or ""
        headers = {"x-slack-request-timestamp": now, "x-slack-signature": signed, "content-type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        answer = httpx.post(f"{self.url}/slack/events", content=body, headers=headers, timeout=10, verify=False)  # noqa: S501 - no TLS
        return answer.status_code, time.perf_counter() - began

    def team(self) -> str:
        """The workspace."""
        token = Path(self.laid_out["slack"]["token_file"]).read_text().strip()
        answer = httpx.post(f"{self.laid_out['slack']['api_url']}auth.test", headers={"authorization": f"Bearer {token}"})
        return str(answer.json()["team_id"])

    def people(self) -> list[str]:
        """Slack's ids of those whom the bot knows."""
        return list(json.loads(Path(self.laid_out["bot"]["config"]).read_text())["notifications"]["slack"]["people"])

    def pulls(self) -> int:
        """How many promotions were opened."""
        with self._github() as github:
            found = [github.get(f"/repos/{stage['repository']}/pulls?state=all&per_page=100") for stage in self.laid_out["stages"].values()]
            return sum(len(answer.json()) for answer in found)

    def release(self, path: str) -> None:
        """The next version of what this file in dev names."""
        with self._github() as github:
            place = f"/repos/{self.laid_out['stages']['dev']['repository']}/contents/{path}"
            present = github.get(place).raise_for_status().json()
            text = base64.b64decode(present["content"]).decode()
            newer, count = TAG.subn(lambda found: f"{found[1]}{found[2]}.{int(found[3]) + 1}{found[4]}", text)
            if not count:
                raise SystemExit(f"{path} names no version")
            content = base64.b64encode(newer.encode()).decode()
            change = {"message": f"release {path}", "content": content, "sha": present["sha"], "branch": "main"}
            github.put(place, json=change).raise_for_status()

    def _github(self) -> httpx.Client:
        token = Path(self.laid_out["github"]["token_file"]).read_text().strip()
        headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
        return httpx.Client(base_url=self.laid_out["github"]["api_url"], headers=headers, timeout=30)


@contextmanager
def beside(*, seconds: int) -> Iterator[Beside]:
    """Both processes until the end of the block, `seconds` at most; the bot has begun to answer."""
    port = _free_port()
    hook = f"http://127.0.0.1:{port}/webhooks/github"
    with subprocess.Popen(
        [*BOT, "sandbox", "--for", str(seconds), "--rollout", "2", "--webhook-url", hook, "--output", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as sandbox:
        try:
            laid_out = _first_object(sandbox)
            lines = Path(laid_out["bot"]["environment"]).read_text().splitlines()
            environment = dict(line.removeprefix("export ").split("=", 1) for line in lines if line)
            own = {"PROMOTION_BOT_LISTEN_PORT": str(port), "PROMOTION_BOT_LOG_LEVEL": "error"}
            serve = [*BOT, "serve", "--config", laid_out["bot"]["config"]]
            with subprocess.Popen(serve, env=os.environ | environment | own) as bot:
                try:
                    found = Beside(url=f"http://127.0.0.1:{port}", laid_out=laid_out, environment=environment)
                    _answers(found.url, bot)
                    yield found
                finally:
                    bot.terminate()
        finally:
            sandbox.terminate()


def _first_object(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    text = ""
    while line := process.stdout.readline():
        text += line
        if line.rstrip() == "}":
            found: dict[str, Any] = json.loads(text)
            return found
    raise SystemExit("the sandbox did not start")


def _answers(url: str, bot: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_SECONDS
    while time.monotonic() < deadline and bot.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit("the bot did not start")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
