"""Who calls, and whether they may: tokens, App JWTs, repository roles and App permissions.

Answers as GitHub does: 401 for nobody, 404 for what one may not even see, 403 with the missing permission for the rest.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta

import jwt

from bot.sandbox.github.accounts import ROLES, Account, App, Installation, Token
from bot.sandbox.github.errors import ApiError, not_found
from bot.sandbox.github.state import Repository
from bot.sandbox.github.world import World, covers

RANK = {"": -1, "none": -1} | {role: position for position, role in enumerate(ROLES)}
EXPIRED = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
LEVEL = {"none": 0, "read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who stands behind a request: an account (through a token), or an App as itself (through a JWT)."""

    account: Account
    token: Token | None = None
    app: App | None = None

    @property
    def installation(self) -> Installation | None:
        """The installation whose token this is."""
        return self.token.installation if self.token else None

    @property
    def through_app(self) -> App | None:
        """The App that acts, if one does."""
        return self.installation.app if self.installation else None

    def bucket(self) -> str:
        """Whose rate limit is used."""
        if self.installation is not None:
            return f"installation {self.installation.id}"
        return f"app {self.app.id}" if self.app else f"user {self.account.id}"


def identify(world: World, authorization: str | None) -> Caller | None:
    """The caller of an `Authorization` header; None without one; ApiError 401 for one that is not good."""
    if not authorization:
        return None
    scheme, _, value = authorization.partition(" ")
    value = value.strip()
    match scheme.lower():
        case "basic":
            try:
                user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, ValueError):
                raise ApiError(401, "Bad credentials") from None
            value = password if password not in ("", "x-oauth-basic") else user
        case "bearer" | "token":
            if value.count(".") == 2:
                return _app_caller(world, value)
        case _:
            raise ApiError(401, "Bad credentials")
    token = world.tokens.get(value)
    if token is None or token.revoked or (token.expires_at is not None and token.expires_at <= world.wall()):
        raise ApiError(401, "Bad credentials")
    if token.installation is not None and token.installation.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended")
    return Caller(account=token.account, token=token)


def _app_caller(world: World, encoded: str) -> Caller:
    try:
        issuer = str(jwt.decode(encoded, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        raise ApiError(401, "A JSON web token could not be decoded") from None
    app = next((found for found in world.apps.values() if issuer in (str(found.id), found.client_id)), None)
    if app is None:
        raise ApiError(401, "Integration not found")
    try:
        claims = jwt.decode(encoded, app.public_key, algorithms=["RS256"], options={"require": ["exp", "iat"], "verify_iss": False})
    except jwt.ExpiredSignatureError:
        raise ApiError(401, EXPIRED) from None
    except jwt.ImmatureSignatureError:
        raise ApiError(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued") from None
    except jwt.PyJWTError:
        raise ApiError(401, "A JSON web token could not be decoded") from None
    if claims["exp"] > (world.wall() + timedelta(minutes=11)).timestamp():
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
    return Caller(account=app.bot, app=app)


def role_of(world: World, repository: Repository, account: Account) -> str:
    """The strongest role of a person: owner, collaborator or team; empty for none."""
    login = account.login.lower()
    owner = repository.owner
    if account is owner or world.organisation_members.get(owner.login.lower(), {}).get(login) == "admin":
        return "admin"
    roles = [repository.collaborators.get(login, "")]
    for slug, role in repository.team_roles.items():
        team = world.teams.get((owner.login.lower(), slug))
        if team is not None and login in team.members:
            roles.append(role)
    if not repository.settings.private:
        roles.append("read")
    return max(roles, key=lambda role: RANK[role])


def app_permissions(caller: Caller) -> dict[str, str]:
    """What the token of an installation may do."""
    if caller.installation is None:
        return {}
    return (caller.token.permissions if caller.token else None) or caller.installation.permissions


def sees(world: World, caller: Caller | None, repository: Repository) -> bool:
    """Whether the repository exists for the caller."""
    if not repository.settings.private:
        return True
    if caller is None or caller.app is not None:
        return False
    if caller.installation is not None:
        ids = caller.token.repository_ids if caller.token else None
        return covers(caller.installation, repository) and (ids is None or repository.id in ids)
    return bool(role_of(world, repository, caller.account))


def authorize(world: World, caller: Caller | None, repository: Repository, *, needs: str, role: str) -> None:
    """Raise what GitHub answers unless the caller may: `needs` is an App permission (`contents=write`), `role` what a person needs."""
    if not sees(world, caller, repository):
        raise not_found()
    accepted = {"x-accepted-github-permissions": needs}
    if caller is None:
        if role == "read":
            return
        raise ApiError(401, "Requires authentication")
    if caller.installation is None:
        if RANK[role_of(world, repository, caller.account)] < RANK[role]:
            said = "Must have admin rights to Repository." if role == "admin" else "Resource not accessible by personal access token"
            raise ApiError(403, said, headers=accepted)
        return
    granted = app_permissions(caller) | {"metadata": "read"}
    for choice in needs.split(";"):
        asked = [part.strip().split("=") for part in choice.split(",")]
        if all(LEVEL[granted.get(name, "none")] >= LEVEL[level] for name, level in asked):
            return
    raise ApiError(403, "Resource not accessible by integration", headers=accepted)
