"""Reading repositories: the repository itself, branches, tags, commits, comparison, contents, the rules of a branch."""

import base64
import binascii
from urllib.parse import unquote

from bot.sandbox.github.access import RANK, app_permissions, role_of
from bot.sandbox.github.errors import ApiError, not_found
from bot.sandbox.github.git import Signature
from bot.sandbox.github.history import compare
from bot.sandbox.github.rest.call import Answer, Call, Routes, page_of
from bot.sandbox.github.service.commits import commit_on_branch, first_commit
from bot.sandbox.github.views.commits import commit_view, comparison_view, content_view, full_commit, git_commit, listing_view
from bot.sandbox.github.views.pulls import simple_pull
from bot.sandbox.github.views.repos import api, full_repository, page

routes = Routes()
HOME = "/repos/{owner}/{repo}"


def commit_or_404(call: Call, revision: str) -> str:
    """The commit that a branch, tag or id names; 422 as GitHub says it for what is none."""
    sha = call.repository.git.commit_of(revision)
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {revision}")
    return sha


@routes.add("GET", HOME, needs="metadata=read")
@routes.add("GET", "/repositories/{repository_id}", needs="metadata=read")
def get_repository(call: Call) -> Answer:
    """The repository, with what the caller may do."""
    caller, repository = call.visitor, call.repository
    if caller is not None and caller.installation is not None:
        role = "write" if app_permissions(caller).get("contents") == "write" else "read"
    else:
        role = role_of(call.world, repository, caller.account) if caller else "read"
    rank = RANK[role]
    rights = {
        name: rank >= RANK[least]
        for name, least in {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}.items()
    }
    return Answer(body=full_repository(call.world, repository, rights))


@routes.add("GET", HOME + "/branches", needs="contents=read")
def list_branches(call: Call) -> Answer:
    """Names and heads."""
    found, links = page_of(call, list(call.repository.git.refs().items()))
    url = api(call.world, call.repository)
    body = [
        {
            "name": name.removeprefix("refs/heads/"),
            "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
            "protected": name.removeprefix("refs/heads/") in call.repository.protections,
        }
        for name, sha in found
    ]
    return Answer(body=body, headers=links)


@routes.add("GET", HOME + "/branches/{branch:path}", needs="contents=read")
def get_branch(call: Call) -> Answer:
    """One branch with its head and whether it is protected."""
    name = call.text("branch")
    sha = call.repository.git.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    protection = call.repository.protections.get(name)
    url = f"{api(call.world, call.repository)}/branches/{name}"
    required = {
        "enforcement_level": "everyone" if protection and protection.checks else "off",
        "contexts": list(protection.checks) if protection else [],
        "checks": [{"context": context, "app_id": None} for context in protection.checks] if protection else [],
    }
    body = {
        "name": name,
        "commit": commit_view(call.world, call.repository, sha),
        "_links": {"self": url, "html": f"{page(call.world, call.repository)}/tree/{name}"},
        "protected": protection is not None,
        "protection": {"enabled": protection is not None, "required_status_checks": required},
        "protection_url": f"{url}/protection",
    }
    return Answer(body=body)


@routes.add("GET", HOME + "/rules/branches/{branch:path}", needs="metadata=read")
def get_branch_rules(call: Call) -> Answer:
    """The active rules of a branch, as a ruleset would show them."""
    protection = call.repository.protections.get(call.text("branch"))
    if protection is None:
        return Answer(body=[])
    home = {"ruleset_source_type": "Repository", "ruleset_source": call.repository.full_name, "ruleset_id": call.repository.id}
    rules: list[dict[str, object]] = []
    if not protection.allow_deletion:
        rules.append({"type": "deletion"})
    if not protection.allow_force:
        rules.append({"type": "non_fast_forward"})
    if protection.linear:
        rules.append({"type": "required_linear_history"})
    if protection.signatures:
        rules.append({"type": "required_signatures"})
    if protection.forbids_push():
        asked = {
            "required_approving_review_count": protection.reviews,
            "dismiss_stale_reviews_on_push": protection.dismiss_stale,
            "require_code_owner_review": False,
            "require_last_push_approval": False,
            "required_review_thread_resolution": False,
            "allowed_merge_methods": ["merge", "squash", "rebase"],
        }
        rules.append({"type": "pull_request", "parameters": asked})
    if protection.checks:
        checks = {
            "required_status_checks": [{"context": context} for context in protection.checks],
            "strict_required_status_checks_policy": protection.strict,
            "do_not_enforce_on_create": False,
        }
        rules.append({"type": "required_status_checks", "parameters": checks})
    return Answer(body=[rule | home for rule in rules])


@routes.add("GET", HOME + "/tags", needs="contents=read")
def list_tags(call: Call) -> Answer:
    """Tags with the commits that they name, newest name first."""
    repository = call.repository
    found, links = page_of(call, sorted(repository.git.refs("refs/tags/"), reverse=True))
    url, body = api(call.world, repository), []
    for ref in found:
        name, sha = ref.removeprefix("refs/tags/"), repository.git.commit_of(ref) or ""
        body.append(
            {
                "name": name,
                "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
                "zipball_url": f"{url}/zipball/{ref}",
                "tarball_url": f"{url}/tarball/{ref}",
                "node_id": f"{repository.id}:{ref}",
            }
        )
    return Answer(body=body, headers=links)


