"""Apps and who is who: installation tokens, the App itself, users, teams, rate limit, manifest conversion."""

from datetime import timedelta

from bot.sandbox.github.access import Caller, app_permissions, role_of, sees
from bot.sandbox.github.accounts import App
from bot.sandbox.github.errors import ApiError, not_found
from bot.sandbox.github.rest.call import Answer, Call, Routes, page_of
from bot.sandbox.github.views.people import app_view, installation_view, public_user, simple_user, team_view
from bot.sandbox.github.views.repos import repository_view
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import covers

routes = Routes()
LEVELS = ("none", "read", "write", "admin")


def app_of(call: Call) -> App:
    """The App whose JWT this is; other callers are refused as GitHub refuses them."""
    app = call.caller.app
    if app is None:
        raise ApiError(401, "A JSON web token could not be decoded")
    return app


def person(call: Call) -> Caller:
    """A caller with a token; a JWT may not use ordinary routes."""
    if call.caller.app is not None:
        raise ApiError(403, "Resource not accessible by integration")
    return call.caller


@routes.add("GET", "/app")
def get_app(call: Call) -> Answer:
    """The authenticated App."""
    return Answer(body=app_view(call.world, app_of(call)))


@routes.add("GET", "/app/installations")
def list_installations(call: Call) -> Answer:
    """Where the App is installed."""
    app = app_of(call)
    page, links = page_of(call, [item for item in call.world.installations.values() if item.app is app])
    return Answer(body=[installation_view(call.world, item) for item in page], headers=links)


@routes.add("GET", "/app/installations/{installation_id}")
def get_installation(call: Call) -> Answer:
    """One installation of the App."""
    found = call.world.installations.get(call.number("installation_id"))
    if found is None or found.app is not app_of(call):
        raise not_found()
    return Answer(body=installation_view(call.world, found))


