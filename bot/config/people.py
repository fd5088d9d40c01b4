"""Who may do what: roles, filled with accounts and teams of the forge, for all stages or for one.

Decides which accounts and teams fill a role in a stage. Whether a person is an active member of a team, and what a command needs,
is left to `commands` and the forge.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.config._model import SETTINGS, Account, Channel, TeamSlug
from bot.gates._fields import Listed

Prefix = Annotated[str, Field(pattern=r"^[/@][A-Za-z][A-Za-z0-9-]{0,38}$")]
RoleName = Literal["operator", "approver", "release", "admin"]
Permission = Literal["write", "maintain", "admin"]


class Group(BaseModel):
    """Accounts and teams that fill a role."""

    model_config = SETTINGS

    users: Annotated[tuple[Account, ...], Listed()] = ()
    """Accounts, by login or, safer, by their numeric id (a login may be renamed and taken over)."""
    teams: Annotated[tuple[TeamSlug, ...], Listed()] = ()
    """Teams of the forge, as `organisation/team`."""
    permission: Permission | None = None
    """Also everybody who has at least this permission on the stage's repository."""
    codeowners: bool = False
    """Also the owners of the stage's folder, by the CODEOWNERS file on the stage's branch."""

    @property
    def empty(self) -> bool:
        """True when nobody is named."""
        return not (self.users or self.teams or self.permission or self.codeowners)

    def names(self) -> tuple[str, ...]:
        """For refusals: who is meant, as people write it."""
        everybody = (f"everybody with {self.permission} on the repository",) if self.permission else ()
        owners = ("the owners (CODEOWNERS) of the stage's folder",) if self.codeowners else ()
        return (*(f"team {team}" for team in self.teams), *(f"@{user}" for user in self.users), *everybody, *owners)


class Roles(BaseModel):
    """Who fills each role. A role that is not given here is filled by the level above (the stage asks the whole)."""

    model_config = SETTINGS

    operator: Group | None = None
    """Retry, hold, start a promotion. Without it: everybody with write on the stage's repository."""
    approver: Group | None = None
    """Approve, revert, skip a stage for a hotfix. Without it: everybody with maintain on the stage's repository."""
    release: Group | None = None
    """Freeze, pin, veto. Without it: everybody with admin on the stage's repository."""
    admin: Group | None = None
    """Override gates, enable and disable. Without it: everybody with admin on the stage's repository."""


DEFAULTS: Mapping[RoleName, Group] = {
    "operator": Group(permission="write"),
    "approver": Group(permission="maintain"),
    "release": Group(permission="admin"),
    "admin": Group(permission="admin"),
}


class People(BaseModel):
    """Roles for all stages and per stage, and the bots whose orders count."""

    model_config = SETTINGS

    roles: Roles = Roles()
    """For all stages."""
    stages: Mapping[str, Roles] = {}
    """Per stage; a role given here replaces the one for all stages."""
    bots: Annotated[tuple[Account, ...], Listed()] = ()
    """Bot accounts whose commands count as if a person gave them. All others are ignored."""

    prefixes: Annotated[tuple[Prefix, ...], Listed()] = ()
    """What a command on a pull request may begin with beside `/promote` and the App's own name (`@promotion-bot approve`)."""
    bare_aliases: bool = False
    """Take `/approve` for `/promote approve`, and so on. Only where no other bot (Prow, for one) listens to such lines."""

    def group(self, role: RoleName, stage: str) -> Group:
        """Who fills this role in this stage: the stage's own word, else the one for all, else the forge's permission."""
        for roles in (self.stages.get(stage), self.roles):
            found: Group | None = getattr(roles, role, None)
            if found is not None:
                return found
        return DEFAULTS[role]


class Team(BaseModel):
    """A team of your own: who gets told about its services, and where."""

    model_config = SETTINGS

    slack: Channel | None = None
    """The Slack channel (name or id) that hears of the team's services."""
    github: TeamSlug | None = None
    """The forge's team, as `organisation/team`."""
    members: Annotated[tuple[Account, ...], Listed()] = ()
    """Accounts, for mentions."""
