"""What an account may do: its role on a repository and its teams, asked of GitHub and remembered for a short while.

`author_association` is never looked at: it says who somebody is, not what he may do.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from bot.adapters.github.errors import NOT_FOUND, UNKNOWN_ACCOUNT
from bot.adapters.github.reading import understood
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import Wire
from bot.domain.errors import UserError

YES_LASTS = timedelta(seconds=60)
NO_LASTS = timedelta(seconds=30)
ROLES = ("admin", "maintain", "write", "triage", "read", "none")
MAY_WRITE = ROLES[:3]
NONE = "none"


class People:
    """Answers are kept a minute where they allow something, half a minute where they do not.

    `visible` says of which repositories we have proof that GitHub shows them to us: a 404 there speaks of the account.
    """

    def __init__(self, wire: Wire, clock: Callable[[], datetime], *, visible: Callable[[str], bool]) -> None:
        self._wire = wire
        self._visible = visible
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[datetime, str]] = {}

    def permission(self, repository: str, login: str) -> str:
        """admin, maintain, write, triage, read or none. A custom role counts as the one it is based on."""
        ask = Ask(doing=f"read the role of {login}", where=repository, needs="metadata: read")

        def look() -> str:
            try:
                answer = self._wire.rest("GET", f"/repos/{repository}/collaborators/{quote(login, safe='')}/permission", ask)
            except UserError as error:
                if error.code == UNKNOWN_ACCOUNT or (error.code == NOT_FOUND and self._visible(repository)):
                    return NONE
                raise
            with understood(f"the role of {login}"):
                role = str(answer.get("role_name") or answer["permission"])
                return role if role in ROLES else str(answer["permission"])

        return self._remembered((repository, login), look, allows=lambda role: role in MAY_WRITE)

    def teams_of(self, login: str, teams: Sequence[str]) -> frozenset[str]:
        """Which of these teams ("org/slug") the account is an active member of."""
        return frozenset(team for team in dict.fromkeys(teams) if self._member(login, team))

    def may_push(self, repository: str) -> bool:
        """May the token's own account write to the repository? One REST call."""
        ask = Ask(doing="read the repository", where=repository, needs="metadata: read")
        answer = self._wire.rest("GET", f"/repos/{repository}", ask)
        with understood("the repository"):
            return bool((answer.get("permissions") or {}).get("push"))

    def account(self, login: str) -> int | None:
        """The id behind a login now; None when there is no such account."""
        ask = Ask(doing=f"read the account {login}", where=login, needs="metadata: read")
        try:
            answer = self._wire.rest("GET", f"/users/{quote(login, safe='')}", ask)
        except UserError as error:
            if error.code in (NOT_FOUND, UNKNOWN_ACCOUNT):
                return None
            raise
        with understood(f"the account {login}"):
            return int(answer["id"])

    def login_of(self, account: int) -> str | None:
        """The login that an account has now; None when there is no such account."""
        ask = Ask(doing=f"read the account {account}", where=str(account), needs="metadata: read")
        try:
            answer = self._wire.rest("GET", f"/user/{account}", ask)
        except UserError as error:
            if error.code in (NOT_FOUND, UNKNOWN_ACCOUNT):
                return None
            raise
        with understood(f"the account {account}"):
            return str(answer["login"]) if int(answer["id"]) == account else None

    def via_app(self, repository: str, comment: int) -> str:
        """The slug of the App that wrote a comment with its author's token; empty where the author wrote it himself."""
        ask = Ask(doing="read a comment", where=repository, needs="issues: read")
        answer = self._wire.rest("GET", f"/repos/{repository}/issues/comments/{comment}", ask)
        with understood("a comment"):
            app = answer["performed_via_github_app"]
            return "" if app is None else str(app["slug"])

    def _member(self, login: str, team: str) -> bool:
        org, _, slug = team.partition("/")
        if not org or not slug:
            raise UserError(f"'{team}' is not a team.", fix="Write it as organisation/team.", code="TeamName")
        ask = Ask(doing=f"read whether {login} is in the team", where=team, needs="members: read")
        path = f"/orgs/{quote(org, safe='')}/teams/{quote(slug, safe='')}/memberships/{quote(login, safe='')}"

        def look() -> str:
            try:
                answer = self._wire.rest("GET", path, ask)
            except UserError as error:
                if error.code in (NOT_FOUND, UNKNOWN_ACCOUNT):
                    return "no"
                raise
            with understood(f"the team {team}"):
                return str(answer["state"])

        return self._remembered((team, login), look, allows=lambda state: state == "active") == "active"

    def _remembered(self, key: tuple[str, str], look: Callable[[], str], *, allows: Callable[[str], bool]) -> str:
        now = self._clock()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now < kept[0]:
            return kept[1]
        answer = look()
        with self._lock:
            self._kept[key] = (now + (YES_LASTS if allows(answer) else NO_LASTS), answer)
            if len(self._kept) > 10_000:
                self._kept.pop(next(iter(self._kept)))
        return answer
