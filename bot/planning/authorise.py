"""May this account do this here? The one answer for comments, labels, Slack, the command line and HTTP; what is not allowed is denied.

Decides from the configuration's roles and from what the forge said of the account (`Rights`), never from names that may be taken over
and never from `author_association`. Fetching rights is left to `collectors.rights`, the words of a refusal to `messages.refusals`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.commands.model import Effect, Role, Spec
from bot.config.people import DEFAULTS, Group, RoleName
from bot.config.schema import Config
from bot.domain.people import Person

PERMISSIONS = ("read", "triage", "write", "maintain", "admin")
NAMED: tuple[RoleName, ...] = ("admin", "release", "approver", "operator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the forge says of one account in one stage: its permission on the repository, its teams among those that were asked for,
    whether it owns the stage's folder by CODEOWNERS. `accounts` holds the id behind each configured login, as it was first seen.
    `problem` says why nothing can be said; then nothing is allowed.
    """

    permission: str = "none"
    teams: frozenset[str] = frozenset()
    owner: bool = False
    accounts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


UNKNOWN = Rights(problem="nobody has asked the forge yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the command touches: stages, a pull request, a gate. `mine` is true when it touches the actor's own orders only."""

    stages: tuple[str, ...]
    number: int | None = None
    mine: bool = False
    gate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The answer. Where it is no: the first stage that forbids it, the role that the actor has there (None: none), and the one needed.

    `problem` says that nobody could tell. `source` is where the needed role comes from in the configuration, `who` has it.
    """

    allowed: bool
    stage: str = ""
    has: Role | None = None
    needs: Role | None = None
    source: str = ""
    who: tuple[str, ...] = ()
    problem: str = ""
    stranger: bool = False


def authorize(config: Config, actor: Person, spec: Spec | None, target: Target, rights: Mapping[str, Rights]) -> Permit:
    """Default deny: an unknown verb, a bot that is not listed, a stage without rights, an unknown answer of the forge."""
    if spec is None:
        return Permit(allowed=False, problem="there is no such command")
    if not actor.id or (actor.bot and not listed(config, actor, rights)):
        return Permit(allowed=False, stranger=True)
    if not target.stages:
        return _anywhere(config, actor, rights)
    for stage in target.stages:
        known = rights.get(stage, UNKNOWN)
        if known.problem:
            return Permit(allowed=False, stage=stage, problem=known.problem)
        has = role_in(config, actor, stage, known)
        if has is None:
            return _no(config, stage, None, Role.VIEWER)
        if has.rank >= spec.role.rank or (target.mine and spec.mine) or _by_name(config, actor, spec, target, known, stage):
            continue
        return _no(config, stage, has, spec.role)
    return Permit(allowed=True)


def _anywhere(config: Config, actor: Person, rights: Mapping[str, Rights]) -> Permit:
    """A question about no stage in particular: allowed to who may look at any."""
    for stage, known in rights.items():
        if not known.problem and role_in(config, actor, stage, known) is not None:
            return Permit(allowed=True)
    problem = next((known.problem for known in rights.values() if known.problem), "")
    return Permit(allowed=False, needs=Role.VIEWER, problem=problem)


def _no(config: Config, stage: str, has: Role | None, needs: Role) -> Permit:
    if needs is Role.VIEWER:
        return Permit(allowed=False, stage=stage, has=has, needs=needs, who=(f"everybody who can read {config.stage(stage).repository}",))
    source, group = source_of(config, needs, stage)
    return Permit(allowed=False, stage=stage, has=has, needs=needs, source=source, who=group.names())


def listed(config: Config, actor: Person, rights: Mapping[str, Rights]) -> bool:
    """Is this bot account one whose orders count? By id; a login counts as the id that it first stood for."""
    accounts = {login: number for known in rights.values() for login, number in known.accounts.items()}
    return _named(actor, config.people.bots, accounts)


def role_in(config: Config, actor: Person, stage: str, rights: Rights) -> Role | None:
    """The highest role that the account fills in a stage; None when it may not even look."""
    if rights.problem:
        return None
    readable = rights.permission in PERMISSIONS
    if not readable and not actor.bot:
        return None
    for name in NAMED:
        if fills(config.people.group(name, stage), actor, rights):
            return Role(name)
    return Role.VIEWER


def fills(group: Group, actor: Person, rights: Rights) -> bool:
    """Does the account belong to the group? A bot only where its id is named."""
    if _named(actor, group.users, rights.accounts):
        return True
    if actor.bot:
        return False
    if group.permission and rights.permission in PERMISSIONS and _at_least(rights.permission, group.permission):
        return True
    teams = {team.lower() for team in rights.teams}
    return bool(teams & {team.lower() for team in group.teams}) or (group.codeowners and rights.owner)


def _at_least(permission: str, wanted: str) -> bool:
    return PERMISSIONS.index(permission) >= PERMISSIONS.index(wanted)


def _named(actor: Person, users: tuple[str | int, ...], accounts: Mapping[str, int]) -> bool:
    """By id; by login only while that login still stands for the account that it stood for when it was first looked up."""
    for user in users:
        if isinstance(user, int):
            if user == actor.id:
                return True
        elif user.lower() == actor.login.lower() and accounts.get(user.lower()) == actor.id:
            return True
    return False


def taken_over(actor: Person, users: tuple[str | int, ...], accounts: Mapping[str, int]) -> bool:
    """A configured login that now belongs to another account than before."""
    return any(
        isinstance(user, str) and user.lower() == actor.login.lower() and accounts.get(user.lower(), actor.id) != actor.id for user in users
    )


def _by_name(config: Config, actor: Person, spec: Spec, target: Target, rights: Rights, stage: str) -> bool:
    """Whom a gate itself names: its approvers may approve, its own team may override it."""
    for gate in config.stage(stage).gates:
        if spec.verb == "approve" and gate.gate == "approval":
            groups = [_group(part) for part in (gate, *getattr(gate, "each", ()))]
        elif spec.verb == "override" and gate.gate != "approval" and gate.label == target.gate:
            groups = [Group(teams=getattr(gate, "teams", ()))]
        else:
            continue
        if any(fills(group, actor, rights) for group in groups):
            return True
    return False


def _group(voters: object) -> Group:
    return Group(users=getattr(voters, "users", ()), teams=getattr(voters, "teams", ()))


def source_of(config: Config, role: Role, stage: str) -> tuple[str, Group]:
    """Where a role of a stage comes from (the configuration's key, empty for the default), and who fills it."""
    name: RoleName = next(named for named in NAMED if named == role.value)
    for key, roles in ((f"people.stages.{stage}.{name}", config.people.stages.get(stage)), (f"people.roles.{name}", config.people.roles)):
        group = getattr(roles, name, None)
        if group is not None:
            return key, group
    return "", DEFAULTS[name]


def target_of(effect: Effect, number: int | None) -> Target:
    """What an effect touches."""
    return Target(stages=effect.stages, number=number, mine=effect.mine, gate=effect.gate)


def teams_asked(config: Config, stage: str) -> tuple[str, ...]:
    """The teams whose membership decides something in a stage: those of its roles and of its gates."""
    wanted: set[str] = set()
    for name in NAMED:
        wanted |= set(config.people.group(name, stage).teams)
    for gate in config.stage(stage).gates:
        for part in (gate, *getattr(gate, "each", ())):
            wanted |= set(getattr(part, "teams", ()))
    return tuple(sorted(wanted))


def logins_named(config: Config) -> tuple[str, ...]:
    """All logins that give somebody a right, in lower case: each is tied to its account's id."""
    found: set[str] = {user.lower() for user in config.people.bots if isinstance(user, str)}
    for stage in config.pipeline.stages:
        for name in NAMED:
            found |= {user.lower() for user in config.people.group(name, stage.name).users if isinstance(user, str)}
        for gate in stage.gates:
            for part in (gate, *getattr(gate, "each", ())):
                found |= {user.lower() for user in getattr(part, "users", ()) if isinstance(user, str)}
    return tuple(sorted(found))
