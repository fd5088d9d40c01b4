"""The webhook payloads: what GitHub would send for each event.

Decides the bodies only; whom they go to is decided in `deliveries`.
"""

from typing import Any

from bot.sandbox.github.accounts import Account
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.history import changes, read_commit
from bot.sandbox.github.service.merging import mergeability
from bot.sandbox.github.state import Repository
from bot.sandbox.github.views.checks import check_run_view, deployment_status_view, deployment_view, suite_view
from bot.sandbox.github.views.commits import commit_view
from bot.sandbox.github.views.people import account_node, simple_user
from bot.sandbox.github.views.pulls import comment_view, full_pull, issue_view, review_view, simple_pull
from bot.sandbox.github.views.repos import api, label_view, merge_settings, page, repository_view
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import Event, World

Json = dict[str, Any]


def payload(world: World, event: Event) -> Json:
    """The body of an event: action, what it is about, repository, organisation, installation, sender."""
    body: Json = {} if event.action is None else {"action": event.action}
    body |= _about(world, event)
    repository = event.repository
    if repository is not None:
        body["repository"] = webhook_repository(world, repository, with_push_times=event.name == "push")
        owner = repository.owner
        if owner.kind == "Organization":
            body["organization"] = organisation(world, owner)
        installation = world.installation_for(repository)
        if installation is not None:
            body["installation"] = {"id": installation.id, "node_id": account_node(installation.account)}
    return body | {"sender": simple_user(world, event.sender)}


def _about(world: World, event: Event) -> Json:
    if event.repository is None:
        return dict(event.details)
    maker = {
        "push": push,
        "create": created_ref,
        "delete": deleted_ref,
        "pull_request": pull_request,
        "pull_request_review": pull_request_review,
        "issue_comment": issue_comment,
        "label": label,
        "status": status,
        "check_run": check_run,
        "check_suite": check_suite,
        "deployment_status": deployment_status,
        "merge_group": merge_group,
    }.get(event.name)
    return dict(event.details) if maker is None else maker(world, event.repository, event)


def webhook_repository(world: World, repository: Repository, *, with_push_times: bool = False) -> Json:
    """`repository` in a payload; in a push its times are numbers, and the owner has a name."""
    view = repository_view(world, repository) | {"custom_properties": {}}
    if with_push_times:
        view |= {
            "created_at": int(repository.created_at.timestamp()),
            "pushed_at": int(repository.pushed_at.timestamp()),
            "stargazers": 0,
            "master_branch": repository.settings.default_branch,
        }
        view["owner"] = view["owner"] | {"name": repository.owner.login, "email": repository.owner.email}
    return view


def organisation(world: World, owner: Account) -> Json:
    """`organization-simple`."""
    url = f"{world.api_url}/orgs/{owner.login}"
    return {
        "login": owner.login,
        "id": owner.id,
        "node_id": account_node(owner),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{world.base_url}/avatars/u/{owner.id}",
        "description": None,
    }


def push(world: World, repository: Repository, event: Event) -> Json:
    """`push`: at most 2,048 commits with the names of their files; a new branch brings what the default branch does not have."""
    before, after, ref = event.details["before"], event.details["after"], event.details["ref"]
    git = repository.git
    fresh: list[str] = []
    distinct: set[str] = set()
    if after != ZERO:
        tips = {name: tip for name, tip in git.refs().items() if name != ref}
        trunk = tips.get(f"refs/heads/{repository.settings.default_branch}")
        known = before if before != ZERO else trunk
        fresh = git.commits(after, *([f"^{known}"] if known else []), limit=2048)[::-1]
        distinct = set(git.commits(after, *(f"^{tip}" for tip in tips.values()), limit=2048))
    commits = [push_commit(world, repository, sha) | {"distinct": sha in distinct} for sha in fresh]
    forced = before != ZERO and after != ZERO and not git.is_ancestor(before, after)
    head = None if after == ZERO or git.object_type(after) is None else push_commit(world, repository, git.commit_of(after) or after)
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == ZERO,
        "deleted": after == ZERO,
        "forced": forced,
        "base_ref": None,
        "compare": f"{page(world, repository)}/compare/{before[:12]}...{after[:12]}",
        "commits": commits,
        "head_commit": head,
        "pusher": {"name": event.sender.login, "email": event.sender.email},
    }


def push_commit(world: World, repository: Repository, sha: str) -> Json:
    """One commit of a push."""
    commit = read_commit(repository.git, sha)
    files = changes(repository.git, commit)
    people = {}
    for name, who in (("author", commit.author), ("committer", commit.committer)):
        account = world.account_of(who)
        people[name] = {"name": who.name, "email": who.email, "date": stamp(who.when)} | ({"username": account.login} if account else {})
    return {
        "id": sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": stamp(commit.committer.when),
        "url": f"{page(world, repository)}/commit/{sha}",
        "added": [item.path for item in files if item.status == "added"],
        "removed": [item.path for item in files if item.status == "removed"],
        "modified": [item.path for item in files if item.status not in ("added", "removed")],
    } | people


