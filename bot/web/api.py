"""/api/v1: the same verbs as on a pull request, for programs and the command line; and what stands where.

Everything but the list of commands needs a GitHub token (`Authorization: Bearer …`), by which the caller is known; what he may is asked of
the same desk as everywhere. Default deny: a route without `_caller` is listed in PUBLIC, and a test holds that.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.adapters.github.identity import Identities
from bot.app import Bot
from bot.commands.model import Problem, Surface
from bot.commands.shelf import as_rows
from bot.domain.errors import TransientError, UserError
from bot.domain.people import Person
from bot.reconcile.orders import Answer
from bot.reconcile.scenes import Said
from bot.web import api_lists
from bot.web.api_views import Numbered, promotions, stages, which
from bot.web.body import Rejected, read_body
from bot.web.strict_json import UNSTORABLE, BadJson, parse_object

log = structlog.get_logger("api")

PREFIX = "/api/v1"
PUBLIC = frozenset({f"{PREFIX}/commands"})
LARGEST = 1 << 16
STATUSES = {
    Problem.NONE: 200,
    Problem.USAGE: 422,
    Problem.NOT_FOUND: 404,
    Problem.UNAUTHORISED: 403,
    Problem.CONFLICT: 409,
    Problem.BLOCKED: 409,
    Problem.TOO_OFTEN: 429,
    Problem.UNAVAILABLE: 503,
}
EXITS = {
    Problem.NONE: 0,
    Problem.USAGE: 2,
    Problem.NOT_FOUND: 5,
    Problem.UNAUTHORISED: 4,
    Problem.CONFLICT: 6,
    Problem.BLOCKED: 3,
    Problem.TOO_OFTEN: 1,
    Problem.UNAVAILABLE: 1,
}
FIELDS = frozenset({"line", "stage", "promotion", "id", "dry_run"})


def router(bot: Bot, identities: Identities) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix=PREFIX, tags=["api"])

    @routes.get("/commands")
    async def commands() -> list[dict[str, Any]]:
        """Every verb: names, role, arguments, where it may be given. It is the reference page, so it needs no token."""
        return as_rows()

    @routes.post("/commands/run")
    async def run(request: Request) -> JSONResponse:
        """Carries one line out, as if the caller had written it: `{"line", "promotion"?, "stage"?, "id"?, "dry_run"?}`."""
        try:
            body = await read_body(request, largest=LARGEST)
            given = _checked(parse_object(body))
            actor = await run_in_threadpool(_caller, identities, request)
            return await run_in_threadpool(_run, bot, actor, given)
        except BadJson as error:
            return _refused(422, Problem.USAGE, f"The body is no JSON object: {error}.")
        except Rejected as rejected:
            return _rejected(rejected)

    @routes.get("/promotions")
    async def list_promotions(request: Request) -> JSONResponse:
        """Promotions of the stages that the caller may read; `?stage=`, `?service=`, `?state=`, `?number=` narrow it."""
        return await _listed(request, lambda actor: promotions(bot, actor, dict(request.query_params)))

    @routes.get("/stages")
    async def list_stages(request: Request) -> JSONResponse:
        """The stages that the caller may read, with what stands there."""
        return await _listed(request, lambda actor: stages(bot, actor))

    @routes.get("/services")
    async def list_services(request: Request) -> JSONResponse:
        """Services with what stands in each stage that the caller may read; `?stage=`, `?service=` narrow it."""
        return await _listed(request, lambda actor: api_lists.services(bot, actor, dict(request.query_params)))

    @routes.get("/versions")
    async def list_versions(request: Request) -> JSONResponse:
        """Versions that stand somewhere or are quarantined; `?stage=`, `?service=` narrow it."""
        return await _listed(request, lambda actor: api_lists.versions(bot, actor, dict(request.query_params)))

    @routes.get("/orders")
    async def list_orders(request: Request) -> JSONResponse:
        """What people ordered and is in force, and what the bot itself stopped; `?stage=`, `?service=` narrow it."""
        return await _listed(request, lambda actor: api_lists.orders(bot, actor, dict(request.query_params)))

    @routes.get("/freezes")
    async def list_freezes(request: Request) -> JSONResponse:
        """Configured and ordered freezes; `?stage=` narrows it."""
        return await _listed(request, lambda actor: api_lists.freezes(bot, actor, dict(request.query_params)))

    @routes.get("/incidents")
    async def list_incidents(request: Request) -> JSONResponse:
        """Incidents that were told; `?stage=`, `?service=`, `?state=` narrow it."""
        return await _listed(request, lambda actor: api_lists.incidents(bot, actor, dict(request.query_params)))

    async def _listed(request: Request, view: Any) -> JSONResponse:
        try:
            actor = await run_in_threadpool(_caller, identities, request)
            return JSONResponse(await run_in_threadpool(view, actor))
        except Rejected as rejected:
            return _rejected(rejected)

    return routes


def _caller(identities: Identities, request: Request) -> Person:
    """Who asks. 401 without a token that GitHub takes for a person's, 503 when GitHub cannot say."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() not in ("bearer", "token") or not token.strip():
        raise Rejected(401, "no token", "Send a GitHub token as `Authorization: Bearer …`; `gh auth token` prints one.")
    try:
        found = identities.person(token.strip())
    except TransientError as error:
        raise Rejected(503, "unavailable", error.what) from error
    if found is None:
        raise Rejected(401, "bad token", "GitHub does not take this token for a person's.")
    return found


