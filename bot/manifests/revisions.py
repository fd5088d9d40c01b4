"""Which git references are versions: tags that look like one, commits, and version ranges. A branch name is not.

A branch says where a stage takes its manifests from, not what it runs; carrying `develop` from stage to stage would be wrong.
"""

import re

_VERSION = re.compile(r"(?:[A-Za-z][\w-]*[-/_@])?v?\d+(?:[.\-_+][0-9A-Za-z]+)*\Z|[0-9a-f]{7,40}\Z|[0-9a-f]{64}\Z|refs/tags/\S+\Z")
_RANGE = re.compile(r"[~^<>=*]|\A\d+(?:\.\d+)?\.[xX*]\Z")


def is_revision(text: str) -> bool:
    """True for a tag, a commit or a range: something that names what runs."""
    return _VERSION.match(text) is not None or _RANGE.search(text) is not None


def repository_name(url: str) -> str:
    """A repository's URL as an artifact: without `.git` and without a trailing slash."""
    return url.rstrip("/").removesuffix(".git")
