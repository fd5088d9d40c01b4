"""What applying an action needs: the ports, the journal of effects, the clock, and where the stage is declared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.press import check_name
from bot.domain.repository import EnvironmentRepository
from bot.ports import Chat, Forge, History, Outbox, Renderer, Repositories, Teller
from bot.reconcile.effects import Effects

BOT = "promotion-bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stage as applying sees it. `signed`: commits are made by the forge, which signs them; `check` is the check's name."""

    stage: str
    environment: EnvironmentRepository
    signed: bool = False
    merge_method: str = "squash"

    @property
    def repository(self) -> str:
        return self.environment.repository

    @property
    def branch(self) -> str:
        return self.environment.branch

    @property
    def check(self) -> str:
        return check_name(self.stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Everything that an action is carried out with. `chat` is None where nobody is to be told."""

    place: Place
    forge: Forge
    repositories: Repositories
    history: History
    outbox: Outbox
    effects: Effects
    clock: Callable[[], datetime]
    chat: Chat | None = None
    renderer: Renderer | None = None
    """Tells what changes in the rendered objects; None where the configuration does not want it."""
    others: Mapping[str, Teller] = field(default_factory=dict)
    """Who is told beside the chat, by name."""
    quiet: Callable[[str, datetime], datetime | None] = lambda _severity, _now: None
    """Until when a message of this seriousness waits for the chat; None for not at all."""
