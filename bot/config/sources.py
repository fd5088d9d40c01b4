"""The servers behind the gates: where they are, and under which name the environment holds what to show them."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from bot.config._model import SETTINGS
from bot.gates._fields import HttpUrl, Listed


class Endpoint(BaseModel):
    """A server that gates ask."""

    model_config = SETTINGS

    url: HttpUrl
    """Its address."""
    credential: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$|^$")
    """Name of the credential to show; its value comes from the environment (`PROMOTION_BOT_CREDENTIALS__<NAME>`)."""


class Registry(BaseModel):
    """A registry that needs a word: a credential, another address, or who gives out its tokens."""

    model_config = SETTINGS

    url: HttpUrl | None = None
    """Its address; without it, https and the name that images use."""
    credential: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$|^$")
    """Name of the credential to show, `user:password` or a token (for ECR `access key id:secret access key`); its value comes from
    the environment (`PROMOTION_BOT_CREDENTIALS__<NAME>`)."""
    auth_hosts: Annotated[tuple[str, ...], Listed()] = ()
    """Other hosts that give out its tokens and may see the credential, for example `gitlab.acme.io` for `registry.acme.io`."""


class Sources(BaseModel):
    """The servers behind the gates."""

    model_config = SETTINGS

    prometheus: Endpoint | None = None
    """Answers the `metric` gate."""
    opa: Endpoint | None = None
    """Answers the `policy` gate where it names an OPA rule."""
    registries: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")], Registry] = {}
    """Registries that need a credential or stand at another address, by the name that images use."""
    allow_private: bool = False
    """May the `http` and `webhook` gates dial private addresses (10/8, 192.168/16, fc00::/7 and the like)?"""
