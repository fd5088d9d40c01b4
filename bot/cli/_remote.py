"""Talks to a running bot: where it is, with whose token, and what its answers mean for the exit code.

Decides no verb; the line is sent as it was typed, after the same parser has read it here, so that a mistyped one costs no request.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx

from bot.cli._answers import plain
from bot.cli._refusal import BLOCKED, CONFLICT, FAILED, NOT_FOUND, TIMED_OUT, UNAUTHORISED, USAGE, refuse

URL, TOKENS = "PROMO_URL", ("PROMO_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")
DEFAULT = "http://127.0.0.1:8080"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SECONDS = 60.0
FIXES = {
    FAILED: "give it again in a moment; the bot's log says more",
    USAGE: "see `promotion-bot help VERB`, or `promotion-bot commands`",
    BLOCKED: "see `promotion-bot why SERVICE STAGE` for what holds it, and who can change that",
    UNAUTHORISED: "ask somebody who has that role; `promotion-bot whoami` shows yours and where it comes from",
    NOT_FOUND: "see `promotion-bot get promotions`, `get services` or `get stages` for what the bot knows",
    CONFLICT: "look again (`promotion-bot status`), then decide anew",
}
"""What to do about a refusal, by its exit code."""
_NOT_APPLIED = re.compile(r"`([^`]+)` was not applied: (.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A running bot. `as_json`: errors are told as JSON."""

    url: str
    token: str
    as_json: bool = False

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One POST; the JSON object of the answer, whatever its status."""
        return self._ask("POST", path, json=body)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """One GET; leaves with the right exit code when it is refused."""
        answer = self._ask("GET", path, params={key: value for key, value in query.items() if value})
        if answer.get("outcome") == "refused":
            self.fail(answer)
        return answer

    def fail(self, answer: dict[str, Any]) -> NoReturn:
        """Tell a refusal and leave."""
        told = str(answer.get("told", "")) or "it did not say why"
        code = int(answer.get("exit_code", FAILED)) or FAILED
        match = _NOT_APPLIED.fullmatch(told)
        error, why = (f"{match[1]} was not applied", match[2]) if match is not None else ("the bot refused", told)
        refuse(error, why=plain(why), fix=FIXES.get(code, FIXES[FAILED]), code=code, as_json=self.as_json)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            return self.ask(method, path, **more)
        except Unanswered as error:
            refuse(error.what, why=error.why, fix=error.fix, code=error.code, as_json=self.as_json)

    def ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The JSON object of the answer. Raises `Unanswered` where there is none."""
        try:
            reply = httpx.request(
                method, f"{self.url}/api/v1{path}", headers={"authorization": f"Bearer {self.token}"}, timeout=SECONDS, **more
            )
            answer = reply.json()
        except httpx.TimeoutException:
            raise Unanswered(f"{self.url} did not answer in time", why=f"{SECONDS:g} s", fix="try again", code=TIMED_OUT) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            fix = f"start it with `promotion-bot serve`, or name it with --url or {URL}"
            raise Unanswered(f"no bot answers at {self.url}", why=str(error) or type(error).__name__, fix=fix, code=FAILED) from error
        except ValueError:
            why = f"it answered {reply.status_code} without JSON"
            raise Unanswered(f"{self.url} is no bot", why=why, fix="check --url", code=USAGE) from None
        if not isinstance(answer, dict):
            raise Unanswered(f"{self.url} is no bot", why="its answer is no JSON object", fix="check --url", code=USAGE)
        return answer


class Unanswered(Exception):
    """The bot gave no answer that can be read: in the words of a refusal."""

    def __init__(self, what: str, *, why: str, fix: str, code: int) -> None:
        super().__init__(what)
        self.what, self.why, self.fix, self.code = what, why, fix, code


def connect(url: str | None, *, as_json: bool = False) -> Remote:
    """The bot that is meant, with the caller's GitHub token. A token never goes over plain HTTP to another machine."""
    address = (url or os.environ.get(URL) or DEFAULT).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        refuse(f"{address!r} is no address", why="it needs http:// or https:// and a host", fix="--url https://…", as_json=as_json)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        refuse(
            "your token would go over the network in plain text",
            why=f"{address} is neither https nor this machine",
            fix="use https://",
            code=USAGE,
            as_json=as_json,
        )
    return Remote(url=address, token=_token(as_json=as_json), as_json=as_json)


def _token(*, as_json: bool) -> str:
    for name in TOKENS:
        if os.environ.get(name):
            return os.environ[name].strip()
    program = shutil.which("gh")
    printed = _printed(program) if program is not None else ""
    if not printed:
        refuse(
            "nobody knows who you are",
            why=f"none of {', '.join(TOKENS)} is set, and `gh auth token` gives none",
            fix=f"log in with `gh auth login`, or set {TOKENS[0]} to a GitHub token; `promotion-bot --help` tells what needs no bot",
            code=UNAUTHORISED,
            as_json=as_json,
        )
    return printed


def _printed(program: str) -> str:
    done = subprocess.run([program, "auth", "token"], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
