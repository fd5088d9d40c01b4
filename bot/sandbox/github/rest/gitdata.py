"""The git database: refs, trees, blobs and commits as objects."""

import base64
import binascii

from bot.sandbox.github.errors import ApiError, not_found, unprocessable
from bot.sandbox.github.history import read_commit
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.rest.call import Answer, Call, Routes, page_of
from bot.sandbox.github.service import refs
from bot.sandbox.github.service.commits import write_blob, write_commit, write_tree
from bot.sandbox.github.views.commits import git_commit
from bot.sandbox.github.views.repos import api, ref_view

routes = Routes()
DATABASE = "/repos/{owner}/{repo}/git"


@routes.add("GET", DATABASE + "/ref/{ref:path}", needs="contents=read")
def get_ref(call: Call) -> Answer:
    """One ref, named without `refs/`."""
    ref = "refs/" + call.text("ref")
    sha = call.repository.git.refs("refs/").get(ref)
    if sha is None:
        raise not_found()
    return Answer(body=ref_view(call.world, call.repository, ref, sha, call.repository.git.object_type(sha) or "commit"))


@routes.add("GET", DATABASE + "/matching-refs/{ref:path}", needs="contents=read")
def list_matching_refs(call: Call) -> Answer:
    """Every ref that begins so."""
    start, git = "refs/" + call.text("ref"), call.repository.git
    found, links = page_of(call, [item for item in git.refs("refs/").items() if item[0].startswith(start)])
    body = [ref_view(call.world, call.repository, ref, sha, git.object_type(sha) or "commit") for ref, sha in found]
    return Answer(body=body, headers=links)


@routes.add("POST", DATABASE + "/refs", needs="contents=write")
def create_ref(call: Call) -> Answer:
    """A new ref."""
    ref, sha = call.need("ref"), call.need("sha")
    refs.create_ref(call.world, call.repository, call.caller, ref, sha)
    return Answer(status=201, body=ref_view(call.world, call.repository, ref, sha))


@routes.add("PATCH", DATABASE + "/refs/{ref:path}", needs="contents=write")
def update_ref(call: Call) -> Answer:
    """Move a ref."""
    ref, sha = "refs/" + call.text("ref"), call.need("sha")
    refs.update_ref(call.world, call.repository, call.caller, ref, sha, force=bool(call.fields.get("force", False)))
    return Answer(body=ref_view(call.world, call.repository, ref, sha))


@routes.add("DELETE", DATABASE + "/refs/{ref:path}", needs="contents=write")
def delete_ref(call: Call) -> Answer:
    """Remove a ref."""
    refs.delete_ref(call.world, call.repository, call.caller, "refs/" + call.text("ref"))
    return Answer(status=204)


@routes.add("POST", DATABASE + "/blobs", needs="contents=write")
def create_blob(call: Call) -> Answer:
    """A blob, from text or base64."""
    content = call.need("content").encode()
    if call.maybe("encoding") == "base64":
        try:
            content = base64.b64decode(content, validate=False)
        except binascii.Error:
            raise unprocessable("content is not valid Base64") from None
    sha = write_blob(call.repository, content)
    return Answer(status=201, body={"url": f"{api(call.world, call.repository)}/git/blobs/{sha}", "sha": sha})


@routes.add("GET", DATABASE + "/blobs/{file_sha}", needs="contents=read")
def get_blob(call: Call) -> Answer:
    """A blob's bytes."""
    sha, git = call.text("file_sha"), call.repository.git
    if git.object_type(sha) != "blob":
        raise not_found()
    raw = git.blob(sha)
    url = f"{api(call.world, call.repository)}/git/blobs/{sha}"
    packed = base64.encodebytes(raw).decode()
    body = {"sha": sha, "node_id": node_id("B", f"{call.repository.id}:{sha}"), "size": len(raw), "url": url}
    return Answer(body=body | {"content": packed, "encoding": "base64"})


@routes.add("POST", DATABASE + "/trees", needs="contents=write")
def create_tree(call: Call) -> Answer:
    """A tree from entries, on top of `base_tree`."""
    entries = call.fields.get("tree")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ApiError(422, "Invalid tree info")
    return Answer(status=201, body=_tree(call, write_tree(call.repository, call.maybe("base_tree"), entries), recursive=False))


@routes.add("GET", DATABASE + "/trees/{tree_sha:path}", needs="contents=read")
def get_tree(call: Call) -> Answer:
    """A tree's entries; `recursive` for all below."""
    git, asked = call.repository.git, call.text("tree_sha")
    commit = git.commit_of(asked)
    if commit is None and git.object_type(asked) != "tree":
        raise not_found()
    tree = asked if commit is None else read_commit(git, commit).tree
    return Answer(body=_tree(call, tree, recursive="recursive" in call.request.query))


def _tree(call: Call, sha: str, *, recursive: bool) -> dict[str, object]:
    url, entries = api(call.world, call.repository), []
    for mode, kind, oid, size, path in call.repository.git.listing(sha, recursive=recursive):
        entry: dict[str, object] = {"path": path, "mode": mode, "type": kind, "sha": oid, "url": f"{url}/git/{kind}s/{oid}"}
        entries.append(entry | ({"size": size} if kind == "blob" else {}))
    return {"sha": sha, "url": f"{url}/git/trees/{sha}", "tree": entries, "truncated": False}


@routes.add("POST", DATABASE + "/commits", needs="contents=write")
def create_commit(call: Call) -> Answer:
    """A commit object; no ref moves."""
    call.need("message"), call.need("tree")
    sha = write_commit(call.world, call.repository, call.caller, call.fields)
    return Answer(status=201, body=git_commit(call.world, call.repository, sha))


@routes.add("GET", DATABASE + "/commits/{commit_sha}", needs="contents=read")
def get_commit(call: Call) -> Answer:
    """A commit object."""
    sha = call.text("commit_sha")
    if call.repository.git.object_type(sha) != "commit":
        raise not_found()
    return Answer(body=git_commit(call.world, call.repository, sha))
