"""Labels, comments, reactions and plain issues."""

from datetime import UTC, datetime

from bot.sandbox.github.access import authorize
from bot.sandbox.github.errors import ApiError, invalid, not_found
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.rest.call import Answer, Call, Routes, page_of
from bot.sandbox.github.service import issues
from bot.sandbox.github.state import Issue, Label, Pull, TimelineEvent
from bot.sandbox.github.views.people import simple_user
from bot.sandbox.github.views.pulls import comment_view, issue_view, reaction_view
from bot.sandbox.github.views.repos import api, label_view
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import find_issue

routes = Routes()
HOME = "/repos/{owner}/{repo}"
ISSUE = HOME + "/issues/{issue_number}"
COMMENT = HOME + "/issues/comments/{comment_id}"
READ, WRITE = "issues=read; pull_requests=read", "issues=write; pull_requests=write"


def the_issue(call: Call) -> Issue:
    """The issue or pull request of the path."""
    return find_issue(call.repository, call.number("issue_number"))


def _labels(call: Call, issue: Issue) -> Answer:
    return Answer(body=[label_view(call.world, call.repository, label) for label in issue.labels])


def _named(call: Call) -> list[Label]:
    given = call.fields.get("", call.fields.get("labels", []))
    if not isinstance(given, list):
        raise ApiError(422, "Invalid request.\n\nlabels is not an array.")
    names = [item.get("name") if isinstance(item, dict) else item for item in given]
    if not all(isinstance(name, str) and name for name in names):
        raise invalid("Label", "name", code="invalid")
    return [issues.label_named(call.world, call.repository, call.caller, str(name)) for name in names]


@routes.add("GET", HOME + "/labels", needs="issues=read; pull_requests=read")
def list_repository_labels(call: Call) -> Answer:
    """Every label of the repository."""
    page, links = page_of(call, list(call.repository.labels.values()))
    return Answer(body=[label_view(call.world, call.repository, label) for label in page], headers=links)


@routes.add("POST", HOME + "/labels", needs=WRITE)
def create_repository_label(call: Call) -> Answer:
    """A new label."""
    label = issues.create_label(
        call.world,
        call.repository,
        call.caller,
        call.need("name"),
        color=call.maybe("color") or "ededed",
        description=call.maybe("description"),
    )
    return Answer(status=201, body=label_view(call.world, call.repository, label))


@routes.add("GET", HOME + "/labels/{name:path}", needs=READ)
def get_repository_label(call: Call) -> Answer:
    """One label."""
    label = call.repository.labels.get(call.text("name").lower())
    if label is None:
        raise not_found()
    return Answer(body=label_view(call.world, call.repository, label))


@routes.add("GET", HOME + "/issues", needs=READ)
def list_issues(call: Call) -> Answer:
    """Issues and pull requests, newest first, by state and by who opened them."""
    state, creator = call.request.query.get("state", "open"), call.request.query.get("creator", "").lower()
    if state not in ("open", "closed", "all"):
        raise ApiError(422, "Validation Failed", errors=[{"resource": "Issue", "code": "invalid", "field": "state"}])
    found = [issue for issue in call.repository.issues.values() if state in ("all", issue.state)]
    if creator:
        found = [issue for issue in found if issue.author.login.lower() == creator]
    page, links = page_of(call, sorted(found, key=lambda issue: issue.number, reverse=True))
    return Answer(body=[issue_view(call.world, call.repository, issue) for issue in page], headers=links)


@routes.add("GET", ISSUE, needs=READ)
def get_issue(call: Call) -> Answer:
    """An issue, or the issue half of a pull request."""
    return Answer(body=issue_view(call.world, call.repository, the_issue(call)))


@routes.add("POST", HOME + "/issues", needs="issues=write", role="read")
def create_issue(call: Call) -> Answer:
    """A plain issue."""
    issue = issues.open_issue(call.world, call.repository, call.caller, title=call.need("title"), body=call.maybe("body"))
    issues.add_labels(call.world, call.repository, call.caller, issue, _named(call))
    return Answer(status=201, body=issue_view(call.world, call.repository, issue))


@routes.add("GET", ISSUE + "/labels", needs=READ)
def list_labels(call: Call) -> Answer:
    """The labels that are on."""
    return _labels(call, the_issue(call))


@routes.add("POST", ISSUE + "/labels", needs=WRITE, role="triage")
def add_labels(call: Call) -> Answer:
    """Put labels on; unknown ones are made."""
    issue = the_issue(call)
    issues.add_labels(call.world, call.repository, call.caller, issue, _named(call))
    return _labels(call, issue)


@routes.add("PUT", ISSUE + "/labels", needs=WRITE, role="triage")
def set_labels(call: Call) -> Answer:
    """Exactly these labels."""
    issue = the_issue(call)
    issues.set_labels(call.world, call.repository, call.caller, issue, _named(call))
    return _labels(call, issue)


