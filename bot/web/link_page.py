"""Ties a Slack account to a GitHub account with a proof of both: a link in Slack, GitHub's sign-in, and a word that goes back to Slack.

    /promote link ──> page ──(button)──> GitHub ──> page with a word ──> /promote link WORD

Decides the steps. Each happens once, within ten minutes, in one browser (a cookie), and only the Slack user who began it can end it. So a
stolen link ties nobody: it shows the thief a word that he cannot type as somebody else, and a victim who is lured to it must give the word.
"""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from html import escape
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.adapters.github.oauth import OAuthClient
from bot.adapters.store.ties import LASTS, StoredTies
from bot.domain.errors import TransientError, UserError
from bot.ports import History

log = structlog.get_logger("link")

PATH = "/link/slack"
BACK = f"{PATH}/back"
COOKIE = "promotion_bot_link"
HEADERS = {"content-security-policy": "default-src 'none'; form-action 'self' https: http://127.0.0.1:*; frame-ancestors 'none'"}
OVER = "This link is used up, too old, or not meant for this browser. Type /promote link in Slack for a new one. Nothing was tied."


class Linking:
    """Makes the words of both ends. `external` is the bot's own address as browsers reach it."""

    def __init__(self, ties: StoredTies, history: History, *, external: str, clock: Callable[[], datetime]) -> None:
        self._ties = ties
        self._history = history
        self._external = external.rstrip("/")
        self._clock = clock

    def begin(self, team: str, user: str) -> str:
        """What Slack shows to the one who asked."""
        link = secrets.token_urlsafe(24)
        self._ties.begin(team, user, link=link, now=self._clock())
        return (
            f"[Sign in with GitHub]({self._external}{PATH}/{link}) within {int(LASTS.total_seconds() // 60)} minutes, in your own browser. "
            "The page then shows a word; type it here as `/promote link WORD`. Give neither the link nor the word to anybody."
        )

    def confirm(self, team: str, user: str, word: str) -> str:
        """What Slack shows when the word was typed."""
        now = self._clock()
        person = self._ties.confirm(team, user, word=word.strip().upper(), now=now)
        if person is None:
            log.info("link.wrong_word", team=team, user=user)
            return "Nothing was tied: this is not the word that the page showed you, or it is too old. `/promote link` begins anew."
        details = {"team": team, "user": user, "account": str(person.id)}
        self._history.audit(actor=person.login, action="tie slack account", subject=user, why="/promote link", now=now, details=details)
        return f"Done: your Slack account now counts as the GitHub account `{person.login}` ({person.id})."


def router(ties: StoredTies, client: OAuthClient, *, external: str, clock: Callable[[], datetime]) -> APIRouter:
    """The three pages."""
    routes = APIRouter(tags=["link"])
    back = f"{external.rstrip('/')}{BACK}"
    secure = urlsplit(external).scheme == "https"

    @routes.get(BACK)
    async def come_back(request: Request, code: str = "", state: str = "") -> Response:
        """GitHub sends the browser here."""
        cookie = request.cookies.get(COOKIE, "")
        if not state or not hmac.compare_digest(cookie.encode(), state.encode()):
            return _page(400, OVER)
        word = "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(8))
        try:
            told = await run_in_threadpool(_prove, ties, client, code, state, word, back, clock)
        except UserError as error:
            return _page(400, f"{error.what} {error.fix}".strip())
        except TransientError as error:
            return _page(503, f"{error.what}. Type /promote link again in a moment.")
        answer = _page(200, told, word=word) if told else _page(400, OVER)
        answer.delete_cookie(COOKIE, path=PATH)
        return answer

    @routes.get(PATH + "/{link}")
    def look(link: str) -> Response:
        """Opening the link does nothing yet: programs that look at links in messages cannot use it up."""
        if not ties.known(link, now=clock()):
            return _page(400, OVER)
        return _page(200, "Go on only if you have just typed /promote link in Slack yourself.", go=True)

    @routes.post(PATH + "/{link}")
    def go(link: str) -> Response:
        """Binds the link to this browser and sends it to GitHub."""
        state = secrets.token_urlsafe(24)
        if not ties.open(link, state=state, now=clock()):
            return _page(400, OVER)
        answer = RedirectResponse(client.address(state=state, back=back), status_code=303, headers=HEADERS)
        seconds = int(LASTS.total_seconds())
        answer.set_cookie(COOKIE, state, max_age=seconds, path=PATH, httponly=True, samesite="lax", secure=secure)
        return answer

    return routes


def _prove(ties: StoredTies, client: OAuthClient, code: str, state: str, word: str, back: str, clock: Callable[[], datetime]) -> str:
    """A sentence for the page; empty when there is nothing to prove any more."""
    if not ties.waiting(state, now=clock()):
        return ""
    person = client.person(code, back=back)
    if person.bot or not ties.prove(state, person, word=word, now=clock()):
        return ""
    return f"You are {person.login} on GitHub. Type this in Slack, and show it to nobody:"


def _page(status: int, text: str, *, word: str = "", go: bool = False) -> HTMLResponse:
    shown = f"<p><code>/promote link {escape(word)}</code></p>" if word else ""
    button = '<form method="post"><button>Sign in with GitHub</button></form>' if go else ""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>promotion-bot</title></head><body><main><h1>Slack and GitHub</h1>"
        f"<p>{escape(text)}</p>{shown}{button}</main></body></html>"
    )
    return HTMLResponse(body, status_code=status, headers=HEADERS)
