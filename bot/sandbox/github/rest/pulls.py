"""Pull requests, their files, commits, reviews and merges."""

from bot.sandbox.github.errors import ApiError, not_found
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.history import compare
from bot.sandbox.github.rest.call import Answer, Call, Routes, page_of
from bot.sandbox.github.service import merging, pulls, refs, reviews
from bot.sandbox.github.state import Pull, Review
from bot.sandbox.github.views.commits import commit_view, file_view, full_commit
from bot.sandbox.github.views.pulls import full_pull, review_view, simple_pull
from bot.sandbox.github.world import find_pull

routes = Routes()
PULLS = "/repos/{owner}/{repo}/pulls"
PULL = PULLS + "/{pull_number}"


def the_pull(call: Call) -> Pull:
    """The pull request of the path."""
    return find_pull(call.repository, call.number("pull_number"))


def shown(call: Call, pull: Pull, *, fresh: bool = False) -> dict[str, object]:
    """The whole pull request; right after its making GitHub does not know yet whether it merges."""
    mergeable, state = (None, "unknown") if fresh else merging.mergeability(call.world, call.repository, pull)
    return full_pull(call.world, call.repository, pull, mergeable=mergeable, mergeable_state=state)


@routes.add("GET", PULLS, needs="pull_requests=read")
def list_pulls(call: Call) -> Answer:
    """By state, head (`owner:branch`) and base; newest first unless asked otherwise."""
    query, owner = call.request.query, call.repository.owner.login.lower()
    state, head, base = query.get("state", "open"), query.get("head", ""), query.get("base", "")
    if state not in ("open", "closed", "all"):
        raise ApiError(422, "Validation Failed", errors=[{"resource": "PullRequest", "code": "invalid", "field": "state"}])
    found = [pull for pull in call.repository.pulls() if state in ("all", pull.state)]
    if ":" in head:
        wanted, _, branch = head.partition(":")
        found = [pull for pull in found if wanted.lower() == owner and pull.head_ref == branch]
    if base:
        found = [pull for pull in found if pull.base_ref == base]
    sort = query.get("sort", "created")
    found.sort(key=lambda pull: (pull.updated_at if sort == "updated" else pull.created_at, pull.number))
    if query.get("direction", "desc" if sort == "created" else "asc") == "desc":
        found.reverse()
    page, links = page_of(call, found)
    return Answer(body=[simple_pull(call.world, call.repository, pull) for pull in page], headers=links)


@routes.add("POST", PULLS, needs="pull_requests=write", role="read")
def create_pull(call: Call) -> Answer:
    """Open one."""
    pull = pulls.open_pull(
        call.world,
        call.repository,
        call.caller,
        title=call.need("title"),
        head=call.need("head"),
        base=call.need("base"),
        body=call.maybe("body"),
        draft=bool(call.fields.get("draft", False)),
    )
    body = shown(call, pull, fresh=True)
    return Answer(status=201, body=body, headers={"location": str(body["url"])})


@routes.add("GET", PULL, needs="pull_requests=read")
def get_pull(call: Call) -> Answer:
    """One, with whether it merges."""
    return Answer(body=shown(call, the_pull(call)))


@routes.add("PATCH", PULL, needs="pull_requests=write")
def update_pull(call: Call) -> Answer:
    """Title, body, base, state."""
    pull = the_pull(call)
    changes: dict[str, object] = {name: call.fields[name] for name in ("title", "body", "base", "state") if name in call.fields}
    pulls.edit_pull(call.world, call.repository, call.caller, pull, changes)
    return Answer(body=shown(call, pull))


@routes.add("GET", PULL + "/files", needs="pull_requests=read")
def list_files(call: Call) -> Answer:
    """What it changes."""
    pull = the_pull(call)
    found = compare(call.repository.git, pull.base_sha, pull.head_sha)
    page, links = page_of(call, found.files[:3000] if found else ())
    return Answer(body=[file_view(call.world, call.repository, item, pull.head_sha) for item in page], headers=links)


@routes.add("GET", PULL + "/commits", needs="pull_requests=read")
def list_commits(call: Call) -> Answer:
    """Its commits, oldest first, at most 250."""
    pull = the_pull(call)
    found = compare(call.repository.git, pull.base_sha, pull.head_sha)
    page, links = page_of(call, found.ahead[:250] if found else ())
    return Answer(body=[commit_view(call.world, call.repository, sha) for sha in page], headers=links)


