"""A stage on the sandbox forge with an open promotion, people of every rank, and the desk that takes their commands."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.adapters.store.effects import EffectJournal
from bot.collectors.approvals import Voter, approvals
from bot.collectors.rights import Accounts, RightsBook
from bot.config.schema import Config
from bot.domain.facts import Facts
from bot.domain.promotion import Promotion
from bot.domain.pull import PullRequest
from bot.domain.release import Release
from bot.planning.standing import Plan, Report, Standing
from bot.reconcile.apply import apply
from bot.reconcile.listening import Heard, Listener
from bot.reconcile.orders import Desk
from bot.reconcile.questions import Questions
from tests.contract.reconcile.stage_world import Hub, StageWorld
from tests.support import builders

RANKS = {"ana": "admin", "mia": "maintain", "wes": "write", "rea": "read"}


class DeskWorld(StageWorld):
    """dev -> qa, where qa is the stage of `StageWorld` and payments 1.1.0 is being promoted into it."""

    def __init__(self, root: Path, hub: Hub, **settings: Any) -> None:
        super().__init__(root, hub)
        for login, role in RANKS.items():
            if login not in hub.sandbox.world.accounts:
                hub.sandbox.add_user(login)
            hub.sandbox.add_collaborator(self.repo, login, role)
        people = settings.pop("people", {})
        self.config: Config = builders.config(dev={"repository": "acme/env-dev"}, qa={"repository": self.repo, **settings}, people=people)
        self.woken: list[str] = []
        self.desk = self.new_desk()
        self.listener = Listener(self.desk)
        apply(self.tools(), self.opening())
        self.hub.ledger.reset()

    def new_desk(self) -> Desk:
        self.rights = RightsBook(
            self.config,
            self.forge,
            Accounts(self.config, self.forge, EffectJournal(self.database), self.clock),
            self.repositories,
            self.clock,
        )
        return Desk(
            self.config,
            history=self.history,
            repositories=self.repositories,
            rights=self.rights,
            questions=Questions(self.config, plan=self.plan, pulse=lambda: {"version": "0"}),
            clock=self.clock,
            wake=lambda stage, reason: self.woken.append(stage),
        )

    def plan(self, stage: str) -> Plan:
        one = self.open_promotion()
        report = Report(
            service="payments",
            stage=stage,
            standing=Standing.OPEN,
            sentence="It waits for @mia.",
            number=one.number,
            old="1.0.0",
            new="1.1.0",
        )
        return Plan(stage=stage, actions=(), reports=(report,))

    def open_promotion(self) -> Promotion:
        return next(one for one in self.history.promotions("qa") if one.state.in_flight)

    @property
    def number(self) -> int:
        number = self.open_promotion().number
        assert number is not None
        return number

    def say(self, login: str, body: str, **more: Any) -> int:
        return int(self.hub.comment(self.repo, self.number, login, body, **more).id)

    def read(self) -> PullRequest:
        """The pull request as the observer reads and keeps it."""
        [found] = self.forge.pulls(self.repo, base_branch="main", prefix="promote/qa/", numbers=[self.number])
        self.history.save_pull(found)
        kept = self.history.pull(self.repo, found.number)
        assert kept is not None
        return kept

    def facts(self) -> Facts:
        pull = self.read()
        stage = replace(builders.stage("qa"), head=self.repositories.refresh(self.repo)["main"])
        return builders.facts(
            builders.stage("dev", "1.1.0"),
            stage,
            now=self.clock(),
            promotions=tuple(self.history.promotions("qa")),
            pulls={pull.number: pull},
            directives=tuple(self.history.directives("qa")),
        )

    def listen(self) -> Heard:
        return self.listener.listen(self.tools(), self.facts())

    def orders(self) -> list[tuple[str, str]]:
        """What stands now: (order, who)."""
        now = self.clock()
        return [(order.order.value, order.actor.login) for order in self.history.directives("qa") if order.active(now)]

    def approvers(self) -> list[str]:
        pull = self.read()
        found = approvals(pull, self.history.directives("qa"), voter=lambda person: Voter())
        return [one.person.login for one in found]

    def reactions(self, comment: int) -> list[str]:
        from bot.sandbox.github.service.issues import find_comment

        _, found = find_comment(self.hub.world.repository(self.repo), comment)
        return [reaction.content for reaction in found.reactions]

    def replies(self) -> list[str]:
        pull = self.read()
        return [comment.body for comment in pull.comments if comment.ours]

    def stands(self, version: str) -> None:
        """qa is recorded as running this version."""
        health = builders.health(version)
        assert isinstance(health.release, Release)
        self.history.save_health("qa", health, now=self.clock())
