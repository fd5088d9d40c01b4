"""Commit statuses, check runs and deployments: how CI and Apps report."""

from datetime import UTC, datetime
from typing import Any

from bot.sandbox.github.access import Caller
from bot.sandbox.github.accounts import App
from bot.sandbox.github.errors import ApiError, invalid, not_found, unprocessable
from bot.sandbox.github.service.merging import settle
from bot.sandbox.github.service.queue import advance
from bot.sandbox.github.state import CheckRun, CheckSuite, Deployment, DeploymentStatus, Repository, Status
from bot.sandbox.github.views.checks import suite_summary
from bot.sandbox.github.world import Event, World

STATUS_STATES = ("error", "failure", "pending", "success")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out")
MOST_ACTIONS = 3
ACTION_TEXTS = {"label": 20, "description": 40, "identifier": 20}
"""The longest that GitHub takes of each."""
DEPLOYMENT_STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


def create_status(
    world: World,
    repository: Repository,
    caller: Caller,
    sha: str,
    *,
    state: str,
    context: str = "default",
    description: str | None = None,
    target_url: str | None = None,
) -> Status:
    """A commit status; at most 1,000 of one context on a commit."""
    if state not in STATUS_STATES:
        raise invalid("Status", "state", code="custom")
    if repository.git.object_type(sha) != "commit":
        raise unprocessable(f"No commit found for SHA: {sha}")
    if description is not None and len(description) > 140:
        raise invalid("Status", "description", "description is too long (maximum is 140 characters)")
    if sum(1 for old in repository.statuses if old.sha == sha and old.context == context) >= 1000:
        raise invalid("Status", "context", "This SHA and context has reached the maximum number of statuses.")
    status = Status(
        id=world.next_id(),
        sha=sha,
        state=state,
        context=context,
        description=description,
        target_url=target_url or None,
        creator=caller.account,
        created_at=world.now(),
    )
    repository.statuses.append(status)
    world.emit(Event(name="status", action=None, repository=repository, sender=caller.account, details={"status": status}))
    settle(world, repository, sha)
    advance(world, repository)
    return status


def create_check_run(world: World, repository: Repository, caller: Caller, app: App | None, fields: dict[str, Any]) -> CheckRun:
    """A check run of an App; people's tokens may not."""
    if app is None:
        raise ApiError(403, "You must authenticate via a GitHub App.")
    sha, name = str(fields.get("head_sha", "")), str(fields.get("name", ""))
    if not name or not sha:
        raise ApiError(422, f'Invalid request.\n\n"{"name" if not name else "head_sha"}" wasn\'t supplied.')
    if repository.git.object_type(sha) != "commit":
        raise unprocessable(f"No commit found for SHA: {sha}")
    suite = _suite(world, repository, app, sha)
    run = CheckRun(id=world.next_id(), suite=suite, name=name, head_sha=sha)
    _fill(world, run, fields)
    repository.check_runs[run.id] = run
    _report(world, repository, caller, run, "created", was_completed=False)
    return run


def _suite(world: World, repository: Repository, app: App, sha: str) -> CheckSuite:
    for suite in repository.suites:
        if suite.app is app and suite.head_sha == sha:
            return suite
    branch = next((name.removeprefix("refs/heads/") for name, tip in repository.git.refs().items() if tip == sha), None)
    suite = CheckSuite(id=world.next_id(), app=app, head_sha=sha, head_branch=branch, created_at=world.now(), updated_at=world.now())
    repository.suites.append(suite)
    return suite


def update_check_run(
    world: World, repository: Repository, caller: Caller, app: App | None, number: int, fields: dict[str, Any]
) -> CheckRun:
    """Change a check run; only its own App may."""
    run = repository.check_runs.get(number)
    if run is None:
        raise not_found()
    if app is None:
        raise ApiError(403, "You must authenticate via a GitHub App.")
    if run.suite.app is not app:
        raise ApiError(403, f"Invalid app_id `{app.id}` - check run can only be modified by the GitHub App that created it.")
    was_completed = run.status == "completed"
    _fill(world, run, fields)
    _report(world, repository, caller, run, "completed", was_completed=was_completed)
    return run


def _fill(world: World, run: CheckRun, fields: dict[str, Any]) -> None:
    conclusion = fields.get("conclusion")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid("CheckRun", "conclusion", code="invalid")
    if fields.get("status") == "completed" and conclusion is None and run.conclusion is None:
        raise ApiError(422, 'Invalid request.\n\n"conclusion" wasn\'t supplied.')
    run.name = str(fields.get("name") or run.name)
    run.external_id = fields.get("external_id", run.external_id)
    run.details_url = fields.get("details_url", run.details_url)
    run.started_at = _time(fields.get("started_at")) or run.started_at or world.now()
    if conclusion is not None:
        run.status, run.conclusion = "completed", conclusion
        run.completed_at = _time(fields.get("completed_at")) or world.now()
    elif fields.get("status"):
        run.status = fields["status"]
        if run.status != "completed":
            run.conclusion = run.completed_at = None
    if fields.get("actions") is not None:
        run.actions = _actions(fields["actions"])
    output = fields.get("output")
    if isinstance(output, dict):
        for name in ("summary", "text"):
            if len(str(output.get(name) or "")) > 65535:
                raise invalid("CheckRun", f"output.{name}", f"{name} exceeds a maximum bytesize of 65535")
        run.output = run.output | {name: output.get(name) for name in ("title", "summary", "text") if name in output}