@routes.add("POST", "/app/installations/{installation_id}/access_tokens")
def create_installation_token(call: Call) -> Answer:
    """A token for an hour, narrowed to what was asked for."""
    app, world = app_of(call), call.world
    found = world.installations.get(call.number("installation_id"))
    if found is None or found.app is not app:
        raise not_found()
    if found.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended")
    asked = call.fields.get("permissions") or dict(found.permissions)
    for name, level in asked.items():
        if level not in LEVELS or LEVELS.index(level) > LEVELS.index(found.permissions.get(name, "none")):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    ids = set(call.fields.get("repository_ids") or [])
    for name in call.fields.get("repositories") or []:
        repository = world.repositories.get(f"{found.account.login}/{name}".lower())
        if repository is None or not covers(found, repository):
            raise ApiError(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
        ids.add(repository.id)
    token = world.new_token(app.bot, "ghs")
    token.installation, token.permissions, token.repository_ids = found, asked | {"metadata": "read"}, ids or None
    token.expires_at = world.wall() + timedelta(hours=1)
    body: dict[str, object] = {"token": token.value, "expires_at": stamp(token.expires_at), "permissions": token.permissions}
    body["repository_selection"] = "selected" if ids or found.repositories is not None else "all"
    if ids:
        body["repositories"] = [repository_view(world, world.repository_by_id(number)) for number in sorted(ids)]
    return Answer(status=201, body=body)


@routes.add("GET", "/installation/repositories")
def list_installation_repositories(call: Call) -> Answer:
    """What the installation's token sees."""
    caller = call.caller
    if caller.installation is None:
        raise ApiError(403, "You must authenticate with an installation access token in order to list repositories for an installation.")
    seen = [repository for repository in call.world.repositories.values() if sees(call.world, caller, repository)]
    page, links = page_of(call, seen)
    body = {"total_count": len(seen), "repositories": [repository_view(call.world, repository) for repository in page]}
    return Answer(body=body, headers=links)


@routes.add("GET", "/repos/{owner}/{repo}/installation", needs="jwt")
def get_repository_installation(call: Call) -> Answer:
    """Where this repository's events and tokens come from, asked with the App's JWT."""
    app = app_of(call)
    for installation in call.world.installations.values():
        if installation.app is app and covers(installation, call.repository):
            return Answer(body=installation_view(call.world, installation))
    raise not_found()


@routes.add("POST", "/app-manifests/{code}/conversions")
def convert_manifest(call: Call) -> Answer:
    """The new App's credentials, once per code."""
    found = call.world.manifest_codes.pop(call.text("code"), None)
    if found is None:
        raise not_found()
    return Answer(status=201, body=found)


@routes.add("GET", "/rate_limit")
def get_rate_limit(call: Call) -> Answer:
    """What is left of this hour; asking is free."""
    now, bucket = call.world.wall(), call.caller.bucket()
    core, graphql = (call.limits.describe(bucket, name, now) for name in ("core", "graphql"))
    search = {"limit": 30, "remaining": 30, "reset": core["reset"], "used": 0}
    return Answer(body={"resources": {"core": core, "graphql": graphql, "search": search}, "rate": core})


@routes.add("GET", "/user")
def get_authenticated_user(call: Call) -> Answer:
    """The user of the token; an installation is nobody."""
    if call.caller.installation is not None or call.caller.app is not None:
        raise ApiError(403, "Resource not accessible by integration")
    return Answer(body=public_user(call.world, call.caller.account))


@routes.add("GET", "/users/{username}")
def get_user(call: Call) -> Answer:
    """Anybody."""
    return Answer(body=public_user(call.world, call.world.find_account(call.text("username"))))


@routes.add("GET", "/user/{account_id}")
def get_user_by_id(call: Call) -> Answer:
    """Anybody, by the number that stays when the login changes."""
    for account in call.world.accounts.values():
        if account.id == call.number("account_id"):
            return Answer(body=public_user(call.world, account))
    raise not_found()


@routes.add("GET", "/apps/{app_slug}")
def get_app_by_slug(call: Call) -> Answer:
    """An App's public face."""
    for app in call.world.apps.values():
        if app.slug == call.text("app_slug"):
            view = app_view(call.world, app)
            view.pop("installations_count")
            return Answer(body=view)
    raise not_found()


def _may_read_members(call: Call) -> None:
    caller = person(call)
    if caller.installation is not None and app_permissions(caller).get("members", "none") == "none":
        raise ApiError(403, "Resource not accessible by integration", headers={"x-accepted-github-permissions": "members=read"})


@routes.add("GET", "/orgs/{org}/teams/{team_slug}")
def get_team(call: Call) -> Answer:
    """A team."""
    _may_read_members(call)
    return Answer(body=team_view(call.world, call.world.find_team(call.text("org"), call.text("team_slug"))))


@routes.add("GET", "/orgs/{org}/teams/{team_slug}/members")
def list_team_members(call: Call) -> Answer:
    """The active members of a team."""
    _may_read_members(call)
    team = call.world.find_team(call.text("org"), call.text("team_slug"))
    page, links = page_of(call, sorted(team.members))
    return Answer(body=[simple_user(call.world, call.world.find_account(login)) for login in page], headers=links)


@routes.add("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}")
def get_team_membership(call: Call) -> Answer:
    """Role and state of one person; 404 for outsiders."""
    _may_read_members(call)
    team = call.world.find_team(call.text("org"), call.text("team_slug"))
    login = call.text("username").lower()
    if login not in team.members and login not in team.pending:
        raise not_found()
    organisation = call.world.find_account(team.organisation)
    url = f"{call.world.api_url}/organizations/{organisation.id}/team/{team.id}/memberships/{login}"
    state = "pending" if login in team.pending else "active"
    return Answer(body={"url": url, "role": team.members.get(login, "member"), "state": state})


@routes.add("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", needs="metadata=read")
def get_permission(call: Call) -> Answer:
    """What a person may do here: `permission` knows four words, `role_name` all."""
    account = call.world.find_account(call.text("username"))
    role = role_of(call.world, call.repository, account)
    legacy = {"": "none", "triage": "read", "maintain": "write"}.get(role, role)
    rank = ("", "read", "triage", "write", "maintain", "admin").index(role)
    names = ("pull", "triage", "push", "maintain", "admin")
    rights = {name: rank > position for position, name in enumerate(names)}
    user = simple_user(call.world, account) | {"permissions": rights, "role_name": role or "none"}
    return Answer(body={"permission": legacy, "role_name": role or "none", "user": user})


@routes.add("GET", "/repos/{owner}/{repo}/collaborators/{username}", needs="metadata=read", role="write")
def check_collaborator(call: Call) -> Answer:
    """204 for a collaborator, 404 for others."""
    if not role_of(call.world, call.repository, call.world.find_account(call.text("username"))):
        raise not_found()
    return Answer(status=204)
