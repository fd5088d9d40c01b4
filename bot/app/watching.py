"""The watch of registries for new versions: as the running bot keeps it, and as a plan asks once without keeping anything.

Decides nothing of versions. A plan in a process of its own has heard nothing from any registry: it asks each watch one time, so that it
tells what the running bot would, and stores nothing.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.adapters.credentials import Credentials
from bot.adapters.registry.charts import ChartReader
from bot.adapters.registry.reader import TagReader
from bot.adapters.safe_http import SafeHttp
from bot.app.parts import Parts
from bot.collectors.artifacts import Arrivals, RegistryWatch
from bot.collectors.observer import Observer
from bot.domain.arrival import Arrival


def registry_watch(parts: Parts, arrivals: Arrivals, *, wake: Callable[[str, str], None]) -> RegistryWatch:
    """The watches of the configuration, which tell what they cannot find out on the parts' own board."""
    return RegistryWatch(
        parts.config,
        TagReader(parts.images),
        arrivals,
        wake=wake,
        charts=ChartReader(parts.config, Credentials(parts.settings.credentials), SafeHttp()),
        board=parts.offer_problems,
    )


def asked_once(parts: Parts, *, wait: float) -> Observer:
    """An observer that has heard what the registries say now. Those that do not answer within `wait` seconds are named as unknown."""
    heard = Heard(parts.arrivals)
    watch = registry_watch(parts, heard, wake=lambda stage, why: None)
    asking = threading.Thread(target=watch.poll, args=(parts.clock(),), name="registry-look", daemon=True)
    asking.start()
    asking.join(wait)
    if asking.is_alive():
        watch.stop()
        for image in watch.unasked():
            parts.offer_problems[image] = f"its registry did not answer within {wait:g} seconds; a running bot goes on asking."
    return parts.observer.hearing(heard)


@dataclass(slots=True)
class Heard:
    """What is stored, and over it what was heard now, which is forgotten with the process."""

    stored: Arrivals
    own: dict[str, Arrival] = field(default_factory=dict)

    def newest(self) -> Mapping[str, Arrival]:
        """By the artifact's normal name."""
        return {**self.stored.newest(), **self.own}

    def add(self, arrival: Arrival) -> bool:
        """Remember it in this process; False where the same version is known already."""
        known = self.newest().get(arrival.artifact)
        if known is not None and known.version == arrival.version:
            return False
        self.own[arrival.artifact] = arrival
        return True