def created_ref(world: World, repository: Repository, event: Event) -> Json:
    """`create`."""
    branch = repository.settings.default_branch
    return dict(event.details) | {"master_branch": branch, "description": None, "pusher_type": "user"}


def deleted_ref(world: World, repository: Repository, event: Event) -> Json:
    """`delete`."""
    return dict(event.details) | {"pusher_type": "user"}


def pull_request(world: World, repository: Repository, event: Event) -> Json:
    """`pull_request`; the body is the whole pull request, mergeability unknown right after it changed."""
    pull = event.details["pull"]
    body: Json = {"number": pull.number}
    settled = event.action in ("labeled", "unlabeled", "edited", "closed")
    mergeable, state = mergeability(world, repository, pull) if settled else (None, "unknown")
    body["pull_request"] = full_pull(world, repository, pull, mergeable=mergeable, mergeable_state=state) | merge_settings(repository)
    if "label" in event.details:
        body["label"] = label_view(world, repository, event.details["label"])
    for name in ("before", "after", "changes", "reason"):
        if name in event.details:
            body[name] = event.details[name]
    return body


def pull_request_review(world: World, repository: Repository, event: Event) -> Json:
    """`pull_request_review`; states are in lower case here."""
    pull, review = event.details["pull"], event.details["review"]
    view = review_view(world, repository, pull, review)
    view |= {"state": review.state.lower(), "updated_at": stamp(review.submitted_at), "body": review.body or None}
    return {"review": view, "pull_request": simple_pull(world, repository, pull)}


def issue_comment(world: World, repository: Repository, event: Event) -> Json:
    """`issue_comment`."""
    issue, comment = event.details["issue"], event.details["comment"]
    body: Json = {"issue": issue_view(world, repository, issue), "comment": comment_view(world, repository, issue, comment)}
    if event.action == "edited":
        body["changes"] = {"body": {"from": event.details["before"]}}
    return body


def label(world: World, repository: Repository, event: Event) -> Json:
    """`label`."""
    return {"label": label_view(world, repository, event.details["label"])}


def status(world: World, repository: Repository, event: Event) -> Json:
    """`status`."""
    found = event.details["status"]
    branches = [
        {
            "name": name.removeprefix("refs/heads/"),
            "commit": {"sha": tip, "url": f"{api(world, repository)}/commits/{tip}"},
            "protected": name.removeprefix("refs/heads/") in repository.protections,
        }
        for name, tip in repository.git.refs().items()
        if tip == found.sha
    ]
    return {
        "id": found.id,
        "sha": found.sha,
        "name": repository.full_name,
        "target_url": found.target_url,
        "avatar_url": f"{world.base_url}/avatars/u/{found.creator.id}",
        "context": found.context,
        "description": found.description,
        "state": found.state,
        "commit": commit_view(world, repository, found.sha),
        "branches": branches,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.created_at),
    }


def check_run(world: World, repository: Repository, event: Event) -> Json:
    """`check_run`."""
    run = event.details["run"]
    view = check_run_view(world, repository, run)
    suite = suite_view(world, repository, run.suite)
    suite.pop("latest_check_runs_count")
    suite.pop("check_runs_url")
    body: Json = {"check_run": view | {"check_suite": suite}}
    if "requested_action" in event.details:
        body["requested_action"] = event.details["requested_action"]
    return body


def check_suite(world: World, repository: Repository, event: Event) -> Json:
    """`check_suite`."""
    suite = event.details["suite"]
    commit = read_commit(repository.git, suite.head_sha)
    head = {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": stamp(commit.committer.when),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
    }
    return {"check_suite": suite_view(world, repository, suite) | {"head_commit": head}}


def deployment_status(world: World, repository: Repository, event: Event) -> Json:
    """`deployment_status`."""
    deployment, found = event.details["deployment"], event.details["status"]
    return {
        "deployment": deployment_view(world, repository, deployment),
        "deployment_status": deployment_status_view(world, repository, deployment, found),
        "check_run": None,
        "workflow": None,
        "workflow_run": None,
    }


def merge_group(world: World, repository: Repository, event: Event) -> Json:
    """`merge_group`."""
    entry = event.details["entry"]
    commit = read_commit(repository.git, entry.sha)
    head = {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": stamp(commit.committer.when),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
    }
    base = entry.ref.removeprefix("refs/heads/gh-readonly-queue/").rpartition("/pr-")[0]
    group = {
        "head_sha": entry.sha,
        "head_ref": entry.ref,
        "base_sha": entry.base_sha,
        "base_ref": f"refs/heads/{base}",
        "head_commit": head,
    }
    return {"merge_group": group} | ({"reason": event.details["reason"]} if "reason" in event.details else {})
