"""A release: the versions of one service's artifacts that move together."""

from dataclasses import dataclass

from bot.domain.image import Version
from bot.domain.order import compare, same


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """`versions` maps each component of a service to its version, as sorted pairs. Most services have one component."""

    versions: tuple[tuple[str, Version], ...]

    @classmethod
    def single(cls, version: Version, component: str = "0") -> "Release":
        return cls(versions=((component, version),))

    @property
    def main(self) -> Version:
        """The first component's version: the one that people call the service's version."""
        return self.versions[0][1]

    def get(self, component: str) -> Version | None:
        return dict(self.versions).get(component)

    def __str__(self) -> str:
        """For people: `1.4.2`, or `1.4.2 (worker 1.3.0)` when further components stand at another version."""
        others = [f"{component} {version}" for component, version in self.versions[1:] if version != self.main]
        return f"{self.main} ({', '.join(others)})" if others else str(self.main)

    @property
    def text(self) -> str:
        """Without loss, for identities."""
        return ",".join(f"{component}={version.text}" for component, version in self.versions)

    @classmethod
    def read(cls, text: str) -> "Release | None":
        """The inverse of `text`; None where it is none."""
        pairs = [part.partition("=") for part in text.split(",")]
        if not all(component and equals for component, equals, _ in pairs):
            return None
        return cls(versions=tuple((component, Version.parse(version)) for component, _, version in pairs))


def same_release(left: Release, right: Release) -> bool:
    """True when every component that both have is the same version, and they share at least one."""
    pairs = shared(left, right)
    return bool(pairs) and all(same(one, other) for one, other in pairs)


def compare_releases(left: Release, right: Release) -> int | None:
    """-1, 0 or 1 as `left` is older, the same, or newer; None when components disagree about it or nobody can tell."""
    answers = {compare(one, other) for one, other in shared(left, right)} - {0}
    if not answers:
        return 0
    return answers.pop() if len(answers) == 1 else None


def shared(left: Release, right: Release) -> list[tuple[Version, Version]]:
    """The versions of the components that both releases have."""
    other = dict(right.versions)
    return [(version, other[component]) for component, version in left.versions if component in other]
