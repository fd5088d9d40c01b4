"""How statuses, check runs, suites and deployments look in JSON."""

from typing import Any

from bot.sandbox.github.ids import node_id
from bot.sandbox.github.state import CheckRun, CheckSuite, Deployment, DeploymentStatus, Repository, Status
from bot.sandbox.github.views.people import acting_app, app_view, simple_user
from bot.sandbox.github.views.repos import api, minimal_repository, number_link, page
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import World

Json = dict[str, Any]


def simple_status(world: World, repository: Repository, status: Status) -> Json:
    """`simple-commit-status`: inside the combined status."""
    return {
        "url": f"{api(world, repository)}/statuses/{status.sha}",
        "avatar_url": f"{world.base_url}/avatars/u/{status.creator.id}",
        "id": status.id,
        "node_id": node_id("SC", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": stamp(status.created_at),
        "updated_at": stamp(status.created_at),
    }


def status_view(world: World, repository: Repository, status: Status) -> Json:
    """`status`."""
    return simple_status(world, repository, status) | {"creator": simple_user(world, status.creator)}


def combined_status(world: World, repository: Repository, sha: str, latest: list[Status], state: str) -> Json:
    """`combined-commit-status` over the newest status of each context."""
    url = api(world, repository)
    return {
        "state": state,
        "statuses": [simple_status(world, repository, status) for status in latest],
        "sha": sha,
        "total_count": len(latest),
        "repository": minimal_repository(world, repository),
        "commit_url": f"{url}/commits/{sha}",
        "url": f"{url}/commits/{sha}/status",
    }


def check_run_view(world: World, repository: Repository, run: CheckRun) -> Json:
    """`check-run`."""
    url = f"{api(world, repository)}/check-runs/{run.id}"
    web = f"{page(world, repository)}/runs/{run.id}"
    pulls = [number_link(world, repository, pull) for pull in repository.pulls() if pull.head_sha == run.head_sha and pull.state == "open"]
    return {
        "id": run.id,
        "name": run.name,
        "node_id": node_id("CR", run.id),
        "head_sha": run.head_sha,
        "external_id": run.external_id or "",
        "url": url,
        "html_url": web,
        "details_url": run.details_url or web,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at),
        "output": {
            "title": run.output.get("title"),
            "summary": run.output.get("summary"),
            "text": run.output.get("text"),
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite.id},
        "app": acting_app(world, run.suite.app),
        "pull_requests": pulls,
    }


def suite_summary(repository: Repository, suite: CheckSuite) -> tuple[str, str | None, int]:
    """Status, conclusion and number of the runs of a suite."""
    runs = [run for run in repository.check_runs.values() if run.suite is suite]
    if not runs or any(run.status != "completed" for run in runs):
        return "in_progress" if runs else "queued", None, len(runs)
    order = ("action_required", "timed_out", "cancelled", "failure", "stale", "neutral", "skipped", "success")
    worst = min((run.conclusion or "neutral" for run in runs), key=lambda name: order.index(name) if name in order else 0)
    return "completed", worst, len(runs)


def suite_view(world: World, repository: Repository, suite: CheckSuite) -> Json:
    """`check-suite`, as it stands in webhooks."""
    status, conclusion, count = suite_summary(repository, suite)
    url = f"{api(world, repository)}/check-suites/{suite.id}"
    return {
        "id": suite.id,
        "node_id": node_id("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": None,
        "after": suite.head_sha,
        "pull_requests": [
            number_link(world, repository, pull) for pull in repository.pulls() if pull.head_sha == suite.head_sha and pull.state == "open"
        ],
        "app": app_view(world, suite.app),
        "created_at": stamp(suite.created_at),
        "updated_at": stamp(suite.updated_at),
        "latest_check_runs_count": count,
        "check_runs_url": f"{url}/check-runs",
    }


def deployment_view(world: World, repository: Repository, deployment: Deployment) -> Json:
    """`deployment`."""
    url = f"{api(world, repository)}/deployments/{deployment.id}"
    return {
        "url": url,
        "id": deployment.id,
        "node_id": node_id("DE", deployment.id),
        "sha": deployment.sha,
        "ref": deployment.ref,
        "task": deployment.task,
        "payload": deployment.payload,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "creator": simple_user(world, deployment.creator),
        "created_at": stamp(deployment.created_at),
        "updated_at": stamp(deployment.updated_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": api(world, repository),
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
        "performed_via_github_app": acting_app(world, deployment.app),
    }


def deployment_status_view(world: World, repository: Repository, deployment: Deployment, status: DeploymentStatus) -> Json:
    """`deployment-status`."""
    url = f"{api(world, repository)}/deployments/{deployment.id}"
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": node_id("DES", status.id),
        "state": status.state,
        "creator": simple_user(world, status.creator),
        "description": status.description,
        "environment": status.environment,
        "target_url": status.log_url,
        "created_at": stamp(status.created_at),
        "updated_at": stamp(status.created_at),
        "deployment_url": url,
        "repository_url": api(world, repository),
        "environment_url": status.environment_url,
        "log_url": status.log_url,
        "performed_via_github_app": acting_app(world, status.app),
    }
