"""How a repository and its labels, refs and contents look in JSON."""

from typing import Any

from bot.sandbox.github.ids import node_id
from bot.sandbox.github.state import Label, Pull, Repository, RepositoryHook
from bot.sandbox.github.views.people import simple_user
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import World

Json = dict[str, Any]

# The template links of a repository: field -> what follows the repository's API address.
LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def api(world: World, repository: Repository) -> str:
    """The API address of a repository."""
    return f"{world.api_url}/repos/{repository.full_name}"


def page(world: World, repository: Repository) -> str:
    """The human page of a repository."""
    return f"{world.base_url}/{repository.full_name}"


def minimal_repository(world: World, repository: Repository) -> Json:
    """`minimal-repository`: what stands inside other objects."""
    url = api(world, repository)
    links = {name: url + rest for name, rest in LINKS.items()}
    return {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.settings.private,
        "owner": simple_user(world, repository.owner),
        "html_url": page(world, repository),
        "description": None,
        "fork": False,
        "url": url,
    } | links


def repository_view(world: World, repository: Repository) -> Json:
    """`repository`: in lists, in pull requests and in webhooks."""
    address = page(world, repository)
    settings = repository.settings
    open_issues = sum(1 for issue in repository.issues.values() if issue.state == "open")
    return minimal_repository(world, repository) | {
        "clone_url": f"{address}.git",
        "git_url": f"git://127.0.0.1/{repository.full_name}.git",
        "ssh_url": f"git@127.0.0.1:{repository.full_name}.git",
        "svn_url": address,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "forks": 0,
        "forks_count": 0,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        "size": 1,
        "default_branch": settings.default_branch,
        "is_template": False,
        "topics": [],
        "has_issues": True,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": False,
        "has_discussions": False,
        "has_pull_requests": True,
        "archived": settings.archived,
        "disabled": False,
        "visibility": "private" if settings.private else "public",
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "pushed_at": stamp(repository.pushed_at),
        "created_at": stamp(repository.created_at),
        "updated_at": stamp(repository.pushed_at),
    }


def merge_settings(repository: Repository) -> Json:
    """What the repository allows when a pull request is merged."""
    settings = repository.settings
    return {
        "allow_rebase_merge": settings.allow_rebase_merge,
        "allow_squash_merge": settings.allow_squash_merge,
        "allow_merge_commit": settings.allow_merge_commit,
        "allow_auto_merge": settings.allow_auto_merge,
        "delete_branch_on_merge": settings.auto_delete_head,
        "allow_update_branch": True,
        "use_squash_pr_title_as_default": False,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
    }


def full_repository(world: World, repository: Repository, permissions: Json) -> Json:
    """`full-repository`, with what the caller may do."""
    view = repository_view(world, repository) | merge_settings(repository)
    return view | {"permissions": permissions, "network_count": 0, "subscribers_count": 0, "temp_clone_token": ""}


def label_view(world: World, repository: Repository, label: Label) -> Json:
    """`label`."""
    return {
        "id": label.id,
        "node_id": node_id("LA", label.id),
        "url": f"{api(world, repository)}/labels/{label.name.replace(' ', '%20')}",
        "name": label.name,
        "color": label.color,
        "default": False,
        "description": label.description,
    }


def ref_view(world: World, repository: Repository, ref: str, sha: str, kind: str = "commit") -> Json:
    """`git-ref`."""
    url = api(world, repository)
    return {
        "ref": ref,
        "node_id": node_id("REF", f"{repository.id}:{ref}"),
        "url": f"{url}/git/{ref}",
        "object": {"sha": sha, "type": kind, "url": f"{url}/git/{kind}s/{sha}"},
    }


def hook_view(world: World, repository: Repository, hook: RepositoryHook) -> Json:
    """`hook`; the secret never leaves."""
    url = f"{api(world, repository)}/hooks/{hook.id}"
    configured = {"content_type": "json", "url": hook.url, "insecure_ssl": "0"} | ({"secret": "********"} if hook.secret else {})
    return {
        "type": "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": list(hook.events),
        "config": configured,
        "updated_at": stamp(hook.created_at),
        "created_at": stamp(hook.created_at),
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": {"code": None, "status": "unused", "message": None},
    }


def side(world: World, repository: Repository, ref: str, sha: str) -> Json:
    """`head` or `base` of a pull request."""
    owner = repository.owner
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": simple_user(world, owner),
        "repo": repository_view(world, repository) | merge_settings(repository),
    }


def number_link(world: World, repository: Repository, pull: Pull) -> Json:
    """`pull-request-minimal`: how a check run names its pull requests."""
    home = {"id": repository.id, "url": api(world, repository), "name": repository.name}
    return {
        "id": pull.pull_id,
        "number": pull.number,
        "url": f"{api(world, repository)}/pulls/{pull.number}",
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": home},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": home},
    }
