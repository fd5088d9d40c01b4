"""Labels, comments, reactions and plain issues."""

from bot.sandbox.github.access import Caller
from bot.sandbox.github.accounts import App
from bot.sandbox.github.errors import ApiError, invalid, not_found
from bot.sandbox.github.state import Comment, Issue, Label, Pull, Reaction, Repository, TimelineEvent
from bot.sandbox.github.world import Event, World

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
BODY_LIMIT = 65536


def create_label(
    world: World, repository: Repository, caller: Caller, name: str, *, color: str = "ededed", description: str | None = None
) -> Label:
    """A label of the repository; 422 if it is there already."""
    if name.lower() in repository.labels:
        raise ApiError(422, "Validation Failed", errors=[{"resource": "Label", "code": "already_exists", "field": "name"}])
    if not name.strip() or len(name) > 50:
        raise invalid("Label", "name", code="invalid")
    label = Label(id=world.next_id(), name=name, color=color.lstrip("#"), description=description, created_at=world.now())
    repository.labels[name.lower()] = label
    world.emit(Event(name="label", action="created", repository=repository, sender=caller.account, details={"label": label}))
    return label


def label_named(world: World, repository: Repository, caller: Caller, name: str) -> Label:
    """The label, made on the spot if the repository has none of that name, as REST does when it is added to an issue."""
    return repository.labels.get(name.lower()) or create_label(world, repository, caller, name)


def add_labels(world: World, repository: Repository, caller: Caller, issue: Issue, labels: list[Label]) -> None:
    """Put labels on; those that are there stay as they are."""
    for label in labels:
        if label not in issue.labels:
            issue.labels.append(label)
            _record(world, repository, caller, issue, label, "labeled")


def remove_label(world: World, repository: Repository, caller: Caller, issue: Issue, name: str) -> None:
    """Take a label off; 404 if it is not on."""
    label = repository.labels.get(name.lower())
    if label is None or label not in issue.labels:
        raise ApiError(404, "Label does not exist")
    issue.labels.remove(label)
    _record(world, repository, caller, issue, label, "unlabeled")


def set_labels(world: World, repository: Repository, caller: Caller, issue: Issue, labels: list[Label]) -> None:
    """Exactly these labels."""
    for label in [label for label in issue.labels if label not in labels]:
        remove_label(world, repository, caller, issue, label.name)
    add_labels(world, repository, caller, issue, labels)


def _record(world: World, repository: Repository, caller: Caller, issue: Issue, label: Label, kind: str) -> None:
    now = world.now()
    issue.updated_at = now
    issue.timeline.append(TimelineEvent(id=world.next_id(), kind=kind, actor=caller.account, label=label.name, created_at=now))
    if isinstance(issue, Pull):
        details = {"pull": issue, "label": label}
        world.emit(Event(name="pull_request", action=kind, repository=repository, sender=caller.account, details=details))


def create_comment(world: World, repository: Repository, caller: Caller, issue: Issue, body: str, *, via: App | None = None) -> Comment:
    """A new comment; `via` is the App that a person used."""
    if not body.strip():
        raise invalid("IssueComment", "body", "Body cannot be blank")
    if len(body) > BODY_LIMIT:
        raise invalid("IssueComment", "body", f"Body is too long (maximum is {BODY_LIMIT} characters)")
    now = world.now()
    comment = Comment(id=world.next_id(), author=caller.account, app=via or caller.through_app, body=body, created_at=now, updated_at=now)
    issue.comments.append(comment)
    issue.updated_at = now
    _tell(world, repository, caller, issue, comment, "created")
    return comment


def edit_comment(world: World, repository: Repository, caller: Caller, issue: Issue, comment: Comment, body: str) -> None:
    """Change the text; the author stays."""
    if not body.strip():
        raise invalid("IssueComment", "body", "Body cannot be blank")
    if len(body) > BODY_LIMIT:
        raise invalid("IssueComment", "body", f"Body is too long (maximum is {BODY_LIMIT} characters)")
    before, comment.body = comment.body, body
    comment.updated_at = comment.edited_at = world.now()
    _tell(world, repository, caller, issue, comment, "edited", before=before)


def delete_comment(world: World, repository: Repository, caller: Caller, issue: Issue, comment: Comment) -> None:
    """Remove it."""
    issue.comments.remove(comment)
    _tell(world, repository, caller, issue, comment, "deleted")


def _tell(world: World, repository: Repository, caller: Caller, issue: Issue, comment: Comment, action: str, before: str = "") -> None:
    details = {"issue": issue, "comment": comment, "before": before}
    world.emit(Event(name="issue_comment", action=action, repository=repository, sender=caller.account, details=details))


def find_comment(repository: Repository, number: int) -> tuple[Issue, Comment]:
    """The comment with this id and what it stands on, or 404."""
    for issue in repository.issues.values():
        for comment in issue.comments:
            if comment.id == number:
                return issue, comment
    raise not_found()


def react(world: World, caller: Caller, comment: Comment, content: str) -> tuple[Reaction, bool]:
    """The reaction, and whether it is new."""
    if content not in REACTIONS:
        raise invalid("Reaction", "content", code="invalid")
    for reaction in comment.reactions:
        if reaction.author is caller.account and reaction.content == content:
            return reaction, False
    reaction = Reaction(id=world.next_id(), author=caller.account, content=content, created_at=world.now())
    comment.reactions.append(reaction)
    return reaction, True


def unreact(caller: Caller, comment: Comment, content: str) -> Reaction:
    """Take one's own reaction back."""
    for reaction in comment.reactions:
        if reaction.author is caller.account and reaction.content == content:
            comment.reactions.remove(reaction)
            return reaction
    raise not_found()


def open_issue(world: World, repository: Repository, caller: Caller, *, title: str, body: str | None) -> Issue:
    """A plain issue."""
    if not title.strip():
        raise ApiError(422, "Validation Failed", errors=[{"resource": "Issue", "code": "missing_field", "field": "title"}])
    now = world.now()
    issue = Issue(
        id=world.next_id(),
        number=repository.next_number,
        title=title,
        body=body,
        author=caller.account,
        app=caller.through_app,
        created_at=now,
        updated_at=now,
    )
    repository.next_number += 1
    repository.issues[issue.number] = issue
    return issue
