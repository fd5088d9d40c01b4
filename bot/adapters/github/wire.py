"""One request to GitHub through PyGithub's requester, and its answer as plain data or as one of our errors.

Decides: one `Github` object per thread (its connection is not thread-safe), repeats of GET only (PyGithub's own retry sends POST and PUT
twice after a 502), a refused token renewed once, pauses and budget kept, every call counted. It leaves to others what is asked.
Nothing but `UserError` and `TransientError` leaves this file.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
import urllib3
from github import Github, GithubException
from github.Auth import Auth
from github.Requester import Requester
from urllib3.util.retry import Retry

from bot.adapters.github.auth import BearerAuth, Credentials
from bot.adapters.github.budget import Budget
from bot.adapters.github.errors import answer_error, graphql_error
from bot.adapters.github.ledger import GRAPHQL, REST, Ledger
from bot.adapters.github.reply import Ask, Reply
from bot.adapters.redact import redact
from bot.domain.errors import BotError, OutcomeUnknown, RateLimited, TransientError, UserError
from bot.tracing import span

CORE = "core"
USER_AGENT = "promotion-bot"
MOST_PAGES = 100

_NEXT = re.compile(r"<([^>]+)>;\s*rel=\"next\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong with one field of a GraphQL answer. `gone`: GitHub does not know the object (any more)."""

    path: tuple[str, ...]
    error: BotError
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A GraphQL answer: `data` may be partly null, and `problems` says why."""

    data: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()

    def whole(self) -> Mapping[str, Any]:
        """The data, if nothing failed; else the first error."""
        for problem in self.problems:
            raise problem.error
        return self.data

    def of(self, field: str) -> Problem | None:
        """What went wrong with a field of the document's first level."""
        return next((problem for problem in self.problems if problem.path[:1] == (field,)), None)


