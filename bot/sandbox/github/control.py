"""The sandbox's own HTTP controls under `/_sandbox`; real GitHub has nothing of the kind.

All bodies are JSON objects. `POST` unless said otherwise:

* `GET /_sandbox` what there is: repositories, pull requests, addresses
* `/_sandbox/repos` `{"full_name", "files": {path: text}, "default_branch"?}`
* `/_sandbox/users` `{"login"}` -> `{"token"}`; `/_sandbox/collaborators` `{"repo", "login", "permission"}`
* `/_sandbox/apps` `{"slug", "owner"?}` -> `{"app_id", "private_key", "installation_id"}`
* `/_sandbox/act` `{"as": login, "do": push|approve|comment|label|unlabel|close|reopen|merge|status|check|press|open, "repo", ...}` with the
  fields of the method of `GitHubSandbox` of that name (`number`, `body`, `files`, `message`, `branch`, `sha`, `context`, `state`,
  `name`, `conclusion`)
* `/_sandbox/protect` `{"repo", "branch", ...fields of Protection}`
* `/_sandbox/faults` `{"method", "route", "kind", "at"?, "times"?}`; `DELETE` clears; `GET` shows the script with its counters
* `GET /_sandbox/deliveries`; `/_sandbox/deliveries` `{"do": hold|release|redeliver|lose|fail|duplicate|delay|reorder|clear, "times"?,
  "event"?, "seconds"?, "id"?}`
* `GET /_sandbox/ledger` all counted requests; `DELETE` forgets them
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from bot.sandbox.github.deliveries import Deliveries
from bot.sandbox.github.delivery import anything
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.views.times import stamp

if TYPE_CHECKING:
    from bot.sandbox.github.server import GitHubSandbox

Fields = dict[str, Any]
Control = Callable[["GitHubSandbox", Fields], Any]
HOME = "/_sandbox"


def add_controls(application: FastAPI, sandbox: "GitHubSandbox") -> None:
    """Hang the controls into the application."""
    table: list[tuple[str, str, Control]] = [
        ("GET", "", _overview),
        ("POST", "/repos", _repo),
        ("POST", "/users", lambda box, given: {"token": box.add_user(given["login"])}),
        ("POST", "/collaborators", lambda box, given: box.add_collaborator(given["repo"], given["login"], given["permission"])),
        ("POST", "/apps", _app),
        ("POST", "/act", _act),
        ("POST", "/protect", lambda box, given: box.protect(given.pop("repo"), given.pop("branch"), **_tuples(given))),
        ("POST", "/faults", _fault),
        ("GET", "/faults", lambda box, given: [asdict(fault) for fault in box.faults.script]),
        ("DELETE", "/faults", lambda box, given: box.faults.clear()),
        ("POST", "/deliveries", lambda box, given: _deliver(box.deliveries, given)),
        ("GET", "/deliveries", lambda box, given: _delivery_log(box.deliveries)),
        ("GET", "/ledger", _ledger),
        ("DELETE", "/ledger", lambda box, given: box.ledger.reset()),
    ]
    for method, path, control in table:
        application.add_route(HOME + path, _endpoint(sandbox, control), methods=[method])


def _endpoint(sandbox: "GitHubSandbox", control: Control) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def endpoint(http: HttpRequest) -> Response:
        body = await http.body()
        try:
            given = json.loads(body) if body else {}
            answer = await run_in_threadpool(control, sandbox, given)
        except ApiError as error:
            return JSONResponse(error.body(), status_code=error.status)
        except (ValueError, KeyError, TypeError, LookupError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=422)
        return JSONResponse({"ok": True} if answer is None else answer)

    return endpoint


def _overview(sandbox: "GitHubSandbox", given: Fields) -> Any:
    found = []
    for repository in sandbox.world.repositories.values():
        pulls = [
            {"number": pull.number, "title": pull.title, "state": "merged" if pull.merged_at else pull.state, "head": pull.head_sha}
            for pull in repository.pulls()
        ]
        found.append({"full_name": repository.full_name, "clone_url": sandbox.clone_url(repository.full_name), "pulls": pulls})
    return {"api": sandbox.api_url, "graphql": sandbox.graphql_url, "repositories": found}


def _repo(sandbox: "GitHubSandbox", given: Fields) -> Any:
    repository = sandbox.create_repo(given["full_name"], given.get("files"), default_branch=given.get("default_branch", "main"))
    return {"id": repository.id, "clone_url": sandbox.clone_url(repository.full_name)}


def _app(sandbox: "GitHubSandbox", given: Fields) -> Any:
    number, key, installation = sandbox.create_app(given["slug"], owner=given.get("owner", "acme"))
    return {"app_id": number, "private_key": key, "installation_id": installation}


def _act(sandbox: "GitHubSandbox", given: Fields) -> Any:
    repo, login = given["repo"], given["as"]
    number = int(given.get("number", 0))
    match given["do"]:
        case "push":
            sha = sandbox.push(repo, given["branch"], given["files"], message=given["message"], author=login, base=given.get("base"))
            return {"sha": sha}
        case "open":
            pull = sandbox.open_pr(repo, title=given["title"], head=given["head"], base=given["base"], author=login, body=given.get("body"))
            return {"number": pull.number}
        case "approve":
            return {"id": sandbox.approve(repo, number, login, state=given.get("state", "APPROVED")).id}
        case "comment":
            return {"id": sandbox.comment(repo, number, login, given["body"]).id}
        case "label" | "unlabel":
            sandbox.label(repo, number, login, given["name"], remove=given["do"] == "unlabel")
        case "close":
            sandbox.close_pr(repo, number, login)
        case "reopen":
            sandbox.reopen_pr(repo, number, login)
        case "merge":
            return {"sha": sandbox.merge_pr(repo, number, login, method=given.get("method", "merge"))}
        case "status":
            sandbox.set_status(repo, given["sha"], given["context"], given["state"], login=login)
        case "check":
            sandbox.set_check(repo, given["sha"], given["name"], given.get("conclusion"))
        case "press":
            sandbox.press_button(repo, int(given["check"]), login, given["button"])
        case unknown:
            raise ValueError(f"nobody can do {unknown!r}")
    return None


def _tuples(given: Fields) -> Fields:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _fault(sandbox: "GitHubSandbox", given: Fields) -> None:
    sandbox.faults.add(given["method"], given["route"], kind=given["kind"], at=int(given.get("at", 1)), times=given.get("times", 1))


def _deliver(deliveries: Deliveries, given: Fields) -> Any:
    event = given.get("event")
    match given["do"]:
        case "hold":
            deliveries.hold()
        case "release":
            deliveries.release(newest_first=bool(given.get("newest_first", False)))
        case "clear":
            deliveries.clear_tampers()
        case "redeliver":
            return {"id": deliveries.redeliver(int(given["id"])).id}
        case kind:
            deliveries.tamper(
                kind,
                int(given.get("times", 1)),
                matches=(lambda delivery: delivery.event == event) if event else anything,
                seconds=float(given.get("seconds", 0)),
                new_guid=bool(given.get("new_guid", False)),
            )
    return None


def _delivery_log(deliveries: Deliveries) -> Any:
    return [
        {
            "id": item.id,
            "guid": item.guid,
            "event": item.event,
            "action": item.action,
            "status": item.status,
            "status_code": item.status_code,
            "redelivery": item.redelivery,
            "delivered_at": stamp(item.delivered_at),
            "url": item.target.url,
        }
        for item in deliveries.log
    ]


def _ledger(sandbox: "GitHubSandbox", given: Fields) -> Any:
    ledger = sandbox.ledger
    entries = [asdict(entry) | {"at": stamp(entry.at)} for entry in ledger.entries]
    counts = {"rest": len(ledger.rest), "graphql": len(ledger.graphql), "git": len(ledger.git)}
    return {
        "counts": counts,
        "rest": ledger.count("rest"),
        "graphql": ledger.count("graphql"),
        "git": ledger.count("git"),
        "entries": entries,
    }
