"""Mutations of check runs and deployments."""

import json
from dataclasses import dataclass

from bot.sandbox.github.graphql.nodes import Context, Info, Json
from bot.sandbox.github.graphql.objects import check_run
from bot.sandbox.github.graphql.payloads import answer
from bot.sandbox.github.graphql.queries import missing, ref_of, repository_of
from bot.sandbox.github.ids import node_id, parse_node_id
from bot.sandbox.github.service import checks
from bot.sandbox.github.state import Deployment
from bot.sandbox.github.views.times import stamp


def check_fields(given: Json) -> Json:
    """The fields of a check run under their REST names."""
    names = {
        "headSha": "head_sha",
        "name": "name",
        "status": "status",
        "conclusion": "conclusion",
        "detailsUrl": "details_url",
        "externalId": "external_id",
        "startedAt": "started_at",
        "completedAt": "completed_at",
        "output": "output",
        "actions": "actions",
    }
    found = {names[name]: value for name, value in given.items() if name in names and value is not None}
    return found | {name: str(found[name]).lower() for name in ("status", "conclusion") if name in found}


@dataclass(frozen=True, slots=True)
class CheckMutations:
    """Each field takes `input` and returns its payload."""

    context: Context

    def createCheckRun(self, info: Info, input: Json) -> Json:
        context = self.context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "checks=write")
        app = context.caller.through_app
        run = checks.create_check_run(context.world, repository, context.caller, app, check_fields(input))
        return answer(self.context, input, checkRun=check_run(context, repository, run))

    def updateCheckRun(self, info: Info, input: Json) -> Json:
        context = self.context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "checks=write")
        found = parse_node_id(input["checkRunId"])
        if found is None or found[0] != "CR":
            raise missing(input["checkRunId"])
        fields = check_fields(input)
        run = checks.update_check_run(context.world, repository, context.caller, context.caller.through_app, int(found[1]), fields)
        return answer(self.context, input, checkRun=check_run(context, repository, run))

    def createDeployment(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, name, _ = ref_of(context, input["refId"])
        context.allow(repository, "deployments=write")
        fields = {"ref": name.removeprefix("refs/heads/"), "environment": input.get("environment"), "task": input.get("task")}
        fields |= {"description": input.get("description"), "required_contexts": input.get("requiredContexts")}
        made = checks.create_deployment(
            context.world, repository, context.caller, fields | {"payload": json.loads(input.get("payload") or "{}")}
        )
        return answer(self.context, input, deployment=deployment_node(made), autoMerged=False)

    def createDeploymentStatus(self, info: Info, input: Json) -> Json:
        context, found = self.context, parse_node_id(input["deploymentId"])
        for repository in context.world.repositories.values():
            deployment = repository.deployments.get(int(found[1])) if found and found[0] == "DE" else None
            if deployment is None:
                continue
            context.allow(repository, "deployments=write")
            fields = {"state": input["state"].lower(), "description": input.get("description"), "environment": input.get("environment")}
            fields |= {"log_url": input.get("logUrl"), "environment_url": input.get("environmentUrl")}
            fields |= {"auto_inactive": input.get("autoInactive", True)}
            checks.create_deployment_status(context.world, repository, context.caller, deployment, fields)
            return answer(self.context, input, deploymentStatus=status_node(deployment))
        raise missing(input["deploymentId"])


def deployment_node(deployment: Deployment) -> Json:
    """`Deployment`."""
    state = deployment.statuses[-1].state if deployment.statuses else "pending"
    return {
        "__typename": "Deployment",
        "id": node_id("DE", deployment.id),
        "databaseId": deployment.id,
        "commitOid": deployment.sha,
        "createdAt": stamp(deployment.created_at),
        "environment": deployment.environment,
        "state": "ACTIVE" if state == "success" else state.upper(),
        "latestStatus": status_node(deployment) if deployment.statuses else None,
    }


def status_node(deployment: Deployment) -> Json:
    """`DeploymentStatus`: the newest one."""
    status = deployment.statuses[-1]
    return {
        "__typename": "DeploymentStatus",
        "id": node_id("DES", status.id),
        "createdAt": stamp(status.created_at),
        "description": status.description,
        "environmentUrl": status.environment_url or None,
        "logUrl": status.log_url or None,
        "state": status.state.upper(),
    }
