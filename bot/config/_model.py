"""What all models of the configuration share: frozen, unknown keys refused, field docstrings as descriptions; and small field types."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

SETTINGS = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

LONGEST_PATH = 512


def _folder(value: str) -> str:
    """A path inside a repository: names joined by `/`, nothing that climbs out, hides or needs decoding."""
    if len(value) > LONGEST_PATH:
        raise ValueError(f"this path is longer than {LONGEST_PATH} characters")
    if value.startswith("/"):
        raise ValueError("this path must count from the repository's root. Take the first / away")
    parts = value.removesuffix("/").split("/") if value else []
    if any(part in ("..", ".") for part in parts):
        raise ValueError("a path must not hold . or .. parts. Write the folder's own path from the repository's root")
    if ".git" in (part.lower() for part in parts):
        raise ValueError("a path must not lead into .git")
    if any(not part or any(not (sign.isascii() and (sign.isalnum() or sign in "._-+@")) for sign in part) for part in parts):
        raise ValueError("a path may hold letters, digits, . _ - + @ and single / between its parts")
    return "/".join(parts)


def _branch(value: str) -> str:
    """The part of git's own rule (git-check-ref-format) that a sane branch keeps."""
    parts = value.split("/")
    wrong = (
        not value.isascii()
        or any(sign.isspace() or ord(sign) < 33 or sign in "~^:?*[\\\x7f" for sign in value)
        or any(not part or part.startswith(".") or part.endswith((".lock", ".")) for part in parts)
        or ".." in value
        or "@{" in value
        or value == "@"
        or value.startswith("-")
    )
    if wrong or len(value) > LONGEST_PATH:
        raise ValueError("this is not the name of a branch. Write it as git does, without refs/heads/, for example main or release/prod")
    if value.startswith("refs/"):
        raise ValueError("write the branch without refs/heads/")
    if value.startswith("promote/"):
        raise ValueError("the branches promote/… are the bot's own. Choose another branch for the stage")
    return value


STAGE_NAME = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
SERVICE_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$"
REPOSITORY = r"^[A-Za-z0-9][A-Za-z0-9-]{0,99}/[A-Za-z0-9_-]?[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-]$"
CHANNEL = r"^#?[a-z0-9_-]{1,80}$|^[CG][A-Z0-9]{6,}$"
ACCOUNT = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?$"
TEAM = r"^[A-Za-z0-9][A-Za-z0-9-]{0,99}/[A-Za-z0-9_.-]{1,100}$"

StageName = Annotated[str, StringConstraints(pattern=STAGE_NAME)]
ServiceName = Annotated[str, StringConstraints(pattern=SERVICE_NAME)]
RepositoryName = Annotated[str, StringConstraints(pattern=REPOSITORY)]
Channel = Annotated[str, StringConstraints(pattern=CHANNEL)]
Account = Annotated[str, StringConstraints(pattern=ACCOUNT)] | Annotated[int, Field(gt=0)]
TeamSlug = Annotated[str, StringConstraints(pattern=TEAM)]
Folder = Annotated[str, AfterValidator(_folder)]
Branch = Annotated[str, AfterValidator(_branch)]