@routes.add("GET", PULL + "/merge", needs="contents=read")
def check_merged(call: Call) -> Answer:
    """204 if it was merged, 404 if not."""
    if the_pull(call).merged_at is None:
        raise not_found()
    return Answer(status=204)


@routes.add("PUT", PULL + "/merge", needs="contents=write")
def merge(call: Call) -> Answer:
    """Merge it, if `sha` still is its head."""
    sha = merging.merge_pull(
        call.world,
        call.repository,
        call.caller,
        the_pull(call),
        method=call.maybe("merge_method") or "merge",
        expected=call.maybe("sha"),
        wording=(call.maybe("commit_title"), call.maybe("commit_message")),
    )
    return Answer(body={"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@routes.add("PUT", PULL + "/update-branch", needs="pull_requests=write")
def update_branch(call: Call) -> Answer:
    """Merge the base into the head branch."""
    pull, git, world = the_pull(call), call.repository.git, call.world
    if call.maybe("expected_head_sha") not in (None, pull.head_sha):
        raise ApiError(422, "expected head sha didn’t match current head ref.")
    tip = git.branch(pull.base_ref)
    if tip is None or git.is_ancestor(tip, pull.head_sha):
        raise ApiError(422, "There are no new commits on the base branch.")
    merged = git.merge(pull.head_sha, tip)
    if merged.conflicts:
        raise ApiError(422, "merge conflict between base and head")
    text = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    author = world.signature(call.caller.account)
    sha = git.commit_tree(merged.tree, [pull.head_sha, tip], message=text, author=author, committer=world.web_flow())
    call.repository.verified.add(sha)
    refs.advance(world, call.repository, call.caller, f"refs/heads/{pull.head_ref}", pull.head_sha, sha)
    url = f"{world.base_url}/repos/{call.repository.full_name}/pulls/{pull.number}"
    return Answer(status=202, body={"message": "Updating pull request branch.", "url": url})


@routes.add("GET", PULL + "/reviews", needs="pull_requests=read")
def list_reviews(call: Call) -> Answer:
    """Oldest first."""
    pull = the_pull(call)
    page, links = page_of(call, pull.reviews)
    return Answer(body=[review_view(call.world, call.repository, pull, review) for review in page], headers=links)


@routes.add("POST", PULL + "/reviews", needs="pull_requests=write", role="read")
def create_review(call: Call) -> Answer:
    """Submit a review."""
    pull = the_pull(call)
    review = reviews.submit_review(
        call.world,
        call.repository,
        call.caller,
        pull,
        event=call.need("event"),
        body=call.maybe("body") or "",
        commit_id=call.maybe("commit_id"),
    )
    return Answer(body=review_view(call.world, call.repository, pull, review))


@routes.add("PUT", PULL + "/reviews/{review_id}/dismissals", needs="pull_requests=write")
def dismiss_review(call: Call) -> Answer:
    """Take the weight off a review."""
    pull, number = the_pull(call), call.number("review_id")
    review: Review | None = next((item for item in pull.reviews if item.id == number), None)
    if review is None:
        raise not_found()
    call.need("message")
    reviews.dismiss_review(call.world, call.repository, call.caller, pull, review)
    return Answer(body=review_view(call.world, call.repository, pull, review))


@routes.add("POST", "/repos/{owner}/{repo}/merges", needs="contents=write")
def merge_branch(call: Call) -> Answer:
    """Merge one branch into another without a pull request; 204 when there is nothing to do, 409 for a conflict."""
    git, world = call.repository.git, call.world
    base, head = call.need("base"), call.need("head")
    tip, other = git.branch(base), git.commit_of(head)
    if tip is None or other is None:
        raise ApiError(404, "Base does not exist" if tip is None else "Head does not exist")
    if git.is_ancestor(other, tip):
        return Answer(status=204)
    merged = git.merge(tip, other)
    if merged.conflicts:
        raise ApiError(409, "Merge conflict")
    text = call.maybe("commit_message") or f"Merge {head} into {base}"
    author = world.signature(call.caller.account)
    sha = git.commit_tree(merged.tree, [tip, other], message=text, author=author, committer=world.web_flow())
    call.repository.verified.add(sha)
    if tip != ZERO:
        refs.advance(world, call.repository, call.caller, f"refs/heads/{base}", tip, sha)
    return Answer(status=201, body=full_commit(world, call.repository, sha))
