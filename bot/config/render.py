"""Whether pull requests tell what changes in the rendered objects."""

from pydantic import BaseModel, Field

from bot.config._model import SETTINGS
from bot.gates._fields import PositiveDuration


class Render(BaseModel):
    """Kustomize or Helm is run on the base branch with the promotion's change, where `kustomize`, `kubectl` or `helm` is installed."""

    model_config = SETTINGS

    enabled: bool = False
    """Add what changes in the rendered objects to the pull request's text."""
    timeout: PositiveDuration = Field(default="20s", validate_default=True)
    """How long one rendering may take."""
    memory: int = Field(default=512, ge=64, le=8192)
    """How many megabytes one rendering may use."""
