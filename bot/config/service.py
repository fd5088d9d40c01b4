"""A service: which images and charts move together, where its versions stand, who owns it, what it comes after.

Everything here is optional: without a word of it services are discovered from the images that two stages share.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator

from bot.config._model import SETTINGS, Folder, RepositoryName, ServiceName, StageName
from bot.domain.image import normal_name
from bot.gates._fields import Listed

Images = Annotated[tuple[str, ...], Listed()]


class Place(BaseModel):
    """A version that the file's format alone does not show: a file and an address in it."""

    model_config = SETTINGS

    file: Annotated[Folder, Field(min_length=1)]
    """The file, counted from the stage's folder."""
    address: Mapping[str, Any] | str
    """Where in the file: a path such as `$.image.tag`, a JSON pointer `/image/tag`, or an address as `promotion-bot slots` prints it."""


class Service(BaseModel):
    """What moves: one or more images (or charts) together."""

    model_config = SETTINGS

    images: Images | Mapping[StageName, Images] = ()
    """The images that make up the service, without tags; or, where the registry differs, a list per stage."""
    charts: Annotated[tuple[str, ...], Listed()] = ()
    """The charts that move with it."""
    versions: Mapping[StageName, tuple[Place, ...]] = {}
    """Per stage: where its version stands when the file format alone cannot tell."""
    team: str | None = Field(default=None, min_length=1)
    """Which team owns it: a key of `teams`."""
    after: Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(@[a-z0-9][a-z0-9-]*)?$")], ...], Listed()] = ()
    """Services whose promotion goes first: `ledger` in every stage, `ledger@prod` in that stage only."""
    ignore: bool = False
    """Leave this service alone."""
    source: RepositoryName | None = None
    """The repository that its images are built from, as `owner/name`: for commits, authors and lead times."""
    order: Literal["auto", "none"] = "auto"
    """How two versions are put in order: by their text (semantic, calendar or build numbers), or not at all."""

    @field_validator("images", mode="after")
    @classmethod
    def _names(cls, images: tuple[str, ...] | Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | Mapping[str, tuple[str, ...]]:
        flat = images if isinstance(images, tuple) else tuple(image for listed_here in images.values() for image in listed_here)
        for image in flat:
            if normal_name(image) is None or "@" in image or ":" in image.rpartition("/")[2]:
                raise ValueError(
                    f"{image!r} is not the name of an image. Write it without tag and digest, for example ghcr.io/acme/payments"
                )
        return images

    def images_in(self, stage: str) -> tuple[str, ...]:
        """The service's images in this stage, as normal names; empty when none are given for it."""
        given = self.images if isinstance(self.images, tuple) else self.images.get(stage, ())
        return tuple(normal_name(image) or image for image in given)

    def after_in(self, stage: str) -> tuple[str, ...]:
        """The services that go first in this stage."""
        pairs = (entry.partition("@") for entry in self.after)
        return tuple(service for service, _, where in pairs if where in ("", stage))


Services = Mapping[ServiceName, Service]
