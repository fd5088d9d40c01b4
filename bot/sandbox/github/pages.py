"""What a person sees who opens a printed link: the repository, and a pull request with its state, checks, talk and diff.

Plain HTML without scripts; every word that somebody wrote is escaped.
"""

from collections.abc import Awaitable, Callable
from html import escape

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response

from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.history import compare
from bot.sandbox.github.service.merging import mergeability
from bot.sandbox.github.service.rules import latest_runs, latest_statuses
from bot.sandbox.github.state import Issue, Pull, Repository
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import World, find_issue

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
a{color:#0550ae} h1{font-size:1.5rem} h2{font-size:1.1rem;margin-top:2rem} code,pre{font:13px/1.45 ui-monospace,monospace}
pre{border:1px solid #d0d7de;border-radius:6px;padding:.75rem;overflow:auto} .state{border-radius:1rem;padding:.15rem .7rem;color:#fff}
.open{background:#1a7f37}.merged{background:#8250df}.closed{background:#cf222e}
.label{border:1px solid #d0d7de;border-radius:1rem;padding:0 .5rem}
.talk{border:1px solid #d0d7de;border-radius:6px;padding:.5rem .75rem;margin:.5rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
ins{background:#dafbe1;text-decoration:none} del{background:#ffebe9;text-decoration:none} small{color:#59636e}
@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}a{color:#58a6ff}small{color:#9198a1}
ins{background:#033a16}del{background:#67060c}}
"""


def add_pages(application: FastAPI, world: World) -> None:
    """Hang the pages into the application."""
    for path, build in (
        ("/", lambda parameters: home_page(world)),
        ("/{owner}/{repo}", lambda parameters: repository_page(world, world.repository(_name(parameters)))),
        ("/{owner}/{repo}/pull/{number:int}", lambda parameters: issue_page(world, parameters)),
        ("/{owner}/{repo}/issues/{number:int}", lambda parameters: issue_page(world, parameters)),
        ("/{owner}/{repo}/commit/{sha}", lambda parameters: commit_page(world, parameters)),
    ):
        application.add_route(path, _endpoint(world, build), methods=["GET"])


def _name(parameters: dict[str, str]) -> str:
    return f"{parameters['owner']}/{parameters['repo']}"


def _endpoint(world: World, build: Callable[[dict[str, str]], str]) -> Callable[[HttpRequest], Awaitable[Response]]:
    def locked(parameters: dict[str, str]) -> str:
        with world.lock:
            return build(parameters)

    async def endpoint(http: HttpRequest) -> Response:
        try:
            page = await run_in_threadpool(locked, http.path_params)
        except ApiError as error:
            return HTMLResponse(_page("Not found", "<h1>Not found</h1><p>This sandbox has nothing here.</p>"), status_code=error.status)
        return HTMLResponse(page, headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"})

    return endpoint


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>{body}</main></body></html>'
    )


def home_page(world: World) -> str:
    """Every repository."""
    rows = "".join(
        f'<li><a href="/{escape(item.full_name)}">{escape(item.full_name)}</a> '
        f"<small>{sum(1 for pull in item.pulls() if pull.state == 'open')} open</small></li>"
        for item in world.repositories.values()
    )
    return _page("Sandbox", f"<h1>Repositories</h1><ul>{rows}</ul>")


def state_of(issue: Issue) -> str:
    """merged, open or closed."""
    return "merged" if isinstance(issue, Pull) and issue.merged_at else issue.state


def repository_page(world: World, repository: Repository) -> str:
    """Pull requests, branches and the newest commits of the default branch."""
    name = escape(repository.full_name)
    pulls = "".join(
        f'<li><a href="/{name}/pull/{pull.number}">#{pull.number} {escape(pull.title)}</a> '
        f'<span class="state {state_of(pull)}">{state_of(pull)}</span></li>'
        for pull in reversed(repository.pulls())
    )
    tips = repository.git.refs()
    branches = "".join(f"<li>{escape(ref.removeprefix('refs/heads/'))} <code>{sha[:9]}</code></li>" for ref, sha in tips.items())
    tip = repository.git.branch(repository.settings.default_branch)
    commits = repository.git.text("log", "--max-count=20", "--format=%H %s", tip).splitlines() if tip else []
    lines = "".join(f'<li><a href="/{name}/commit/{line[:40]}"><code>{line[:9]}</code></a> {escape(line[41:])}</li>' for line in commits)
    clone = f"<p>Clone: <code>{escape(world.base_url)}/{name}.git</code></p>"
    return _page(
        repository.full_name,
        f"<h1>{name}</h1>{clone}<h2>Pull requests</h2><ul>{pulls or '<li>none</li>'}</ul>"
        f"<h2>Branches</h2><ul>{branches}</ul><h2>Commits</h2><ul>{lines}</ul>",
    )


def issue_page(world: World, parameters: dict[str, str]) -> str:
    """A pull request or issue."""
    repository = world.repository(_name(parameters))
    issue = find_issue(repository, int(parameters["number"]))
    name, state = escape(repository.full_name), state_of(issue)
    labels = " ".join(f'<span class="label">{escape(label.name)}</span>' for label in issue.labels)
    parts = [
        f'<p><a href="/{name}">{name}</a></p><h1>{escape(issue.title)} <small>#{issue.number}</small></h1>',
        f'<p><span class="state {state}">{state}</span> by {escape(issue.author.login)}, {stamp(issue.created_at)} {labels}</p>',
    ]
    if isinstance(issue, Pull):
        parts.append(_facts(world, repository, issue))
    parts.append(f'<div class="talk">{escape(issue.body or "")}</div><h2>Conversation</h2>')
    talk: list[tuple[int, str, str, str]] = [
        (item.id, item.author.login, str(stamp(item.created_at)), item.body) for item in issue.comments
    ]
    if isinstance(issue, Pull):
        talk += [(item.id, item.author.login, str(stamp(item.submitted_at)), f"[{item.state}] {item.body}") for item in issue.reviews]
    for _, login, when, text in sorted(talk):
        parts.append(f'<div class="talk"><small>{escape(login)}, {when}</small>\n{escape(text)}</div>')
    if isinstance(issue, Pull):
        parts.append(f"<h2>Changes</h2>{_diff(repository, issue.base_sha, issue.head_sha)}")
    return _page(f"{issue.title} #{issue.number}", "".join(parts))


def _facts(world: World, repository: Repository, pull: Pull) -> str:
    _, standing = mergeability(world, repository, pull)
    checks = [f"{status.context}: {status.state}" for status in latest_statuses(repository, pull.head_sha)]
    checks += [
        f"{run.name}: {run.conclusion or run.status}{' — ' + str(run.output['title']) if run.output.get('title') else ''}"
        for run in latest_runs(repository, pull.head_sha)
    ]
    rows = "".join(f"<li>{escape(line)}</li>" for line in checks) or "<li>none</li>"
    merged = f" Merged by {escape(pull.merged_by.login)} as <code>{(pull.merge_sha or '')[:9]}</code>." if pull.merged_by else ""
    branches = f"<code>{escape(pull.head_ref)}</code> ({pull.head_sha[:9]}) into <code>{escape(pull.base_ref)}</code>"
    return f"<p>{branches}: {standing}.{merged}</p><h2>Checks</h2><ul>{rows}</ul>"


def _diff(repository: Repository, base: str, head: str) -> str:
    found = compare(repository.git, base, head)
    parts = []
    for item in found.files if found else ():
        lines = []
        for line in (item.patch or "(binary)").splitlines():
            tag = {"+": "ins", "-": "del"}.get(line[:1])
            text = escape(line)
            lines.append(f"<{tag}>{text}</{tag}>" if tag else text)
        parts.append(f"<h3><code>{escape(item.path)}</code></h3><pre>{chr(10).join(lines)}</pre>")
    return "".join(parts) or "<p>none</p>"


def commit_page(world: World, parameters: dict[str, str]) -> str:
    """A commit with its changes against the first parent."""
    repository = world.repository(_name(parameters))
    sha = repository.git.commit_of(parameters["sha"])
    if sha is None:
        raise ApiError(404, "Not Found")
    parent = repository.git.commit_of(f"{sha}^")
    message = escape(repository.git.text("log", "-1", "--format=%B", sha))
    name = escape(repository.full_name)
    diff = _diff(repository, parent, sha) if parent else "<p>The first commit.</p>"
    return _page(sha[:9], f'<p><a href="/{name}">{name}</a></p><h1><code>{sha}</code></h1><div class="talk">{message}</div>{diff}')
