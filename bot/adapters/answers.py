"""Everything that answers gates' questions, put together: one held source for each kind of question."""

from bot.adapters.credentials import Credentials
from bot.adapters.http_probe import HttpProbe
from bot.adapters.opa import Opa
from bot.adapters.prometheus import Prometheus
from bot.adapters.published_calendar import PublishedCalendar
from bot.adapters.registry.facts import ImageFacts
from bot.adapters.registry.reach import Registries
from bot.adapters.safe_http import SafeHttp
from bot.adapters.webhook_gate import WebhookGate
from bot.collectors.answers import Asker, HeldAnswers
from bot.collectors.codeowners import CodeOwners
from bot.collectors.delivery import DeliveryFigures, Recorded
from bot.collectors.rules import BranchRules, RequiredChecks
from bot.config.schema import Config
from bot.ports import Repositories
from bot.settings import Settings


def build(
    config: Config, settings: Settings, *, forge: BranchRules, repositories: Repositories, history: Recorded, images: Registries
) -> tuple[HeldAnswers, ...]:
    """All sources. Nothing is asked before a gate asks; `close` each of them at the end."""
    http = SafeHttp()
    credentials = Credentials(settings.credentials)
    sources = config.sources
    private = sources.allow_private
    secret = settings.webhook_gate_secret.get_secret_value() if settings.webhook_gate_secret is not None else ""
    askers: tuple[Asker, ...] = (
        HttpProbe(http, credentials, private=private),
        Prometheus(http, credentials, sources.prometheus, private=private),
        Opa(http, credentials, sources.opa),
        WebhookGate(http, credentials, secret, private=private),
        PublishedCalendar(http, private=private),
        ImageFacts(images),
        RequiredChecks(config, forge),
        CodeOwners(config, repositories),
        DeliveryFigures(config, history),
    )
    return tuple(HeldAnswers(asker) for asker in askers)
