"""A slot: a place in a file that holds a version, and what stands there.

Pure data. Finding slots belongs to `manifests`; pairing them between stages belongs to planning, by `artifact` and `key`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.image import Version


class Holds(StrEnum):
    """What the version in a slot is a version of."""

    IMAGE = "image"
    CHART = "chart"
    REVISION = "revision"
    VALUE = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """The Kubernetes object that a slot stands in, as far as the file says. `container` is empty outside a pod's containers."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One version in one file.

    `path` is the file as it was given. `line` and `column` count from 1, `start` and `end` are character offsets in the decoded
    file (a byte order mark counts as one); they enclose the version's own characters. Where tag and digest stand apart they enclose
    the tag. `artifact` is the image's familiar name, the chart's name or the repository's URL. `version` is the text as written.
    `address` is what `manifests.edit` accepts to change exactly this slot. `key` names the slot's place without line numbers, so
    that it pairs with its sisters in other stages (`Deployment/api/containers/api`, `images/api`).
    """

    path: str
    line: int
    column: int
    start: int
    end: int
    holds: Holds
    artifact: str
    version: Version
    address: Mapping[str, object]
    format: str
    key: str
    owner: ObjectRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotProblem:
    """A place that should hold a version but cannot be read or edited; `message` is a sentence that says why and how to mend it."""

    path: str
    line: int
    code: str
    message: str
