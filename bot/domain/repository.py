"""Where a stage is declared: repository, branch and folder."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRepository:
    """`repository` is "owner/name" on the forge; `folder` counts from the repository's root, "" is the root itself."""

    repository: str
    branch: str = "main"
    folder: str = ""

    def path(self, inside: str) -> str:
        """A path inside the folder, counted from the repository's root."""
        return f"{self.folder}/{inside}" if self.folder else inside
