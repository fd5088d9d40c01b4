"""The database: history, the journal of effects, messages that wait."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.action import Notify, Row, SaveDeployment
from bot.domain.directive import Directive
from bot.domain.facts import Health, Quarantine, StageHold
from bot.domain.press import Press
from bot.domain.promotion import Promotion
from bot.domain.pull import PullRequest
from bot.domain.verdict import Verdict

STATE = "bot:state"
"""Under this key a binding says which of the promotion's states the pull request shows."""


class History(Protocol):
    """The database: history, people's orders, and what must survive a restart."""

    def promotions(self, stage: str) -> Sequence[Promotion]:
        """Those in flight, and per name the newest ended ones (at least the last three)."""
        ...

    def save_promotion(self, promotion: Promotion, *, why: str, actor: str, now: datetime) -> Promotion:
        """Insert or update by id, only if the stored row has `promotion.version` (else `Stale`); an audit row in the same transaction.

        The answer carries the new version. Version 0 inserts; where an ended promotion has this id already, that row goes on.
        """
        ...

    def save_promotions(self, changed: Sequence[Promotion], *, why: str, actor: str, now: datetime) -> Sequence[Promotion]:
        """The same for several: all or none."""
        ...

    def save_rows(self, rows: Sequence[Row], *, now: datetime) -> frozenset[str]:
        """All of them or none; the keys of those messages that were not kept before."""
        ...

    def health(self, stage: str) -> Mapping[str, Health]:
        """The last recorded health per service."""
        ...

    def save_health(self, stage: str, health: Health, *, now: datetime) -> None: ...

    def health_changes(self, stage: str, *, since: datetime) -> Sequence[tuple[str, datetime, str, str]]:
        """Every recorded change of state or version, oldest first: service, since when (UTC), state, the release's text."""
        ...

    def verdicts(self, promotion: str) -> Sequence[Verdict]:
        """The last recorded verdicts of a promotion."""
        ...

    def save_verdicts(self, promotion: Promotion, verdicts: Sequence[Verdict], *, now: datetime) -> None: ...

    def directives(self, stage: str) -> Sequence[Directive]:
        """All that touch this stage or every stage, withdrawn ones included for as long as their promotion is in flight."""
        ...

    def add_directive(self, directive: Directive) -> bool:
        """False when one with this key is there already."""
        ...

    def withdraw_directives(self, keys: Iterable[str], *, now: datetime, actor: str, why: str) -> None: ...

    def quarantines(self) -> Sequence[Quarantine]: ...

    def save_quarantine(self, quarantine: Quarantine, *, now: datetime) -> None: ...

    def stage_holds(self, stage: str) -> Sequence[StageHold]: ...

    def save_stage_hold(self, hold: StageHold, *, now: datetime) -> None: ...

    def pull(self, repository: str, number: int) -> PullRequest | None: ...

    def save_pull(self, pull: PullRequest) -> None:
        """The newest reading wins."""
        ...

    def binding(self, promotion: str) -> tuple[datetime, Mapping[str, str]] | None:
        """What stands on a promotion's pull request from us (what `Forge.show` returned), and when it was written last."""
        ...

    def save_binding(self, promotion: str, bound: Mapping[str, str], *, now: datetime) -> None: ...

    def unshown(self, stage: str, *, since: datetime) -> frozenset[str]:
        """The stage's promotions that were merged and ended after `since` (UTC), whose pull request does not show that end yet."""
        ...

    def save_deployment(self, deployment: SaveDeployment) -> None:
        """Once per promotion, service, kind and status."""
        ...

    def want_pulls(self, repository: str, numbers: Iterable[int]) -> None:
        """These pull requests must be read again before the next decision about them."""
        ...

    def stale_pulls(self, repository: str) -> Mapping[int, int]:
        """Which pull requests must be read again, each with a mark to give back to `pulls_read` afterwards."""
        ...

    def pulls_read(self, repository: str, read: Mapping[int, int]) -> None:
        """They were read after these marks were taken; one whose mark has changed since stays."""
        ...

    def presses(self, stage: str) -> Sequence[Press]:
        """Buttons of the stage's check that were pressed and not carried out, oldest first."""
        ...

    def press_done(self, stage: str, key: str) -> None:
        """It was carried out, or answered."""
        ...

    def fetch_wanted(self, repository: str) -> int:
        """A mark when something was pushed since the last fetch, else 0."""
        ...

    def fetched(self, repository: str, mark: int) -> None:
        """It was fetched after this mark was taken."""
        ...

    def audit(self, *, actor: str, action: str, subject: str, why: str, now: datetime, details: Mapping[str, str]) -> None: ...


class EffectJournal(Protocol):
    """What the bot began to do on the outside, and what came of it."""

    def begin(self, key: str, name: str, *, now: datetime) -> tuple[str, object]:
        """("new", None): nobody tried; ("started", None): somebody did, the end is not known; ("done", result). `Fenced` when replaced."""
        ...

    def done(self, key: str, result: object, *, now: datetime) -> None:
        """It happened, with this JSON result."""
        ...

    def forget(self, key: str) -> None:
        """It certainly did not happen."""
        ...

    def known(self, key: str) -> bool:
        """True when it was begun before, whatever came of it."""
        ...


class Outbox(Protocol):
    """Messages to people, kept until the chat took them: a chat that is down holds nothing up."""

    def put(self, message: Notify, *, now: datetime) -> bool:
        """Keep it; False when one with its key was kept before."""
        ...

    def due(self, *, now: datetime, limit: int = 20) -> Sequence[Notify]:
        """Those not sent yet whose next try is due, oldest first."""
        ...

    def claim(self, key: str, *, now: datetime) -> bool:
        """True for one at a time, over all processes: it tries the message now, and nobody else does for half a minute. `Fenced` when
        this process was taken for dead."""
        ...

    def sent(self, key: str, reference: str, *, now: datetime) -> None: ...

    def later(self, key: str, until: datetime) -> None:
        """Not to be sent before this; it counts as new then."""
        ...

    def failed(self, key: str, error: str, *, now: datetime) -> None:
        """Not taken: tried again later, with growing pauses, for a day."""
        ...
