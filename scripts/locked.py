"""What a lock of ours pins: each package with its version, the condition under which it is installed, and the hashes it may have.

Reads the text that `make lock` writes; whatever else stands there is an error, so that nothing is left out unseen.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ENTRY = re.compile(r"\n(?=[^\s#])")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Pin:
    """`when` is a marker of PEP 508, empty for always; `hashes` are SHA-256 in hexadecimal digits."""

    name: str
    version: str
    when: str
    hashes: tuple[str, ...]


def pins(path: Path) -> tuple[Pin, ...]:
    """All of a lock, by name and version. `ValueError` for an entry that is no pin with hashes."""
    found = []
    for entry in ENTRY.split(path.read_text().strip()):
        if entry.startswith("#"):
            continue
        head, hashes = entry.partition("\\\n")[0].strip(), tuple(sorted(HASH.findall(entry)))
        try:
            read = Requirement(head)
        except InvalidRequirement as error:
            raise ValueError(f"{path.name}: {head!r} is no package: {error}") from error
        asked = list(read.specifier)
        if [one.operator for one in asked] != ["=="] or not hashes:
            raise ValueError(f"{path.name}: {head!r} is not pinned to one version with its hashes")
        found.append(Pin(name=canonicalize_name(read.name), version=asked[0].version, when=str(read.marker or ""), hashes=hashes))
    return tuple(sorted(found))
