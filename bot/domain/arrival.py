"""A version that was offered to the pipeline's first stages: by a registry that is watched, or by a CI that said so."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.image import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One version of one artifact (its normal name), heard of at `at` (UTC) from `source`; `by` names the repository or the registry.

    `commit` is the source commit where the CI told it, `url` a page about the build.
    """

    artifact: str
    version: Version
    at: datetime
    source: str
    by: str = ""
    commit: str = ""
    url: str = ""
