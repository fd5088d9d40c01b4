"""What somebody said in the chat, as the chat proves it: which user of which workspace, which line, about which promotion."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One command or click. `team` and `user` are the chat's ids; `key` is the same for every delivery of the same deed.

    `at` is UTC. `stage` and `number` name the promotion where a button was pressed; a typed line names it itself.
    """

    team: str
    user: str
    line: str
    key: str
    at: datetime
    stage: str = ""
    number: int | None = None