class Wire:
    """Sends requests. `clock` is the time of day (UTC), to measure GitHub's rate-limit reset by; `heard` is given the headers of each
    answer."""

    def __init__(
        self,
        base_url: str,
        *,
        ledger: Ledger,
        budget: Budget,
        clock: Callable[[], datetime],
        timeout: timedelta = timedelta(seconds=20),
        heard: Callable[[Mapping[str, str]], None] = lambda _headers: None,
    ) -> None:
        self._heard = heard
        self._base_url = base_url.rstrip("/")
        self._ledger = ledger
        self._budget = budget
        self._clock = clock
        self._timeout = timeout
        self._threads = threading.local()
        self._credentials: Credentials | None = None

    def login(self, credentials: Credentials) -> None:
        """From now on requests are made with these credentials."""
        self._credentials = credentials

    def rest(self, verb: str, path: str, ask: Ask, *, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """One REST call; the answer's JSON (None for 204 and 304)."""
        reply = self._ready(verb, path, ask, body=body, headers=headers, resource=CORE)
        if reply.status in (204, 304):
            return None
        if reply.status >= 300 or not reply.readable:
            raise self._failed(reply, ask)
        return reply.body

    def graphql(self, document: str, variables: Mapping[str, object], ask: Ask) -> Graph:
        """One GraphQL document. Errors of single fields are handed back; those of the whole request, and rate limits, are raised."""
        body = {"query": document, "variables": variables}
        reply = self._ready("POST", GRAPHQL, ask, body=body, headers=None, resource=GRAPHQL)
        if reply.status >= 300 or not reply.readable or not isinstance(reply.body, Mapping):
            raise self._failed(reply, ask)
        problems = tuple(self._problems(reply, ask))
        data = reply.body.get("data")
        if not isinstance(data, Mapping) or any(isinstance(problem.error, RateLimited) for problem in problems):
            for problem in problems:
                raise problem.error
            raise self._failed(Reply(status=reply.status, headers=reply.headers, readable=False), ask)
        return Graph(data=data, problems=problems)

    def _problems(self, reply: Reply, ask: Ask) -> Iterator[Problem]:
        told = reply.body.get("errors") if isinstance(reply.body, Mapping) else None
        for entry in told if isinstance(told, list) else ():
            if isinstance(entry, Mapping):
                error = graphql_error(entry, ask, reply, now=self._clock())
                if isinstance(error, RateLimited):
                    self._pause(error, reply, GRAPHQL)
                path = entry.get("path")
                steps = tuple(str(step) for step in path) if isinstance(path, list) else ()
                yield Problem(path=steps, error=error, gone=entry.get("type") == "NOT_FOUND")

    def as_app(self, auth: Auth, verb: str, path: str, ask: Ask) -> Mapping[str, Any]:
        """One REST call as the App itself (its JWT); a list comes back under "items", the address of its next page under "next"."""
        self._budget.check(CORE)
        github = self._github(auth)
        try:
            self._ledger.add(REST, ask.where)
            reply = self._send(github.requester, verb, path, ask, body=None, headers=None)
        finally:
            github.close()
        if reply.status >= 300 or not reply.readable:
            raise self._failed(reply, ask)
        if isinstance(reply.body, Mapping):
            return reply.body
        found = _NEXT.search(reply.headers.get("link", ""))
        following = found.group(1) if found else ""
        if following and not following.startswith(f"{self._base_url}/"):
            raise TransientError(f"{ask.where}: the next page is said to lie on another server than {self._base_url}; it was not followed")
        return {"items": reply.body or [], "next": following}

    def _ready(self, verb: str, path: str, ask: Ask, *, body: object, headers: Mapping[str, str] | None, resource: str) -> Reply:
        """Within the pauses and the budget; a refused token is renewed once (a 401 means that nothing happened)."""
        self._budget.check(resource)
        if ask.write:
            self._budget.spend(ask.priority, ask.weight)
        requester, auth = self._requester()
        url = requester.graphql_url if path == GRAPHQL else path
        reply = Reply(status=0)
        for _ in range(2):
            self._ledger.add(resource if resource == GRAPHQL else REST, ask.where)
            with span("github", doing=ask.doing, where=ask.where, method=verb) as current:
                reply = self._send(requester, verb, url, ask, body=body, headers=headers)
                current.set_attribute("http.response.status_code", reply.status)
            self._note(reply, resource)
            if reply.status != 401 or self._credentials is None or not self._credentials.is_app:
                break
            self._credentials.discard(auth.used)
        return reply

    def _requester(self) -> tuple[Requester, BearerAuth]:
        if getattr(self._threads, "owner", None) is not self._credentials:
            if self._credentials is None:
                raise UserError("There are no credentials for GitHub.", fix="Give a GitHub App or a token.", code="GitHubAuth")
            auth = BearerAuth(self._credentials)
            self._threads.github, self._threads.auth = self._github(auth), auth
            self._threads.owner = self._credentials
        return self._threads.github.requester, self._threads.auth

    def _github(self, auth: Auth) -> Github:
        repeat = Retry(
            total=3,
            connect=1,
            allowed_methods={"GET", "HEAD"},
            status_forcelist={500, 502, 503, 504},
            backoff_factor=0.2,
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        return Github(
            auth=auth,
            base_url=self._base_url,
            timeout=int(self._timeout.total_seconds()),
            user_agent=USER_AGENT,
            per_page=100,
            retry=repeat,
            lazy=True,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def _send(self, requester: Requester, verb: str, url: str, ask: Ask, *, body: object, headers: Mapping[str, str] | None) -> Reply:
        try:
            status, answered, text = requester.requestJson(verb, url, headers=dict(headers or {}), input=body)
        except BotError:
            raise
        except GithubException as error:
            raise self._failed(Reply(status=error.status, headers=error.headers or {}, body=error.data), ask) from error
        except RuntimeError as error:  # PyGithub refuses a redirect to another host
            if type(error) is not RuntimeError:
                raise
            raise UserError(
                f"GitHub redirects us elsewhere when we want to {ask.doing}.",
                where=ask.where,
                fix="Check the API's address in the settings, and the repository's name.",
                code="Redirected",
            ) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise network_error(error, ask) from error
        except ValueError as error:  # what the requests library makes of an address or an encoding that is none
            raise _lost("GitHub's answer could not be decoded", ask) from error
        self._heard(answered)
        return Reply(status=status, headers=answered, **_parsed(text, status))

    def _failed(self, reply: Reply, ask: Ask) -> BotError:
        error = answer_error(reply, ask, now=self._clock())
        if isinstance(error, RateLimited):
            self._pause(error, reply, reply.headers.get("x-ratelimit-resource", CORE))
        return error

    def _pause(self, error: RateLimited, reply: Reply, resource: str) -> None:
        """A primary limit stops its own resource, a secondary one everything."""
        if error.retry_after is not None:
            spent = reply.headers.get("x-ratelimit-remaining") == "0" and "secondary" not in error.what
            if not spent and "retry-after" not in reply.headers:
                error.retry_after = self._budget.back_off(error.retry_after)
            self._budget.pause(error.retry_after, *([resource] if spent else []))

    def _note(self, reply: Reply, resource: str) -> None:
        left = reply.headers.get("x-ratelimit-remaining", "")
        if left.isdigit():
            self._budget.note(reply.headers.get("x-ratelimit-resource", resource), int(left))


def network_error(error: Exception, ask: Ask) -> BotError:
    """No answer came. When the connection never stood nothing was sent; else a write may have happened."""
    if isinstance(error, requests.exceptions.SSLError):
        return UserError(
            "The certificate of the GitHub server is not trusted.",
            where=ask.where,
            fix="Put the certificate of your authority into the file that REQUESTS_CA_BUNDLE names.",
            code="Certificate",
        )
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError) or _never_connected(error):
        return TransientError(f"GitHub cannot be reached to {ask.doing}.")
    return _lost(f"the connection to GitHub broke when we wanted to {ask.doing} ({type(error).__name__})", ask)


def _never_connected(error: Exception) -> bool:
    for argument in getattr(error, "args", ()):
        reason = getattr(argument, "reason", argument)
        if isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
            return True
    return False


def _lost(what: str, ask: Ask) -> BotError:
    what = redact(what[:1].upper() + what[1:])
    return OutcomeUnknown(f"{what}; whether it happened is not known.") if ask.write else TransientError(f"{what}.")


def _parsed(text: str, status: int) -> dict[str, Any]:
    if not text:
        return {"body": None, "readable": status in (202, 204, 304) or status >= 300}
    try:
        return {"body": json.loads(text)}
    except (ValueError, RecursionError):
        return {"body": None, "readable": False}