@routes.add("DELETE", ISSUE + "/labels", needs=WRITE, role="triage")
def remove_all_labels(call: Call) -> Answer:
    """None at all."""
    issues.set_labels(call.world, call.repository, call.caller, the_issue(call), [])
    return Answer(status=204)


@routes.add("DELETE", ISSUE + "/labels/{name:path}", needs=WRITE, role="triage")
def remove_label(call: Call) -> Answer:
    """Take one off."""
    issue = the_issue(call)
    issues.remove_label(call.world, call.repository, call.caller, issue, call.text("name"))
    return _labels(call, issue)


@routes.add("GET", COMMENT, needs=READ)
def get_comment(call: Call) -> Answer:
    """One comment."""
    issue, comment = issues.find_comment(call.repository, call.number("comment_id"))
    return Answer(body=comment_view(call.world, call.repository, issue, comment))


@routes.add("PATCH", COMMENT, needs=WRITE, role="read")
def update_comment(call: Call) -> Answer:
    """Change the text: its author, or anybody with write access."""
    issue, comment = issues.find_comment(call.repository, call.number("comment_id"))
    if comment.author is not call.caller.account:
        authorize(call.world, call.caller, call.repository, needs=WRITE, role="write")
    issues.edit_comment(call.world, call.repository, call.caller, issue, comment, call.need("body"))
    return Answer(body=comment_view(call.world, call.repository, issue, comment))


@routes.add("DELETE", COMMENT, needs=WRITE)
def delete_comment(call: Call) -> Answer:
    """Remove it."""
    issue, comment = issues.find_comment(call.repository, call.number("comment_id"))
    issues.delete_comment(call.world, call.repository, call.caller, issue, comment)
    return Answer(status=204)


@routes.add("GET", ISSUE + "/comments", needs=READ)
def list_comments(call: Call) -> Answer:
    """Oldest first; those changed at or after `since`."""
    issue, since = the_issue(call), call.request.query.get("since", "")
    try:
        least = datetime.fromisoformat(since) if since else None
        least = least.replace(tzinfo=UTC) if least and least.tzinfo is None else least
    except ValueError:
        raise ApiError(422, f"Invalid since parameter: {since}") from None
    found = [comment for comment in issue.comments if least is None or comment.updated_at >= least]
    page, links = page_of(call, found)
    return Answer(body=[comment_view(call.world, call.repository, issue, comment) for comment in page], headers=links)


@routes.add("POST", ISSUE + "/comments", needs=WRITE, role="read")
def create_comment(call: Call) -> Answer:
    """Say something."""
    issue = the_issue(call)
    comment = issues.create_comment(call.world, call.repository, call.caller, issue, call.need("body"))
    body = comment_view(call.world, call.repository, issue, comment)
    return Answer(status=201, body=body, headers={"location": str(body["url"])})


@routes.add("POST", COMMENT + "/reactions", needs=WRITE, role="read")
def create_reaction(call: Call) -> Answer:
    """200 if it was there already, else 201."""
    _, comment = issues.find_comment(call.repository, call.number("comment_id"))
    reaction, new = issues.react(call.world, call.caller, comment, call.need("content"))
    return Answer(status=201 if new else 200, body=reaction_view(call.world, reaction))


@routes.add("GET", COMMENT + "/reactions", needs=READ)
def list_reactions(call: Call) -> Answer:
    """Who reacted how."""
    _, comment = issues.find_comment(call.repository, call.number("comment_id"))
    page, links = page_of(call, comment.reactions)
    return Answer(body=[reaction_view(call.world, reaction) for reaction in page], headers=links)


@routes.add("GET", ISSUE + "/events", needs=READ)
def list_events(call: Call) -> Answer:
    """The timeline: who put which label on or off, closed, reopened, merged."""
    issue = the_issue(call)
    page, links = page_of(call, issue.timeline)
    return Answer(body=[_event(call, issue, event) for event in page], headers=links)


def _event(call: Call, issue: Issue, event: TimelineEvent) -> dict[str, object]:
    view: dict[str, object] = {
        "id": event.id,
        "node_id": node_id("EV", event.id),
        "url": f"{api(call.world, call.repository)}/issues/events/{event.id}",
        "actor": simple_user(call.world, event.actor),
        "event": event.kind,
        "commit_id": issue.merge_sha if isinstance(issue, Pull) and event.kind == "merged" else None,
        "commit_url": None,
        "created_at": stamp(event.created_at),
        "performed_via_github_app": None,
    }
    label = call.repository.labels.get(event.label.lower())
    if event.label:
        view["label"] = {"name": event.label, "color": label.color if label else "ededed"}
    return view
