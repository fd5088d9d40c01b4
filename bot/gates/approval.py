"""approval: enough people of the named teams or users said yes to exactly this head.

Decides from the approvals that were observed (each says whose it is, for which head, and whether that person may). Four eyes: who
started the promotion, or pushed to it, does not count. An approval of an older head has fallen.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.duration import spell
from bot.domain.facts import Answer, Case, Question
from bot.domain.people import Approval
from bot.domain.verdict import Verdict
from bot.gates._base import Gate
from bot.gates._fields import Listed, PositiveDuration, Texts
from bot.gates._words import several, short

Accounts = Annotated[tuple[str | int, ...], Listed()]


class Voters(BaseModel):
    """So many of these."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    count: int = Field(default=1, ge=1, le=50)
    """How many."""
    teams: Texts = ()
    """Members of any of these teams, as `organisation/team`."""
    users: Accounts = ()
    """Any of these accounts, by login or id."""

    def has(self, approval: Approval) -> bool:
        """True when the approval is one of this group's. A group that names nobody takes every approver of the stage."""
        if not self.teams and not self.users:
            return approval.approver
        logins = {user.lower() for user in self.users if isinstance(user, str)}
        teams = {team.lower() for team in self.teams}
        return (
            approval.person.login.lower() in logins
            or approval.person.id in self.users
            or bool(teams & {team.lower() for team in approval.teams})
        )

    def told(self, stage: str) -> str:
        """Who is meant, for sentences."""
        accounts = [f"@{user}" if isinstance(user, str) else f"account {user}" for user in self.users]
        names = [*(f"team {team}" for team in self.teams), *accounts]
        return f"{several(names)}" if names else f"the approvers of {stage}"


class ApprovalGate(Gate):
    """Passes when enough of the named people approved this head."""

    gate: Literal["approval"] = "approval"
    count: int = Field(default=1, ge=1, le=50)
    """How many approvals are needed in total."""
    teams: Texts = ()
    """Members of any of these teams may give them."""
    users: Accounts = ()
    """Any of these accounts may give them, by login or id. With neither teams nor users: the approvers of the stage."""
    each: tuple[Voters, ...] = ()
    """Besides: so many of each of these groups. One person may stand for several groups."""
    codeowners: bool = False
    """Besides: an owner (CODEOWNERS) of every file that the promotion changes."""
    four_eyes: bool = True
    """Whoever started the promotion, or pushed to its branch, does not count."""
    expires: PositiveDuration | None = None
    """An approval counts for this long."""
    sources: tuple[Literal["review", "command", "label", "slack"], ...] = ("review", "command", "label", "slack")
    """Which ways of approving count."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        return (_owners(case),) if self.codeowners and case.base else ()

    def evaluate(self, case: Case) -> Verdict:
        if not case.head:
            return self.pending("There is no pull request to approve yet.", "The bot opens it")
        counted: dict[int, Approval] = {}
        ignored: list[str] = []
        for approval in sorted(case.approvals, key=lambda approval: approval.at):
            why_not = self._why_not(approval, case)
            if why_not:
                ignored.append(f"@{approval.person.login}'s does not count: {why_not}.")
            else:
                counted[approval.person.id] = approval
        given = list(counted.values())
        groups, problem = self._groups(case)
        if groups is None:
            return self.unknown(f"Nobody can say who owns the changed files: {problem}.", "Whoever runs the bot")
        ends = [approval.at + self.expires for approval in given] if self.expires else []
        look_again = min(ends, default=None)
        short_of = [(group, sum(map(group.has, given))) for group in groups]
        lacking = [(group, have) for group, have in short_of if have < group.count]
        if not lacking:
            who = several([f"@{approval.person.login}" for approval in given])
            return self.passed(f"{who} approved {short(case.head)}.", look_again=look_again)
        return self._lacks(lacking, ignored, case, look_again)

    def _lacks(self, lacking: list[tuple[Voters, int]], ignored: list[str], case: Case, look_again: datetime | None) -> Verdict:
        parts = [f"{group.count} of {group.told(case.stage)} (has {have})" for group, have in lacking]
        notes = "".join(f" {note}" for note in dict.fromkeys(ignored[-3:]))
        people = several(list(dict.fromkeys(group.told(case.stage) for group, _ in lacking)))
        return self.pending(
            f"{short(case.head)} needs the approval of {', and of '.join(parts)}.{notes}",
            f"{people[:1].upper()}{people[1:]}, with {self._how(case)}",
            look_again=look_again,
        )

    def _how(self, case: Case) -> str:
        ways = {
            "review": "an approving review",
            "command": f"`/promote approve {case.stage}`",
            "label": "the label promotion:approve",
            "slack": "the button in Slack",
        }
        return " or ".join(ways[source] for source in self.sources if source in ("review", "command")) or ways[self.sources[0]]

    def _why_not(self, approval: Approval, case: Case) -> str:
        """Why this approval does not count, or empty."""
        if approval.head != case.head:
            return f"it was for {short(approval.head)}, and the head is {short(case.head)} now"
        if not approval.may:
            return approval.why_not or f"they may not approve for {case.stage}"
        if approval.source not in self.sources:
            return f"an approval by {approval.source} is not taken here"
        if self.four_eyes and case.starter and approval.person.login.lower() == case.starter.lower():
            return "they started this promotion"
        if self.four_eyes and approval.person.id in {pusher.id for pusher in case.pushers}:
            return "they pushed to this branch"
        if self.expires and approval.at + self.expires <= case.now:
            return f"it is older than {spell(self.expires)}"
        return ""

    def _groups(self, case: Case) -> tuple[list[Voters] | None, str]:
        """Everybody who has to say yes, the owners of the files included; or None and why they are not known."""
        groups = [Voters(count=self.count, teams=self.teams, users=self.users), *self.each]
        if not self.codeowners:
            return groups, ""
        answer = case.answers.get(_owners(case), Answer(at=case.now, problem="they have not been asked for yet"))
        if not isinstance(answer.value, dict):
            return None, answer.problem or "the answer is not a list of owners"
        for path in _paths(case):
            if path not in answer.value:
                return None, f"the answer does not speak of {path}"
            owners = [str(owner).removeprefix("@") for owner in answer.value[path]]
            if owners:
                groups.append(Voters(teams=tuple(o for o in owners if "/" in o), users=tuple(o for o in owners if "/" not in o)))
        return groups, ""


def _paths(case: Case) -> list[str]:
    return sorted({edit.path for move in case.moves for edit in move.edits})


def _owners(case: Case) -> Question:
    params = (("commit", case.base), ("paths", "\n".join(_paths(case))), ("stage", case.stage))
    return Question(source="codeowners", params=params)
