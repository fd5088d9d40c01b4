"""The whole configuration: one frozen model of one YAML file, and the questions that others ask of its pipeline.

Decides what may stand in the file and which parts must fit together. Reading the file and telling errors with their places is
left to `load` and `explain`; secrets are never here (`bot.settings`).
"""

from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bot.config._model import SETTINGS, STAGE_NAME, Account, StageName, TeamSlug
from bot.config.artifacts import Artifacts
from bot.config.delivery import Incidents, Reports, Simulation
from bot.config.notifications import Notifications, Slack
from bot.config.people import Group, People, Permission, RoleName, Roles, Team
from bot.config.render import Render
from bot.config.service import Place, Service, Services
from bot.config.sources import Endpoint, Registry, Sources
from bot.config.stage import AnyGate, Cluster, Rollout, Stage
from bot.config.waves import Waves, arranged
from bot.gates._fields import HttpUrl, Listed, PositiveDuration

__all__ = [
    "Account",
    "AnyGate",
    "App",
    "Cluster",
    "Config",
    "Discovery",
    "Endpoint",
    "Forge",
    "Group",
    "Incidents",
    "Notifications",
    "People",
    "Permission",
    "Pipeline",
    "Place",
    "Registry",
    "Render",
    "Reports",
    "RoleName",
    "Roles",
    "Rollout",
    "Service",
    "Slack",
    "Sources",
    "Stage",
    "Team",
    "TeamSlug",
    "Timing",
    "Waves",
]

GITHUB = "https://github.com"


class App(BaseModel):
    """The GitHub App that the bot acts as. Its private key comes from the environment."""

    model_config = SETTINGS

    app_id: int = Field(gt=0)
    """The App's id, as its settings page shows it."""
    installation_id: int | None = Field(default=None, gt=0)
    """The installation; without it, the one of the repositories' owner is looked up."""


class Forge(BaseModel):
    """The forge that holds the environment repositories."""

    model_config = SETTINGS

    kind: Literal["github"] = "github"
    """Which forge."""
    url: HttpUrl = GITHUB
    """Its address, for people and for git."""
    api: HttpUrl | None = Field(default=None, alias="api_url")
    """Its REST address; without it, GitHub's own rule is followed."""
    app: App | None = None
    """The GitHub App to act as; without it, a token from the environment is used."""
    deployments: bool = False
    """Write each rollout into the forge's own record of deployments too, so that its pages show what stands where. Costs about two
    REST calls more for each promotion."""
    writes_per_minute: int = Field(default=80, ge=1)
    """How many content-making requests a minute the forge allows (GitHub's own rule; an Enterprise server may have another)."""
    writes_per_hour: int = Field(default=500, ge=1)
    """The same for an hour."""
    pushes_per_minute: int = Field(default=6, ge=1)
    """How many pushes a minute into one repository the forge recommends at most."""

    @property
    def api_url(self) -> str:
        """REST: https://api.github.com, or `/api/v3` on an Enterprise server."""
        if self.api is not None:
            return self.api.rstrip("/")
        return "https://api.github.com" if self.url.rstrip("/") == GITHUB else f"{self.url.rstrip('/')}/api/v3"

    @property
    def graphql_url(self) -> str:
        """GraphQL, as GitHub derives it from the REST address."""
        base = self.api_url
        return f"{base.removesuffix('/v3')}/graphql" if base.endswith("/api/v3") else f"{base}/graphql"


def _named(value: Any) -> Any:
    """The mapping `name -> stage` of the file as a list of stages that know their names."""
    if not isinstance(value, Mapping):
        return value
    return [
        {"name": name, **{str(key): part for key, part in stage.items()}} if isinstance(stage, Mapping) else {"name": name}
        for name, stage in value.items()
    ]


