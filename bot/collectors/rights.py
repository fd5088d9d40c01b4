"""What the forge says somebody may do in a stage: permission, teams, ownership. Kept for a minute; an error means: nobody can tell.

Decides what is asked and for how long an answer counts. What a right allows is decided by `planning.authorise`.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.config.schema import Config
from bot.domain.codeowners import PLACES, owners, parse
from bot.domain.errors import BotError, TransientError, UserError
from bot.domain.people import Person
from bot.planning.authorise import Rights, logins_named, teams_asked
from bot.ports import EffectJournal, Repositories

LASTS = timedelta(seconds=60)
MOST_KEPT = 5_000


class People(Protocol):
    """What of the forge is asked."""

    def permission(self, repository: str, login: str) -> str: ...
    def teams_of(self, person_login: str, teams: Sequence[str]) -> frozenset[str]: ...
    def account(self, login: str) -> int | None: ...


class Accounts:
    """The id behind each login of the configuration, as it was when the login was first looked up, for ever after.

    A login that is renamed and taken over by another account gives that account nothing.
    """

    def __init__(self, config: Config, people: People, journal: EffectJournal, clock: Callable[[], datetime]) -> None:
        self._logins = logins_named(config)
        self._people = people
        self._journal = journal
        self._clock = clock
        self._known: dict[str, int] = {}

    def learn(self) -> None:
        """Look up those that are not known yet. Raises what the forge raises; those learnt until then stay."""
        for login in self._logins:
            if login in self._known:
                continue
            key = f"account:{login}"
            state, stored = self._journal.begin(key, "account", now=self._clock())
            if state == "done":
                self._known[login] = int(str(stored))
                continue
            found = self._people.account(login)
            if found is None:
                self._journal.forget(key)
                continue
            self._journal.done(key, found, now=self._clock())
            self._known[login] = found

    def ids(self) -> dict[str, int]:
        """Login in lower case -> id, as far as they are known."""
        return dict(self._known)


class RightsBook:
    """Answers for accounts and stages. Safe for several threads."""

    def __init__(
        self, config: Config, people: People, accounts: Accounts, repositories: Repositories, clock: Callable[[], datetime]
    ) -> None:
        self._config = config
        self._people = people
        self._accounts = accounts
        self._repositories = repositories
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, str, str], tuple[datetime, Rights]] = {}

    def of(self, actor: Person, stages: Sequence[str]) -> dict[str, Rights]:
        """The account's rights in each of these stages. Never raises for what the forge or git cannot say."""
        return {stage: self._one(actor, stage) for stage in stages}

    def _one(self, actor: Person, stage: str) -> Rights:
        key = (actor.id, actor.login, stage)
        now = self._clock()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now < kept[0]:
            return kept[1]
        found = self._ask(actor, stage)
        if not found.problem:
            with self._lock:
                self._kept[key] = (now + LASTS, found)
                if len(self._kept) > MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)))
        return found

    def _ask(self, actor: Person, stage: str) -> Rights:
        try:
            self._accounts.learn()
            if actor.bot:
                return Rights(accounts=self._accounts.ids())
            permission = self._people.permission(self._config.stage(stage).repository, actor.login)
            if permission == "none":
                return Rights(accounts=self._accounts.ids())
            teams = self._people.teams_of(actor.login, teams_asked(self._config, stage))
            owner = self._owns(actor, stage)
        except (TransientError, UserError) as error:
            return Rights(problem=error.what)
        return Rights(permission=permission, teams=teams, owner=owner, accounts=self._accounts.ids())

    def _owns(self, actor: Person, stage: str) -> bool:
        """Is the account an owner of the stage's folder? By the file on the stage's own branch, never by that of a pull request."""
        people = self._config.people
        if not any(people.group(role, stage).codeowners for role in ("operator", "approver", "release", "admin")):
            return False
        names = [name.removeprefix("@") for name in folder_owners(self._config, self._repositories, stage) if name.startswith("@")]
        if actor.login.lower() in {name.lower() for name in names if "/" not in name}:
            return True
        teams = [name for name in names if "/" in name]
        return bool(teams) and bool(self._people.teams_of(actor.login, teams))


def folder_owners(config: Config, repositories: Repositories, stage_name: str) -> tuple[str, ...]:
    """The owners of a stage's folder as CODEOWNERS writes them. Raises `UserError` where the file cannot be read."""
    stage = config.stage(stage_name)
    try:
        commit = repositories.heads(stage.repository).get(stage.branch)
        text = next((found for place in PLACES if commit and (found := repositories.read(stage.repository, commit, place))), b"")
    except BotError as error:
        raise UserError(f"CODEOWNERS of {stage.repository} cannot be read: {error}") from error
    inside = f"{stage.folder}/any-file" if stage.folder else "any-file"
    return owners(parse(text.decode("utf-8", "replace")), inside)
