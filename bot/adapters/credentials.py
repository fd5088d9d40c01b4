"""The credentials that the configuration names, looked up in the settings; a missing one is a person's to set."""

from collections.abc import Mapping

from pydantic import SecretStr

from bot.domain.errors import UserError
from bot.settings import PREFIX


class Credentials:
    """Secrets by name. They are handed out one by one, never listed."""

    def __init__(self, values: Mapping[str, SecretStr]) -> None:
        self._values = values

    def named(self, name: str) -> str:
        """The secret of this name. `UserError` that names the variable to set."""
        found = self.known(name)
        if not found:
            variable = f"{PREFIX}CREDENTIALS__{name.upper()}"
            raise UserError(f"The credential {name} is not set.", where=variable, fix=f"set {variable}", code="NoCredential")
        return found

    def known(self, name: str) -> str:
        """The secret of this name, or nothing where it is not set."""
        found = self._values.get(name.lower())
        return found.get_secret_value().strip() if found is not None else ""
