"""Which checks the forge requires on a stage's branch, for the `checks` gate with `from_rules`."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from bot.collectors.answers import Found
from bot.config.schema import Config

FRESH = timedelta(minutes=5)


class BranchRules(Protocol):
    """The forge's word on a branch."""

    def required_checks(self, repository: str, branch: str) -> Collection[str]: ...


class RequiredChecks:
    """The asker of `rules` questions: stage."""

    source = "rules"

    def __init__(self, config: Config, forge: BranchRules) -> None:
        self._config = config
        self._forge = forge

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        stage = self._config.stage(params["stage"])
        return Found(value=sorted(self._forge.required_checks(stage.repository, stage.branch)), fresh=FRESH)
