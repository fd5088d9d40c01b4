"""Which registry an image lives in, and how it is reached: its address, its credential, who may see that.

Decides from the image's name and `sources.registries`. A registry that the operator did not name is asked by https at public addresses,
without any credential: an image's name comes from a repository, and must not lead a credential or the bot itself anywhere.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from bot.adapters.credentials import Credentials
from bot.adapters.registry.access import Access, Door
from bot.adapters.registry.client import RegistryClient
from bot.adapters.safe_http import SafeHttp, parse
from bot.config.schema import Config
from bot.domain.errors import UserError
from bot.domain.image import ImageRef
from bot.settings import Settings

DOCKER_HUB = "docker.io"
ADDRESSES = {DOCKER_HUB: "registry-1.docker.io"}
MOST = 200


class Registries:
    """The registries, by what images call them. Safe for several threads."""

    def __init__(self, config: Config, credentials: Credentials, http: SafeHttp, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._credentials = credentials
        self._http = http
        self._clock = clock
        self._clients: dict[str, RegistryClient] = {}
        self._lock = threading.Lock()

    def of(self, image: str) -> tuple[RegistryClient, str]:
        """The client and the repository in it. `UserError` when the text is no image's name."""
        found = ImageRef.parse(image)
        if found is None:
            raise UserError(f"{image[:100]!r} is not the name of an image.", code="BadImage")
        with self._lock:
            client = self._clients.get(found.registry)
            if client is None:
                client = RegistryClient(Access(self._http, self._door(found.registry), self._clock))
                if len(self._clients) < MOST:
                    self._clients[found.registry] = client
        return client, found.repository

    def _door(self, name: str) -> Door:
        sources = self._config.sources
        given = sources.registries.get(name)
        address = f"https://{ADDRESSES.get(name, name)}"
        if given is None:
            return Door(name=name, base=parse(address), secret=str, private=sources.allow_private)
        credential = given.credential
        return Door(
            name=name,
            base=parse(given.url or address),
            secret=(lambda: self._credentials.named(credential)) if credential else str,
            auth_hosts=frozenset(given.auth_hosts),
            private=True,
        )


def registries(config: Config, settings: Settings, http: SafeHttp) -> Registries:
    """The registries of a configuration."""
    return Registries(config, Credentials(settings.credentials), http, lambda: datetime.now(UTC))
