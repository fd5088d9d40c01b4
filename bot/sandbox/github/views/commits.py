"""How commits, trees, files and comparisons look in JSON."""

import base64
from typing import Any
from urllib.parse import quote

from bot.sandbox.github.git import Signature
from bot.sandbox.github.history import ChangedFile, Commit, Comparison, changes, read_commit
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.state import Repository
from bot.sandbox.github.views.people import maybe_user
from bot.sandbox.github.views.repos import api, page
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import World

Json = dict[str, Any]


def commit_node(repository: Repository, sha: str) -> str:
    """The node id of a commit."""
    return node_id("C", f"{repository.id}:{sha}")


def verification(repository: Repository, commit: Commit) -> Json:
    """`verification`: valid for the commits that the forge made and signed itself."""
    if commit.sha not in repository.verified:
        return {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
    return {
        "verified": True,
        "reason": "valid",
        "signature": "-----BEGIN PGP SIGNATURE-----\n\nsandbox\n-----END PGP SIGNATURE-----\n",
        "payload": f"tree {commit.tree}\n",
        "verified_at": stamp(commit.committer.when),
    }


def person(signature: Signature) -> Json:
    """Author or committer as it stands in the commit object."""
    return {"name": signature.name, "email": signature.email, "date": stamp(signature.when)}


def git_commit(world: World, repository: Repository, sha: str) -> Json:
    """`git-commit`."""
    commit = read_commit(repository.git, sha)
    url, web = api(world, repository), page(world, repository)
    return {
        "sha": sha,
        "node_id": commit_node(repository, sha),
        "url": f"{url}/git/commits/{sha}",
        "html_url": f"{web}/commit/{sha}",
        "author": person(commit.author),
        "committer": person(commit.committer),
        "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
        "message": commit.message,
        "parents": [
            {"sha": parent, "url": f"{url}/git/commits/{parent}", "html_url": f"{web}/commit/{parent}"} for parent in commit.parents
        ],
        "verification": verification(repository, commit),
    }


def commit_view(world: World, repository: Repository, sha: str) -> Json:
    """`commit` without its files, as it stands in lists."""
    commit = read_commit(repository.git, sha)
    url, web = api(world, repository), page(world, repository)
    return {
        "url": f"{url}/commits/{sha}",
        "sha": sha,
        "node_id": commit_node(repository, sha),
        "html_url": f"{web}/commit/{sha}",
        "comments_url": f"{url}/commits/{sha}/comments",
        "commit": {
            "url": f"{url}/git/commits/{sha}",
            "author": person(commit.author),
            "committer": person(commit.committer),
            "message": commit.message,
            "comment_count": 0,
            "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
            "verification": verification(repository, commit),
        },
        "author": maybe_user(world, world.account_of(commit.author)),
        "committer": maybe_user(world, world.account_of(commit.committer)),
        "parents": [{"sha": parent, "url": f"{url}/commits/{parent}", "html_url": f"{web}/commit/{parent}"} for parent in commit.parents],
    }


def full_commit(world: World, repository: Repository, sha: str) -> Json:
    """`commit` with its files and line counts."""
    files = changes(repository.git, read_commit(repository.git, sha))
    added, removed = sum(item.additions for item in files), sum(item.deletions for item in files)
    return commit_view(world, repository, sha) | {
        "stats": {"additions": added, "deletions": removed, "total": added + removed},
        "files": [file_view(world, repository, item, sha) for item in files[:300]],
    }


def file_view(world: World, repository: Repository, item: ChangedFile, sha: str) -> Json:
    """`diff-entry`."""
    path = quote(item.path, errors="surrogateescape")
    view: Json = {
        "sha": item.blob,
        "filename": item.path,
        "status": item.status,
        "additions": item.additions,
        "deletions": item.deletions,
        "changes": item.additions + item.deletions,
        "blob_url": f"{page(world, repository)}/blob/{sha}/{path}",
        "raw_url": f"{page(world, repository)}/raw/{sha}/{path}",
        "contents_url": f"{api(world, repository)}/contents/{path}?ref={sha}",
    }
    if item.patch is not None:
        view["patch"] = item.patch
    if item.previous is not None:
        view["previous_filename"] = item.previous
    return view


def comparison_view(world: World, repository: Repository, base: str, head: str, found: Comparison) -> Json:
    """`commit-comparison`; GitHub shows at most 250 commits and 300 files."""
    url = f"{api(world, repository)}/compare/{base}...{head}"
    web = f"{page(world, repository)}/compare/{base}...{head}"
    ahead = len(found.ahead)
    standing = "identical" if not ahead and not found.behind else "diverged" if ahead and found.behind else "ahead" if ahead else "behind"
    return {
        "url": url,
        "html_url": web,
        "permalink_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "base_commit": commit_view(world, repository, base),
        "merge_base_commit": commit_view(world, repository, found.merge_base),
        "status": standing,
        "ahead_by": ahead,
        "behind_by": found.behind,
        "total_commits": ahead,
        "commits": [commit_view(world, repository, sha) for sha in found.ahead[:250]],
        "files": [file_view(world, repository, item, head) for item in found.files[:300]],
    }


def content_view(world: World, repository: Repository, entry: tuple[str, str, str], path: str, ref: str) -> Json:
    """`content-file`: one file with its bytes in base64."""
    raw = repository.git.blob(entry[2])
    return listing_view(world, repository, entry, path, len(raw), ref) | {
        "content": base64.encodebytes(raw).decode(),
        "encoding": "base64",
    }


def listing_view(world: World, repository: Repository, entry: tuple[str, str, str], path: str, size: int, ref: str) -> Json:
    """One entry of `content-directory`."""
    mode, kind, oid = entry
    shown = "dir" if kind == "tree" else "submodule" if kind == "commit" else "symlink" if mode == "120000" else "file"
    quoted = quote(path, errors="surrogateescape")
    own = f"{api(world, repository)}/contents/{quoted}?ref={quote(ref, safe='')}"
    web = f"{page(world, repository)}/{'tree' if shown == 'dir' else 'blob'}/{ref}/{quoted}"
    database = f"{api(world, repository)}/git/{'trees' if shown == 'dir' else 'blobs'}/{oid}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": oid,
        "size": size,
        "url": own,
        "html_url": web,
        "git_url": database,
        "download_url": f"{page(world, repository)}/raw/{ref}/{quoted}" if shown == "file" else None,
        "type": shown,
        "_links": {"self": own, "git": database, "html": web},
    }