def _checked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = sorted(given.keys() - FIELDS)
    if unknown:
        raise Rejected(422, Problem.USAGE.value, f"There is no field {unknown[0][:40]!r}. The fields are {', '.join(sorted(FIELDS))}.")
    kinds: tuple[tuple[str, type], ...] = (("line", str), ("stage", str), ("id", str), ("dry_run", bool))
    for name, kind in kinds:
        if name in given and not isinstance(given[name], kind):
            raise Rejected(422, Problem.USAGE.value, f"The field {name!r} must be a {'text' if kind is str else 'truth value'}.")
        if kind is str and UNSTORABLE.search(given.get(name, "")):
            raise Rejected(422, Problem.USAGE.value, f"The field {name!r} holds a sign that cannot be stored: NUL or half of a pair.")
    number = given.get("promotion")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31):
        raise Rejected(422, Problem.USAGE.value, "The field 'promotion' must be the number of a pull request.")
    if not str(given.get("line", "")).strip():
        raise Rejected(422, Problem.USAGE.value, "The field 'line' must hold a command, such as `approve prod`.")
    if not str(given.get("id", "x")).isascii() or len(str(given.get("id", ""))) > 100:
        raise Rejected(422, Problem.USAGE.value, "The field 'id' must be at most 100 ASCII signs.")
    return given


def _run(bot: Bot, actor: Person, given: Mapping[str, Any]) -> JSONResponse:
    number, stage = given.get("promotion"), str(given.get("stage", ""))
    if number is not None:
        found = which(bot, Numbered(number=number, stage=stage))
        if not found.stage:
            return _refused(409 if found.problem is Problem.CONFLICT else 404, found.problem, found.told)
        stage = found.stage
    key = f"api:{actor.id}:{given.get('id') or secrets.token_hex(8)}"
    said = Said(actor=actor, at=bot.parts.clock(), key=key, stage=stage if number is not None else "", number=number)
    try:
        answer = bot.desk.run(str(given["line"]), said, surface=Surface.CLI, dry_run=bool(given.get("dry_run", False)))
    except (TransientError, UserError) as error:
        return _refused(503, Problem.UNAVAILABLE, error.what)
    return _answered(answer, dry_run=bool(given.get("dry_run", False)))


def _answered(answer: Answer, *, dry_run: bool) -> JSONResponse:
    content = {
        "apiVersion": "promotion-bot/v1",
        "kind": "CommandResult",
        "outcome": answer.outcome.value,
        "verb": answer.verb,
        "told": answer.told,
        "problem": answer.problem.value,
        "stages": list(answer.stages),
        "orders": list(answer.orders),
        "dry_run": dry_run,
        "exit_code": EXITS[answer.problem],
    }
    return JSONResponse(content, status_code=STATUSES[answer.problem])


def _refused(status: int, problem: Problem, told: str) -> JSONResponse:
    content: dict[str, Any] = {
        "apiVersion": "promotion-bot/v1",
        "kind": "CommandResult",
        "outcome": "refused",
        "verb": "",
        "told": told,
        "problem": problem.value,
        "stages": [],
        "orders": [],
        "dry_run": False,
        "exit_code": EXITS[problem],
    }
    return JSONResponse(content, status_code=status)


def _rejected(rejected: Rejected) -> JSONResponse:
    problems = {401: Problem.UNAUTHORISED, 503: Problem.UNAVAILABLE}
    answer = _refused(rejected.status, problems.get(rejected.status, Problem.USAGE), rejected.what)
    if rejected.status == 401:
        answer.headers["www-authenticate"] = "Bearer"
    if rejected.status in (408, 413):
        answer.headers["connection"] = "close"
    return answer
