"""depends: the services that this promotion needs already run, healthily and in the wanted range, in the stage.

Decides from the releases that stand and run in the stage now. A dependency that moves in the same pull request does not run yet.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.domain.facts import Case
from bot.domain.image import Version
from bot.domain.order import compare_tags
from bot.domain.verdict import Outcome, Verdict
from bot.gates._base import Gate
from bot.gates._fields import Texts

_PART = re.compile(r"(>=|<=|!=|==|>|<|=)?\s*([^\s,<>=!]+)")
_HOLDS: Mapping[str, tuple[int, ...]] = {">=": (0, 1), "<=": (-1, 0), ">": (1,), "<": (-1,), "=": (0,), "==": (0,), "!=": (-1, 1)}
WORST_FIRST = (Outcome.UNKNOWN, Outcome.PENDING)


def _range(value: str) -> str:
    if value.strip() == "*":
        return value
    parts = _PART.findall(value)
    if not parts or _PART.sub("", value).strip(" ,"):
        raise ValueError(f'{value!r} is not a range of versions. Write for example ">=2.3 <3", "1.4.2" or "*"')
    for _, version in parts:
        if compare_tags(version, version) is None:
            raise ValueError(f"{version!r} cannot be put in order with other versions. Use a semantic or calendar version")
    return value


Range = Annotated[str, AfterValidator(_range)]


class Depends(Gate):
    """Passes when named services already run the wanted versions in the stage."""

    gate: Literal["depends"] = "depends"
    on: Mapping[str, Range] = Field(min_length=1)
    """Service -> range of versions: `">=2.3 <3"`, `"1.4.2"`, or `"*"` for any."""
    services: Texts = ()
    """For which services this is asked; without it, for all but the named ones themselves."""

    def asks(self, service: str) -> bool:
        """Whether this service is one that needs the named ones."""
        return service in self.services if self.services else service not in self.on

    def evaluate(self, case: Case) -> Verdict:
        moving = {move.service for move in case.moves}
        if not any(self.asks(service) for service in moving):
            return self.passed("It does not depend on anything here.")
        judged = [self._judge(service, wanted, case, moving) for service, wanted in self.on.items()]
        for outcome in WORST_FIRST:
            bad = [(service, sentence) for service, verdict, sentence in judged if verdict is outcome]
            if bad:
                return self._says(
                    outcome, " ".join(sentence for _, sentence in bad), f"The promotion of {bad[0][0]} into {case.stage}", None
                )
        return self.passed(" ".join(f"{service} {case.present[service]} runs in {case.stage}." for service, _, _ in judged))

    @staticmethod
    def _judge(service: str, wanted: str, case: Case, moving: set[str]) -> tuple[str, Outcome, str]:
        release = case.present.get(service)
        also = " It moves in this same pull request and must go first." if service in moving else ""
        if release is None:
            return service, Outcome.PENDING, f"{service} is not known to run healthily in {case.stage}, and {wanted} is needed.{also}"
        inside = satisfies(release.main, wanted)
        if inside is None:
            return service, Outcome.UNKNOWN, f"Nobody can tell whether {service} {release} is within {wanted}.{also}"
        if not inside:
            return service, Outcome.PENDING, f"{service} {release} runs in {case.stage}, and {wanted} is needed.{also}"
        return service, Outcome.PASSED, ""


def satisfies(version: Version, wanted: str) -> bool | None:
    """Is the version within the range; None when nobody can tell from its text."""
    if wanted.strip() == "*":
        return True
    answers = []
    for operator, limit in _PART.findall(wanted):
        order = compare_tags(version.tag, limit) if version.tag is not None else None
        if order is None:
            return None
        answers.append(order in _HOLDS[operator or "="])
    return all(answers)
