"""What one rollout carried out of its source repository: commits, pull requests, and the pull requests that it reverted."""

from dataclasses import dataclass

from bot.domain.history import CommitRef, PullRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """`problem` says in a sentence why the commits are not known; empty where they are."""

    commits: tuple[CommitRef, ...] = ()
    prs: tuple[PullRef, ...] = ()
    reverts_prs: tuple[int, ...] = ()
    problem: str = ""
