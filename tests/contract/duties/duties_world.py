"""A whole bot on the GitHub-compatible sandbox, whose duties a test carries out itself, at readings of the clock of its choice."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.adapters.github.auth import AppKey
from bot.app import Bot, build
from bot.cli.demo.settings import SandboxSettings
from bot.config.schema import Config
from bot.reconcile.rota import Duty
from tests.contract.forge_world import MAIN, REPO, ForgeWorld
from tests.contract.forge_world import build as build_forge
from tests.support.hook_sink import HookSink
from tests.support.mail_server import Mailbox, mail_server

SECRET = "a-hook-secret-of-the-test"
RULES = "bot/config.yaml"


@dataclass(slots=True)
class DutiesWorld:
    """The bot has joined as a replica and runs no stage; nothing is done by the clock but what a test asks for."""

    forge: ForgeWorld
    bot: Bot
    sink: HookSink
    mail: Mailbox

    def duties(self) -> list[Duty]:
        """All but the engine's own."""
        return [*self.bot.outside.duties, *self.bot.background.duties]

    def work_off(self, at: float) -> None:
        """What is due at this reading of the monotonic clock, the engine's own duties left out."""
        for rota in (self.bot.outside, self.bot.background):
            rota.work_off(at)

    def mailed(self) -> list[str]:
        return [str(message["Subject"]) for message in self.mail.messages]

    def comments(self, number: int) -> list[str]:
        return [comment.body for comment in self.forge.hub.pull(REPO, number).comments]

    def missed(self) -> set[str]:
        """The ids of webhooks that GitHub could not deliver: there are such after this."""
        self.forge.hub.deliveries.wait_idle()
        before = {one.guid for one in self.sink.received}
        self.sink.status = 503
        self.forge.hub.push(REPO, MAIN, {"a": str(len(before))}, message="missed", author="ada")
        self.forge.hub.deliveries.wait_idle()
        self.sink.status = 202
        return {one.guid for one in self.sink.received} - before

    def taken(self, ids: set[str]) -> list[str]:
        """Which of these came, once for each time that they did."""
        self.forge.hub.deliveries.wait_idle()
        return [one.guid for one in self.sink.received if one.guid in ids]


def app_of(world: ForgeWorld) -> AppKey:
    assert isinstance(world.access, AppKey)
    return world.access


def config(world: ForgeWorld, mail: Mailbox) -> Config:
    """Everything that a duty may write: mails, reports that are due now, answers to proposals."""
    now = datetime.now(UTC)
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[now.weekday()]
    people = {"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "bot@example.org", "to": ["ops@example.org"]}
    return Config.model_validate(
        {
            "version": 1,
            "forge": {"url": world.hub.url, "api_url": world.hub.api_url, "app": {"app_id": app_of(world).app_id}},
            "pipeline": {"stages": {"qa": {"repository": REPO}}},
            "notifications": {"mail": {"ops": people}},
            "reports": {"periods": ["weekly"], "day": day, "at": "00:00", "issues": REPO},
            "simulation": {"repository": REPO, "branch": MAIN, "file": RULES},
        }
    )


@contextmanager
def duties_world(root: Path, database_url: str) -> Iterator[DutiesWorld]:
    with ExitStack() as stack:
        forge = build_forge(root)
        stack.callback(forge.hub.stop)
        sink = HookSink(secret=SECRET)
        sink.start()
        stack.callback(sink.stop)
        forge.hub.set_webhook(sink.url, SECRET)
        mail = stack.enter_context(mail_server())
        given = SandboxSettings(
            github_app_private_key=SecretStr(app_of(forge).private_key),
            github_webhook_secrets=(SecretStr(SECRET),),
            database_url=SecretStr(database_url),
            state_dir=root / "state",
        )
        bot = Bot(build(config(forge, mail), given, clock=forge.clock))
        stack.callback(bot.stop)
        bot.engine.join()
        yield DutiesWorld(forge, bot, sink, mail)


AGAIN = timedelta(hours=2).total_seconds()
"""After so long every duty is due again."""
