"""What the watch of new versions asks of Helm repositories: the versions that their `index.yaml` lists of a chart.

Decides only how an index is fetched (with the ETag of the last time), read and refused; which version is meant is `planning.picking`'s.
A credential is shown only to a server that the operator named under `sources.registries`. Scalars stay the texts that stand there.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.adapters.credentials import Credentials
from bot.adapters.safe_http import Limits, SafeHttp, authorization
from bot.config.schema import Config
from bot.domain.errors import TransientError, UserError

LARGEST = 32 << 20
SECONDS = 30.0
LONGEST_VERSION = 128
DEEPEST = 64

Versions = Mapping[str, datetime | None]


class ChartReader:
    """The charts that a configuration watches, each in its repository. Used by one thread."""

    def __init__(self, config: Config, credentials: Credentials, http: SafeHttp) -> None:
        self._config = config
        self._credentials = credentials
        self._http = http
        self._places = {watch.image: watch.helm for watch in config.artifacts.watch if watch.helm is not None}
        self._marks: dict[str, str] = {}
        self._charts: dict[str, Mapping[str, Versions]] = {}

    def tags(self, image: str) -> tuple[str, ...]:
        """All versions of the chart. `UserError` when the repository does not have it."""
        return tuple(self._versions(image, ask=True))

    def digest(self, image: str, tag: str) -> str | None:
        """None: a chart's version names its content."""
        return None

    def built(self, image: str, tag: str) -> datetime | None:
        """When it was packaged, where the index says so."""
        return self._versions(image, ask=False).get(tag)

    def _versions(self, image: str, *, ask: bool) -> Versions:
        place = self._places[image]
        found = self._index(f"{place.rstrip('/')}/index.yaml") if ask or place not in self._charts else self._charts[place]
        self._charts[place] = found
        for name in (image, image.rpartition("/")[2]):
            if name in found:
                return found[name]
        raise UserError(f"There is no chart {image} in {place}.", fix="correct artifacts.watch", code="NoChart")

    def _index(self, url: str) -> Mapping[str, Versions]:
        place, mark = url.removesuffix("/index.yaml"), self._marks.get(url, "")
        known = next((charts for base, charts in self._charts.items() if base.rstrip("/") == place), None)
        headers = {"accept": "application/x-yaml, text/yaml, */*;q=0.1", **self._shown(url)}
        if mark and known is not None:
            headers["if-none-match"] = mark
        reply = self._http.exchange(
            "GET", url, headers=headers, private=self._private(url), limits=Limits(seconds=SECONDS, largest=LARGEST)
        )
        match reply.status:
            case 200:
                self._marks[url] = reply.headers.get("etag", "")
                return parsed(reply.body, place)
            case 304 if known is not None:
                return known
            case 401 | 403:
                fix = "name a credential for its host under sources.registries"
                raise UserError(f"{place} does not let the bot read its index ({reply.status}).", fix=fix, code="NoAccess")
            case 404:
                raise UserError(f"{place} has no index.yaml.", fix="correct `helm` in artifacts.watch", code="NoIndex")
            case status:
                raise TransientError(f"{place} answered {status}")

    def _shown(self, url: str) -> dict[str, str]:
        given = self._config.sources.registries.get(urlsplit(url).netloc)
        return authorization(self._credentials.named(given.credential)) if given is not None and given.credential else {}

    def _private(self, url: str) -> bool:
        return self._config.sources.allow_private or urlsplit(url).netloc in self._config.sources.registries


def parsed(body: bytes, place: str) -> Mapping[str, Versions]:
    """The versions by chart, in the index's order; entries of another shape are passed over. `TransientError` for what is no index."""
    try:
        read = plain(body)
    except (yaml.YAMLError, ValueError) as error:
        raise TransientError(f"the index.yaml of {place} cannot be read") from error
    entries = read.get("entries") if isinstance(read, dict) else None
    if not isinstance(entries, dict):
        raise TransientError(f"what {place} answered is no index of charts")
    return {name: _listed(listed) for name, listed in entries.items() if isinstance(name, str) and isinstance(listed, list)}


def plain(body: bytes) -> object:
    """The first document as mappings, lists and texts. An alias is None. ValueError where it is nested too deeply: libyaml's own
    loader overruns the stack then, and takes the process with it."""
    root: list[Any] = []
    open_ones: list[Any] = [root]
    keys: list[Any] = [None]
    for event in yaml.parse(body, Loader=yaml.CBaseLoader):
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                if len(open_ones) > DEEPEST:
                    raise ValueError("it is nested too deeply")
                made: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                _put(open_ones[-1], keys, made)
                open_ones.append(made)
                keys.append(None)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                open_ones.pop()
                keys.pop()
            case yaml.ScalarEvent() | yaml.AliasEvent():
                _put(open_ones[-1], keys, event.value if isinstance(event, yaml.ScalarEvent) else None)
            case yaml.DocumentEndEvent():
                break
    return root[0] if root else None


def _put(into: Any, keys: list[Any], value: Any) -> None:
    """Into a list, or as the next key or value of a mapping; a key that is no text loses its value."""
    if isinstance(into, list):
        into.append(value)
    elif keys[-1] is None:
        keys[-1] = (value if isinstance(value, str) else None,)
    else:
        (key,), keys[-1] = keys[-1], None
        if key is not None:
            into[key] = value


def _listed(listed: list[object]) -> Versions:
    found: dict[str, datetime | None] = {}
    for entry in listed:
        version = entry.get("version") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(version, str) and 0 < len(version) <= LONGEST_VERSION and version.isprintable():
            found.setdefault(version, _instant(entry.get("created")))
    return found


def _instant(value: object) -> datetime | None:
    """RFC 3339 with as many digits of the second as Go writes."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read.astimezone(UTC) if read is not None and read.tzinfo is not None else None
