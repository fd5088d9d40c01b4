"""How pull requests, reviews, comments and issues look in JSON."""

from typing import Any

from bot.sandbox.github.access import role_of
from bot.sandbox.github.accounts import Account
from bot.sandbox.github.history import compare
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.state import Comment, Issue, Pull, Reaction, Repository, Review
from bot.sandbox.github.views.people import acting_app, maybe_user, simple_user
from bot.sandbox.github.views.repos import api, label_view, page, side
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import World

Json = dict[str, Any]


def association(world: World, repository: Repository, account: Account) -> str:
    """`author_association`: says little about rights, as on GitHub."""
    login = account.login.lower()
    if account is repository.owner:
        return "OWNER"
    if login in world.organisation_members.get(repository.owner.login.lower(), {}):
        return "MEMBER"
    if login in repository.collaborators:
        return "COLLABORATOR"
    return "CONTRIBUTOR" if role_of(world, repository, account) else "NONE"


def simple_pull(world: World, repository: Repository, pull: Pull) -> Json:
    """`pull-request-simple`: an entry of a list."""
    url, web = f"{api(world, repository)}/pulls/{pull.number}", f"{page(world, repository)}/pull/{pull.number}"
    issue_url = f"{api(world, repository)}/issues/{pull.number}"
    statuses_url = f"{api(world, repository)}/statuses/{pull.head_sha}"
    links = {
        "self": url,
        "html": web,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api(world, repository)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": statuses_url,
    }
    auto = pull.auto_merge
    return {
        "url": url,
        "id": pull.pull_id,
        "node_id": node_id("PR", pull.pull_id),
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": issue_url,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": statuses_url,
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": simple_user(world, pull.author),
        "body": pull.body,
        "labels": [label_view(world, repository, label) for label in pull.labels],
        "milestone": None,
        "active_lock_reason": None,
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp(pull.closed_at),
        "merged_at": stamp(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": side(world, repository, pull.head_ref, pull.head_sha),
        "base": side(world, repository, pull.base_ref, pull.base_sha),
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": association(world, repository, pull.author),
        "auto_merge": None
        if auto is None
        else {
            "enabled_by": simple_user(world, auto.by),
            "merge_method": auto.method,
            "commit_title": auto.title or f"{pull.title} (#{pull.number})",
            "commit_message": auto.message or "",
        },
        "draft": pull.draft,
    }


def full_pull(world: World, repository: Repository, pull: Pull, *, mergeable: bool | None, mergeable_state: str) -> Json:
    """`pull-request`; whether it merges is computed by `service.merging` and may still be unknown (None)."""
    found = compare(repository.git, pull.base_sha, pull.head_sha)
    files = found.files if found else ()
    return simple_pull(world, repository, pull) | {
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": mergeable_state,
        "merged_by": maybe_user(world, pull.merged_by),
        "comments": len(pull.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(found.ahead) if found else 0,
        "additions": sum(item.additions for item in files),
        "deletions": sum(item.deletions for item in files),
        "changed_files": len(files),
    }


def reactions_view(world: World, repository: Repository, comment: Comment) -> Json:
    """`reaction-rollup`."""
    names = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    counted = {name: sum(1 for reaction in comment.reactions if reaction.content == name) for name in names}
    url = f"{api(world, repository)}/issues/comments/{comment.id}/reactions"
    return {"url": url, "total_count": len(comment.reactions)} | counted


def reaction_view(world: World, reaction: Reaction) -> Json:
    """`reaction`."""
    return {
        "id": reaction.id,
        "node_id": node_id("REA", reaction.id),
        "user": simple_user(world, reaction.author),
        "content": reaction.content,
        "created_at": stamp(reaction.created_at),
    }


def comment_view(world: World, repository: Repository, issue: Issue, comment: Comment) -> Json:
    """`issue-comment`."""
    web = f"{page(world, repository)}/{'pull' if isinstance(issue, Pull) else 'issues'}/{issue.number}"
    return {
        "url": f"{api(world, repository)}/issues/comments/{comment.id}",
        "html_url": f"{web}#issuecomment-{comment.id}",
        "issue_url": f"{api(world, repository)}/issues/{issue.number}",
        "id": comment.id,
        "node_id": node_id("IC", comment.id),
        "user": simple_user(world, comment.author),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": association(world, repository, comment.author),
        "body": comment.body,
        "reactions": reactions_view(world, repository, comment),
        "performed_via_github_app": acting_app(world, comment.app),
    }


def review_view(world: World, repository: Repository, pull: Pull, review: Review) -> Json:
    """`pull-request-review`."""
    web = f"{page(world, repository)}/pull/{pull.number}#pullrequestreview-{review.id}"
    url = f"{api(world, repository)}/pulls/{pull.number}"
    return {
        "id": review.id,
        "node_id": node_id("PRR", review.id),
        "user": simple_user(world, review.author),
        "body": review.body,
        "state": review.state,
        "html_url": web,
        "pull_request_url": url,
        "author_association": association(world, repository, review.author),
        "_links": {"html": {"href": web}, "pull_request": {"href": url}},
        "submitted_at": stamp(review.submitted_at),
        "commit_id": review.commit_id,
    }


def issue_view(world: World, repository: Repository, issue: Issue) -> Json:
    """`issue`; a pull request carries its links, which is how a reader tells the two apart."""
    url = f"{api(world, repository)}/issues/{issue.number}"
    web = f"{page(world, repository)}/{'pull' if isinstance(issue, Pull) else 'issues'}/{issue.number}"
    view: Json = {
        "url": url,
        "repository_url": api(world, repository),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": web,
        "id": issue.id,
        "node_id": node_id("PR", issue.pull_id) if isinstance(issue, Pull) else node_id("I", issue.id),
        "number": issue.number,
        "title": issue.title,
        "user": simple_user(world, issue.author),
        "labels": [label_view(world, repository, label) for label in issue.labels],
        "state": issue.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(issue.comments),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(issue.closed_at),
        "author_association": association(world, repository, issue.author),
        "active_lock_reason": None,
        "body": issue.body,
        "performed_via_github_app": acting_app(world, issue.app),
        "state_reason": None,
        "reactions": {"url": f"{url}/reactions", "total_count": 0}
        | dict.fromkeys(("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"), 0),
    }
    if isinstance(issue, Pull):
        pull_url = f"{api(world, repository)}/pulls/{issue.number}"
        view["draft"] = issue.draft
        view["pull_request"] = {
            "url": pull_url,
            "html_url": web,
            "diff_url": f"{web}.diff",
            "patch_url": f"{web}.patch",
            "merged_at": stamp(issue.merged_at),
        }
    return view
