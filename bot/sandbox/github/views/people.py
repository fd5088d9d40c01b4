"""How accounts, teams, Apps and installations look in JSON."""

from typing import Any

from bot.sandbox.github.accounts import Account, App, Installation, Team
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import World

Json = dict[str, Any]

PREFIX = {"User": "U", "Bot": "BOT", "Organization": "O"}


def account_node(account: Account) -> str:
    """The node id of a person, bot or organisation."""
    return node_id(PREFIX[account.kind], account.id)


def simple_user(world: World, account: Account) -> Json:
    """`simple-user`."""
    api = f"{world.api_url}/users/{account.login.replace('[', '%5B').replace(']', '%5D')}"
    shown = account.login.removesuffix("[bot]")
    page = f"{world.base_url}/apps/{shown}" if account.kind == "Bot" else f"{world.base_url}/{shown}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account_node(account),
        "avatar_url": f"{world.base_url}/avatars/u/{account.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": page,
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def maybe_user(world: World, account: Account | None) -> Json | None:
    """`nullable-simple-user`."""
    return None if account is None else simple_user(world, account)


def public_user(world: World, account: Account) -> Json:
    """`public-user`."""
    return simple_user(world, account) | {
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(account.created_at),
        "updated_at": stamp(account.created_at),
    }


def app_view(world: World, app: App) -> Json:
    """`integration`."""
    return {
        "id": app.id,
        "client_id": app.client_id,
        "slug": app.slug,
        "node_id": node_id("A", app.id),
        "owner": simple_user(world, app.owner),
        "name": app.slug,
        "description": "",
        "external_url": f"{world.base_url}/apps/{app.slug}",
        "html_url": f"{world.base_url}/apps/{app.slug}",
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "permissions": dict(app.permissions),
        "events": list(app.events),
        "installations_count": sum(1 for item in world.installations.values() if item.app is app),
    }


def acting_app(world: World, app: App | None) -> Json | None:
    """`nullable-integration`: the App through which something was done."""
    if app is None:
        return None
    view = app_view(world, app)
    view.pop("installations_count")
    return view


def installation_view(world: World, installation: Installation) -> Json:
    """`installation`."""
    url = f"{world.api_url}/app/installations/{installation.id}"
    return {
        "id": installation.id,
        "client_id": installation.app.client_id,
        "account": simple_user(world, installation.account),
        "repository_selection": "all" if installation.repositories is None else "selected",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{world.api_url}/installation/repositories",
        "html_url": f"{world.base_url}/settings/installations/{installation.id}",
        "app_id": installation.app.id,
        "app_slug": installation.app.slug,
        "target_id": installation.account.id,
        "target_type": installation.account.kind,
        "permissions": dict(installation.permissions),
        "events": list(installation.app.events),
        "created_at": stamp(installation.created_at),
        "updated_at": stamp(installation.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None if installation.suspended_at is None else simple_user(world, installation.account),
        "suspended_at": stamp(installation.suspended_at),
    }


def team_view(world: World, team: Team) -> Json:
    """`team-full`, as far as a reader of members needs it."""
    organisation = world.find_account(team.organisation)
    url = f"{world.api_url}/organizations/{organisation.id}/team/{team.id}"
    created = stamp(organisation.created_at)
    organisation_url = f"{world.api_url}/orgs/{organisation.login}"
    return {
        "id": team.id,
        "node_id": node_id("T", team.id),
        "url": url,
        "html_url": f"{world.base_url}/orgs/{organisation.login}/teams/{team.slug}",
        "name": team.slug,
        "slug": team.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "parent": None,
        "members_count": len(team.members),
        "repos_count": 0,
        "created_at": created,
        "updated_at": created,
        "type": "organization",
        "organization": {
            "login": organisation.login,
            "id": organisation.id,
            "node_id": account_node(organisation),
            "url": organisation_url,
            "repos_url": f"{organisation_url}/repos",
            "events_url": f"{organisation_url}/events",
            "hooks_url": f"{organisation_url}/hooks",
            "issues_url": f"{organisation_url}/issues",
            "members_url": f"{organisation_url}/members{{/member}}",
            "public_members_url": f"{organisation_url}/public_members{{/member}}",
            "avatar_url": f"{world.base_url}/avatars/u/{organisation.id}",
            "description": None,
            "has_organization_projects": True,
            "has_repository_projects": True,
            "public_repos": 0,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "html_url": f"{world.base_url}/{organisation.login}",
            "created_at": created,
            "updated_at": created,
            "archived_at": None,
            "type": "Organization",
        },
    }