class _StagesByName:
    """In the file, and so in the JSON Schema, stages are a mapping from name to stage."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        listed_stages = handler(core_schema)
        names = {"pattern": STAGE_NAME}
        return {"type": "object", "minProperties": 1, "propertyNames": names, "additionalProperties": listed_stages["items"]}


class Pipeline(BaseModel):
    """The stages and the graph they form."""

    model_config = SETTINGS

    name: StageName = "main"
    """What the pipeline is called."""
    stages: Annotated[tuple[Stage, ...], BeforeValidator(_named), _StagesByName()] = Field(min_length=1)
    """Name and settings of each stage, in the order they are shown."""
    waves: Mapping[StageName, Waves] = {}
    """Sets of stages that take a version in waves, by a name of your own: 10 % of the clusters, then the rest."""

    @model_validator(mode="before")
    @classmethod
    def _in_waves(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or "waves" not in value:
            return value
        return {**value, "stages": arranged(value.get("stages"), value["waves"])}


class Discovery(BaseModel):
    """Services that nobody configured are found by the images that two stages share."""

    model_config = SETTINGS

    enabled: bool = True
    """Promote services that stand in no `services` entry."""
    ignore: Annotated[tuple[str, ...], Listed()] = ()
    """Images that are no services, as globs: `docker.io/library/*`, `*/busybox`."""

    def ignores(self, image: str) -> bool:
        """True when this image (its normal name) is left alone."""
        return any(fnmatchcase(image, pattern) for pattern in self.ignore)


class Timing(BaseModel):
    """How often the bot looks by itself."""

    model_config = SETTINGS

    resync: PositiveDuration = Field(default="5m", validate_default=True)
    """Everything is looked at again this often, with or without events."""
    look: PositiveDuration = Field(default="30s", validate_default=True)
    """While something waits on the outside, it is asked this often."""


class Config(BaseModel):
    """The configuration of one bot: one pipeline on one forge."""

    model_config = SETTINGS

    version: Literal[1]
    """The version of this file's format."""
    forge: Forge = Forge()
    """Where the environment repositories are."""
    pipeline: Pipeline
    """The stages."""
    services: Services = {}
    """Services that need a word: groups of images, teams, order, places. All others are discovered."""
    discovery: Discovery = Discovery()
    """How services are found without configuration."""
    people: People = People()
    """Who may do what."""
    incidents: Incidents = Incidents()
    """Who tells of incidents."""
    reports: Reports = Reports()
    """Which delivery reports are sent."""
    simulation: Simulation = Simulation()
    """Where changes of this configuration are proposed."""
    artifacts: Artifacts = Artifacts()
    """Where new versions come from, besides an upstream stage."""
    teams: Mapping[str, Team] = {}
    """Teams, for ownership and messages."""
    notifications: Notifications = Notifications()
    """How people are told."""
    sources: Sources = Sources()
    """Servers that gates ask."""
    timing: Timing = Timing()
    """How often the bot looks."""
    render: Render = Render()
    """Whether pull requests tell what changes in the rendered objects."""

    def stage(self, name: str) -> Stage:
        """The stage of this name; KeyError when there is none."""
        for stage in self.pipeline.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def upstreams(self, name: str) -> tuple[str, ...]:
        """The stages that versions come from, nearest only."""
        return self.stage(name).after

    def downstreams(self, name: str) -> tuple[str, ...]:
        """The stages that versions go to next, in the file's order."""
        return tuple(stage.name for stage in self.pipeline.stages if name in stage.after)

    def after(self, name: str) -> tuple[str, ...]:
        """All stages that come after this one, near and far, in topological order."""
        reached = {name}
        for candidate in self.order():
            if reached.intersection(self.upstreams(candidate)):
                reached.add(candidate)
        return tuple(candidate for candidate in self.order() if candidate in reached and candidate != name)

    def order(self) -> tuple[str, ...]:
        """All stages, upstream before downstream; the file's order among equals."""
        left = {stage.name: set(stage.after) for stage in self.pipeline.stages}
        done: list[str] = []
        while left:
            ready = next((name for name, before in left.items() if not before.intersection(left)), None)
            if ready is None:
                raise ValueError(f"the stages {', '.join(left)} wait for each other")
            done.append(ready)
            del left[ready]
        return tuple(done)

    def service(self, name: str) -> Service:
        """What is configured for this service; the defaults when nothing is."""
        return self.services.get(name, Service())

    def interval(self) -> timedelta:
        """How long a stage may go without being looked at."""
        return self.timing.resync