@routes.add("GET", HOME + "/commits", needs="contents=read")
def list_commits(call: Call) -> Answer:
    """The history of a branch (`sha`) or of a `path`, newest first."""
    query, git = call.request.query, call.repository.git
    start = query.get("sha") or f"refs/heads/{call.repository.settings.default_branch}"
    if not git.refs():
        raise ApiError(409, "Git Repository is empty.")
    sha = git.commit_of(start)
    if sha is None:
        raise not_found()
    found, links = page_of(call, git.commits(sha, path=query.get("path") or None))
    return Answer(body=[commit_view(call.world, call.repository, item) for item in found], headers=links)


@routes.add("GET", HOME + "/commits/{commit_sha}/pulls", needs="pull_requests=read")
def list_pulls_of_commit(call: Call) -> Answer:
    """The pull requests that brought, or carry, a commit."""
    sha, git = commit_or_404(call, call.text("commit_sha")), call.repository.git
    found = [
        pull
        for pull in call.repository.pulls()
        if sha == pull.merge_sha or (git.is_ancestor(sha, pull.head_sha) and not git.is_ancestor(sha, pull.base_sha))
    ]
    shown, links = page_of(call, found)
    return Answer(body=[simple_pull(call.world, call.repository, pull) for pull in shown], headers=links)


@routes.add("GET", HOME + "/commits/{ref:path}", needs="contents=read")
def get_commit(call: Call) -> Answer:
    """A commit with its files."""
    return Answer(body=full_commit(call.world, call.repository, commit_or_404(call, call.text("ref"))))


@routes.add("GET", HOME + "/compare/{basehead:path}", needs="contents=read")
def compare_commits(call: Call) -> Answer:
    """`base...head`."""
    base, dots, head = call.text("basehead").partition("...")
    git = call.repository.git
    base_sha, head_sha = git.commit_of(base.rpartition(":")[2]), git.commit_of(head.rpartition(":")[2])
    if not dots or base_sha is None or head_sha is None:
        raise not_found()
    found = compare(git, base_sha, head_sha)
    if found is None:
        raise ApiError(404, f"No common ancestor between {base} and {head}.")
    return Answer(body=comparison_view(call.world, call.repository, base_sha, head_sha, found))


@routes.add("GET", HOME + "/contents", needs="contents=read")
@routes.add("GET", HOME + "/contents/{path:path}", needs="contents=read")
def get_contents(call: Call) -> Answer:
    """A file with its bytes, or a folder's entries."""
    ref = call.request.query.get("ref") or call.repository.settings.default_branch
    git, path = call.repository.git, call.request.parameters.get("path", "").strip("/")
    sha = git.commit_of(ref)
    if sha is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    entry = git.entry(sha, path)
    if entry is None:
        raise not_found()
    if entry[1] != "tree":
        return Answer(body=content_view(call.world, call.repository, entry, path, ref))
    inside = [
        listing_view(call.world, call.repository, (mode, kind, oid), f"{path}/{name}".lstrip("/"), size, ref)
        for mode, kind, oid, size, name in git.listing(entry[2])
    ]
    return Answer(body=inside)


@routes.add("PUT", HOME + "/contents/{path:path}", needs="contents=write")
@routes.add("DELETE", HOME + "/contents/{path:path}", needs="contents=write")
def write_contents(call: Call) -> Answer:
    """Write or remove one file in one commit; `sha` is the blob that is replaced."""
    repository, world, path = call.repository, call.world, unquote(call.text("path"))
    branch, message = call.maybe("branch") or repository.settings.default_branch, call.need("message")
    tip = repository.git.branch(branch)
    removing = call.request.method == "DELETE"
    entry = repository.git.entry(tip, path) if tip else None
    given = call.maybe("sha")
    if entry is None and removing:
        raise not_found()
    if entry is not None and given is None:
        raise ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if (entry is not None and given != entry[2]) or (entry is None and given is not None):
        raise ApiError(409, f"{path} does not match {given}")
    try:
        content = None if removing else base64.b64decode(call.need("content"), validate=False)
    except binascii.Error:
        raise ApiError(422, "content is not valid Base64") from None
    if tip is None:
        if repository.git.refs():
            raise ApiError(404, f"Branch {branch} not found")
        sha = first_commit(world, repository, call.caller, branch, {path: content}, message)
    else:
        sha = commit_on_branch(world, repository, call.caller, branch, {path: content}, message=message, people=_people(call))
    written = repository.git.entry(sha, path)
    shown = None if written is None else content_view(world, repository, written, path, branch)
    return Answer(status=201 if entry is None else 200, body={"content": shown, "commit": git_commit(world, repository, sha)})


def _people(call: Call) -> tuple[Signature, Signature] | None:
    given = [call.fields.get(name) for name in ("author", "committer")]
    if not any(isinstance(person, dict) for person in given):
        return None
    own = call.world.signature(call.caller.account)
    made = [
        Signature(name=str(person.get("name", own.name)), email=str(person.get("email", own.email)), when=own.when)
        if isinstance(person, dict)
        else own
        for person in given
    ]
    return made[0], made[1]
