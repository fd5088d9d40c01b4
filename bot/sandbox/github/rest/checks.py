"""Commit statuses, check runs and deployments."""

from bot.sandbox.github.errors import not_found
from bot.sandbox.github.rest.call import Answer, Call, Routes, page_of
from bot.sandbox.github.rest.repos import commit_or_404
from bot.sandbox.github.service import checks
from bot.sandbox.github.service.rules import combined_state, latest_runs, latest_statuses
from bot.sandbox.github.state import Deployment
from bot.sandbox.github.views.checks import check_run_view, combined_status, deployment_status_view, deployment_view, status_view

routes = Routes()
HOME = "/repos/{owner}/{repo}"
DEPLOYMENT = HOME + "/deployments/{deployment_id}"


@routes.add("POST", HOME + "/statuses/{sha}", needs="statuses=write")
def create_status(call: Call) -> Answer:
    """Report a context."""
    status = checks.create_status(
        call.world,
        call.repository,
        call.caller,
        call.text("sha"),
        state=call.need("state"),
        context=call.maybe("context") or "default",
        description=call.maybe("description"),
        target_url=call.maybe("target_url"),
    )
    return Answer(status=201, body=status_view(call.world, call.repository, status))


@routes.add("GET", HOME + "/commits/{ref:path}/status", needs="statuses=read")
def get_combined_status(call: Call) -> Answer:
    """The newest status of each context, and all of them in one word."""
    sha = commit_or_404(call, call.text("ref"))
    latest = latest_statuses(call.repository, sha)
    page, links = page_of(call, latest)
    body = combined_status(call.world, call.repository, sha, list(page), combined_state(latest))
    return Answer(body=body | {"total_count": len(latest)}, headers=links)


@routes.add("GET", HOME + "/commits/{ref:path}/statuses", needs="statuses=read")
def list_statuses(call: Call) -> Answer:
    """Every status, newest first."""
    sha = commit_or_404(call, call.text("ref"))
    page, links = page_of(call, [status for status in reversed(call.repository.statuses) if status.sha == sha])
    return Answer(body=[status_view(call.world, call.repository, status) for status in page], headers=links)


@routes.add("GET", HOME + "/commits/{ref:path}/check-runs", needs="checks=read")
def list_check_runs(call: Call) -> Answer:
    """The newest run of each App and name (`filter=all`: every run)."""
    sha, query = commit_or_404(call, call.text("ref")), call.request.query
    runs = latest_runs(call.repository, sha)
    if query.get("filter") == "all":
        runs = [run for run in reversed(call.repository.check_runs.values()) if run.head_sha == sha]
    if "check_name" in query:
        runs = [run for run in runs if run.name == query["check_name"]]
    if "status" in query:
        runs = [run for run in runs if run.status == query["status"]]
    if "app_id" in query:
        runs = [run for run in runs if str(run.suite.app.id) == query["app_id"]]
    page, links = page_of(call, runs)
    body = {"total_count": len(runs), "check_runs": [check_run_view(call.world, call.repository, run) for run in page]}
    return Answer(body=body, headers=links)


@routes.add("POST", HOME + "/check-runs", needs="checks=write")
def create_check_run(call: Call) -> Answer:
    """A check run; Apps only."""
    run = checks.create_check_run(call.world, call.repository, call.caller, call.caller.through_app, call.fields)
    return Answer(status=201, body=check_run_view(call.world, call.repository, run))


@routes.add("GET", HOME + "/check-runs/{check_run_id}", needs="checks=read")
def get_check_run(call: Call) -> Answer:
    """One check run."""
    run = call.repository.check_runs.get(call.number("check_run_id"))
    if run is None:
        raise not_found()
    return Answer(body=check_run_view(call.world, call.repository, run))


@routes.add("PATCH", HOME + "/check-runs/{check_run_id}", needs="checks=write")
def update_check_run(call: Call) -> Answer:
    """Change one; only its own App may."""
    number = call.number("check_run_id")
    run = checks.update_check_run(call.world, call.repository, call.caller, call.caller.through_app, number, call.fields)
    return Answer(body=check_run_view(call.world, call.repository, run))


def the_deployment(call: Call) -> Deployment:
    """The deployment of the path."""
    found = call.repository.deployments.get(call.number("deployment_id"))
    if found is None:
        raise not_found()
    return found


@routes.add("GET", HOME + "/deployments", needs="deployments=read")
def list_deployments(call: Call) -> Answer:
    """Newest first, by environment, sha, ref or task."""
    query, found = call.request.query, list(reversed(call.repository.deployments.values()))
    for name in ("environment", "sha", "ref", "task"):
        if name in query:
            found = [item for item in found if getattr(item, name) == query[name]]
    page, links = page_of(call, found)
    return Answer(body=[deployment_view(call.world, call.repository, item) for item in page], headers=links)


@routes.add("POST", HOME + "/deployments", needs="deployments=write")
def create_deployment(call: Call) -> Answer:
    """A deployment of a ref."""
    call.need("ref")
    deployment = checks.create_deployment(call.world, call.repository, call.caller, call.fields)
    return Answer(status=201, body=deployment_view(call.world, call.repository, deployment))


@routes.add("GET", DEPLOYMENT, needs="deployments=read")
def get_deployment(call: Call) -> Answer:
    """One deployment."""
    return Answer(body=deployment_view(call.world, call.repository, the_deployment(call)))


@routes.add("GET", DEPLOYMENT + "/statuses", needs="deployments=read")
def list_deployment_statuses(call: Call) -> Answer:
    """Newest first."""
    deployment = the_deployment(call)
    page, links = page_of(call, list(reversed(deployment.statuses)))
    return Answer(body=[deployment_status_view(call.world, call.repository, deployment, item) for item in page], headers=links)


@routes.add("POST", DEPLOYMENT + "/statuses", needs="deployments=write")
def create_deployment_status(call: Call) -> Answer:
    """One more state."""
    deployment = the_deployment(call)
    status = checks.create_deployment_status(call.world, call.repository, call.caller, deployment, call.fields)
    return Answer(status=201, body=deployment_status_view(call.world, call.repository, deployment, status))
