"""Where new versions come from, besides an upstream stage: registries that are watched, and CIs that may tell of their builds."""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bot.config._model import SETTINGS
from bot.domain.image import normal_name, valid_tag
from bot.domain.version_range import VersionRange
from bot.gates._fields import HttpUrl, Listed, Pattern, PositiveDuration, compile_pattern

ISSUERS = {"github": "https://token.actions.githubusercontent.com", "gitlab": "https://gitlab.com"}
GROUP = "order"


def _image(value: str) -> str:
    name = normal_name(value)
    if name is None or "@" in value or ":" in value.rpartition("/")[2]:
        raise ValueError(f"{value!r} is not the name of an image. Write it without tag and digest, for example ghcr.io/acme/payments")
    return name


def _range(value: str) -> str:
    VersionRange.parse(value)
    return value


Image = Annotated[str, AfterValidator(_image)]


@lru_cache(maxsize=256)
def _parsed(text: str) -> VersionRange:
    return VersionRange.parse(text)


class Watch(BaseModel):
    """An image whose new versions enter the pipeline at its first stages."""

    model_config = SETTINGS

    image: Image
    """The image (or chart) as the stages name it, without tag and digest."""
    helm: HttpUrl | None = None
    """Address of a Helm repository whose `index.yaml` lists the versions; `image` is then the chart's name."""
    pick: Literal["semver", "pattern", "newest", "digest"] = "semver"
    """Which tag is meant: the highest semantic version, the highest that fits `pattern`, the one built last of those that fit
    `pattern`, or always the content of one `tag` that is pushed again and again."""
    range: Annotated[str, AfterValidator(_range)] = ""
    """With `semver`: only versions inside this range, for example `>=1.2 <2` or `^1.4`."""
    prereleases: bool = False
    """With `semver`: pre-releases count too."""
    pattern: Pattern = ""
    """An RE2 pattern that the whole tag must fit. With a group `(?P<order>…)`, that part alone is compared."""
    tag: str = ""
    """With `digest`: the tag."""
    every: PositiveDuration = Field(default="5m", validate_default=True)
    """How often the registry is asked; its webhooks make it sooner."""

    @model_validator(mode="after")
    def _fits(self) -> "Watch":
        if (self.pick == "digest") != bool(self.tag):
            raise ValueError("`tag` belongs to `pick: digest`, and is needed there")
        if self.tag and not valid_tag(self.tag):
            raise ValueError(f"{self.tag!r} is not a tag")
        if self.pick in ("pattern", "newest") and not self.pattern:
            raise ValueError(f"`pick: {self.pick}` needs a `pattern` that says which tags are meant")
        if self.helm is not None and (self.pick == "digest" or "/" in self.image):
            raise ValueError("with `helm`, `image` is the chart's name alone, and a chart has no tag that is pushed again (`pick: digest`)")
        if self.range and self.pick != "semver":
            raise ValueError("`range` belongs to `pick: semver`")
        return self

    def fits(self, tag: str) -> bool:
        """True for a tag that may be chosen."""
        if self.pick == "digest":
            return tag == self.tag
        if self.pattern and not compile_pattern(self.pattern).fullmatch(tag):
            return False
        return self.pick != "semver" or _parsed(self.range).holds(tag, prereleases=self.prereleases)

    def compared(self, tag: str) -> str:
        """The part of the tag by which it is put in order."""
        found = compile_pattern(self.pattern).fullmatch(tag) if self.pattern else None
        return str(found[GROUP]) if found is not None and GROUP in found.re.groupindex and found[GROUP] else tag


class Publisher(BaseModel):
    """Who may tell of new versions by `POST /api/v1/artifacts`: a CI that shows an identity token of its own, or a fixed token."""

    model_config = SETTINGS

    kind: Literal["github", "gitlab", "token"]
    """GitHub Actions or GitLab CI by their OpenID Connect tokens, or anybody who has the token."""
    issuer: HttpUrl | None = None
    """Who makes the tokens, where it is an Enterprise server or a GitLab of your own."""
    audience: str = Field(default="promotion-bot", min_length=1, max_length=200)
    """For whom the token must be made."""
    repositories: Annotated[tuple[str, ...], Listed()] = ()
    """Which source repositories, as globs on `owner/name`."""
    refs: Annotated[tuple[str, ...], Listed()] = ("refs/heads/main", "refs/tags/*")
    """Which branches and tags of theirs, as globs."""
    images: Annotated[tuple[str, ...], Listed()] = ()
    """Which images they may tell of, as globs on the normal name."""
    credential: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$|^$")
    """With `token`: its name in the environment (`PROMOTION_BOT_CREDENTIALS__<NAME>`)."""

    @model_validator(mode="after")
    def _whole(self) -> "Publisher":
        if (self.kind == "token") != bool(self.credential):
            raise ValueError("`credential` belongs to `kind: token`, and is needed there")
        if self.kind != "token" and not self.repositories:
            raise ValueError("name the `repositories` that may tell of new versions, for example acme/*")
        if not self.images:
            raise ValueError("name the `images` that it may tell of, for example ghcr.io/acme/*")
        return self

    @property
    def issuer_url(self) -> str:
        """The token's `iss`, without a slash at its end."""
        return (self.issuer or ISSUERS.get(self.kind, "")).rstrip("/")


class Artifacts(BaseModel):
    """Where new versions come from."""

    model_config = SETTINGS

    watch: tuple[Watch, ...] = ()
    """Images whose new versions are looked for in their registries."""
    publishers: tuple[Publisher, ...] = ()
    """Who may tell of new versions."""