def _actions(given: object) -> tuple[dict[str, str], ...]:
    """The buttons: at most three, each with its three texts in full and none too long."""
    if not isinstance(given, list) or len(given) > MOST_ACTIONS:
        raise ApiError(422, f'Invalid request.\n\nNo more than {MOST_ACTIONS} items are allowed in "actions".')
    found = []
    for action in given:
        for name, longest in ACTION_TEXTS.items():
            text = action.get(name) if isinstance(action, dict) else None
            if not isinstance(text, str) or not text:
                raise ApiError(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
            if len(text) > longest:
                raise ApiError(422, f"Invalid request.\n\nOnly {longest} characters are allowed; {len(text)} were supplied.")
        found.append({name: action[name] for name in ACTION_TEXTS})
    return tuple(found)


def _time(text: object) -> datetime | None:
    if isinstance(text, datetime):
        return text
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise unprocessable(f"Invalid request.\n\n{text} is not a date-time.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _report(world: World, repository: Repository, caller: Caller, run: CheckRun, action: str, *, was_completed: bool) -> None:
    run.suite.updated_at = world.now()
    done = run.status == "completed"
    if action == "created" or done:
        details = {"run": run}
        world.emit(Event(name="check_run", action=action, repository=repository, sender=caller.account, details=details))
    if action == "created" and done:
        world.emit(Event(name="check_run", action="completed", repository=repository, sender=caller.account, details={"run": run}))
    if done and not was_completed and suite_summary(repository, run.suite)[0] == "completed":
        suite = {"suite": run.suite}
        world.emit(Event(name="check_suite", action="completed", repository=repository, sender=caller.account, details=suite))
    if done:
        settle(world, repository, run.head_sha)
        advance(world, repository)


def create_deployment(world: World, repository: Repository, caller: Caller, fields: dict[str, Any]) -> Deployment:
    """A deployment of a ref. Required contexts (all, unless the request names them) must be green: 409 if not."""
    ref = str(fields.get("ref") or "")
    sha = repository.git.commit_of(ref)
    if sha is None:
        raise ApiError(422, f"No ref found for: {ref}")
    contexts = fields.get("required_contexts")
    if contexts is None or contexts:
        bad = [
            status.context
            for status in repository.statuses
            if status.sha == sha and status.state != "success" and (contexts is None or status.context in contexts)
        ]
        if bad:
            raise ApiError(409, f"Conflict: Commit status checks failed for {ref}.")
    deployment = Deployment(
        id=world.next_id(),
        sha=sha,
        ref=ref,
        task=str(fields.get("task") or "deploy"),
        environment=str(fields.get("environment") or "production"),
        description=fields.get("description") or "",
        payload=fields.get("payload") or {},
        transient=bool(fields.get("transient_environment", False)),
        production=bool(fields.get("production_environment", fields.get("environment", "production") == "production")),
        creator=caller.account,
        app=caller.through_app,
        created_at=world.now(),
        updated_at=world.now(),
    )
    repository.deployments[deployment.id] = deployment
    return deployment


def create_deployment_status(
    world: World, repository: Repository, caller: Caller, deployment: Deployment, fields: dict[str, Any]
) -> DeploymentStatus:
    """One more state; a success makes older deployments of the environment inactive unless `auto_inactive` is false."""
    state = fields.get("state")
    if state not in DEPLOYMENT_STATES:
        raise invalid("DeploymentStatus", "state", code="custom")
    status = _add_status(world, caller, deployment, state, fields)
    if state == "success" and fields.get("auto_inactive", True):
        for other in repository.deployments.values():
            older = other is not deployment and other.environment == deployment.environment and not other.transient
            if older and other.statuses and other.statuses[-1].state == "success":
                _add_status(world, caller, other, "inactive", {})
    details = {"deployment": deployment, "status": status}
    world.emit(Event(name="deployment_status", action="created", repository=repository, sender=caller.account, details=details))
    return status


def _add_status(world: World, caller: Caller, deployment: Deployment, state: str, fields: dict[str, Any]) -> DeploymentStatus:
    status = DeploymentStatus(
        id=world.next_id(),
        state=state,
        description=str(fields.get("description") or ""),
        environment=str(fields.get("environment") or deployment.environment),
        log_url=str(fields.get("log_url") or fields.get("target_url") or ""),
        environment_url=str(fields.get("environment_url") or ""),
        creator=caller.account,
        app=caller.through_app,
        created_at=world.now(),
    )
    deployment.statuses.append(status)
    deployment.updated_at = status.created_at
    return status
