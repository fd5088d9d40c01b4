"""Which account of the forge a chat's user is: by the administrator's map, else by a tie that the user proved himself.

Decides from ids alone; names and e-mail addresses of the chat are never looked at. A login of the map counts for the account that it stood
for when it was first looked up; an account that is gone is nobody.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.errors import UserError
from bot.domain.people import Person
from bot.ports import EffectJournal

LASTS = timedelta(seconds=60)


class Accounts(Protocol):
    """What of the forge is asked."""

    def account(self, login: str) -> int | None: ...
    def login_of(self, account: int) -> str | None: ...


class Ties(Protocol):
    """The ties that users made."""

    def account_of(self, team: str, user: str) -> int | None: ...


class Linking(Protocol):
    """Makes ties; absent where no OAuth client is configured."""

    def begin(self, team: str, user: str) -> str: ...
    def confirm(self, team: str, user: str, word: str) -> str: ...


class ChatIdentities:
    """Safe for several threads. `people` is the administrator's map, for the home workspace and those that are listed beside it."""

    def __init__(
        self,
        people: Mapping[str, str | int],
        forge: Accounts,
        journal: EffectJournal,
        ties: Ties,
        *,
        clock: Callable[[], datetime],
        linking: Linking | None = None,
    ) -> None:
        self._people = people
        self._forge = forge
        self._journal = journal
        self._ties = ties
        self._clock = clock
        self._linking = linking
        self._lock = threading.Lock()
        self._logins: dict[int, tuple[datetime, str]] = {}

    @property
    def linking(self) -> bool:
        """Can users tie their accounts by themselves?"""
        return self._linking is not None

    def person(self, team: str, user: str) -> Person | None:
        """The account, under its present login; None when nobody knows."""
        mapped = self._people.get(user)
        account = self._pinned(mapped) if isinstance(mapped, str) else mapped
        if mapped is None:
            account = self._ties.account_of(team, user)
        if account is None:
            return None
        login = self._login(account)
        if login is None:
            raise UserError(f"the GitHub account {account} that this Slack account is tied to does not exist any more")
        return Person(id=account, login=login)

    def link(self, team: str, user: str, word: str) -> str:
        """The answer to `link`: an address to open, or with a word that stood there, the tie."""
        if user in self._people:
            return "An administrator has written down which GitHub account is yours (`notifications.slack.people`); nothing has to be tied."
        if self._linking is None:
            return (
                "Ties cannot be made here: the bot has no OAuth client (`PROMOTION_BOT_GITHUB_CLIENT_ID` and its secret) or no external "
                "address. An administrator can write yours down under `notifications.slack.people`."
            )
        return self._linking.confirm(team, user, word) if word else self._linking.begin(team, user)

    def _pinned(self, login: str) -> int:
        """The id behind a login of the map, as it was first seen."""
        key = f"account:{login.lower()}"
        state, stored = self._journal.begin(key, "account", now=self._clock())
        if state == "done":
            return int(str(stored))
        found = self._forge.account(login)
        if found is None:
            self._journal.forget(key)
            raise UserError(f"there is no GitHub account {login!r}, which `notifications.slack.people` names")
        self._journal.done(key, found, now=self._clock())
        return found

    def _login(self, account: int) -> str | None:
        now = self._clock()
        with self._lock:
            kept = self._logins.get(account)
        if kept is not None and now < kept[0]:
            return kept[1]
        login = self._forge.login_of(account)
        if login is not None:
            with self._lock:
                self._logins[account] = (now + LASTS, login)
        return login
