"""Clusters, people, and whoever answers the questions of gates; what shows a change in the rendered objects."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.action import Notify, Picture
from bot.domain.card import Card
from bot.domain.facts import Answer, Question
from bot.domain.rendered import Rendered
from bot.domain.rollout import ClusterSnapshot


class Renderer(Protocol):
    """Kustomize or Helm, where they are installed."""

    def render(self, repository: str, commit: str, files: Mapping[str, bytes]) -> Sequence[Rendered]:
        """What `files` (paths from the repository's root) change in the objects that the commit's folders render to.

        Raises nothing but what reading the repository raises; why a folder could not be rendered stands in the answer.
        """
        ...


class Clusters(Protocol):
    """What runs, from watches that are kept in the background: asking costs nothing."""

    def snapshot(self, stage: str) -> ClusterSnapshot: ...

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with a stage's name when something in its cluster changed."""
        ...

    def sync(self, stage: str) -> None:
        """Ask the stage's GitOps agent to look at git now, where it has a way to be asked."""
        ...


class Chat(Protocol):
    """A place where people are told. `post` returns a reference by which the message can be changed and found again."""

    def post(self, *, key: str, thread: str, severity: str, stage: str, service: str, text: str, fields: Mapping[str, str]) -> str:
        """Exactly once per `key`: a message with this key that stands there already is not posted again."""
        ...

    def post_picture(self, *, thread: str, severity: str, stage: str, service: str, text: str, picture: Picture) -> str:
        """A picture into a thread, exactly once per `picture.name`. `TransientError` while the thread has no beginning."""
        ...


class Cards(Protocol):
    """A place where each promotion has one message that is changed in place as it goes on."""

    def show(self, card: Card, references: Mapping[str, str]) -> Mapping[str, str]:
        """Bring a promotion's message to this state, in place where `references` (what the last call returned) says that it stands."""
        ...


class Teller(Protocol):
    """A receiver of messages beside the chat. A message may reach it twice, under the same id."""

    def wants(self, notice: Notify) -> bool:
        """Is this message for this receiver?"""
        ...

    def tell(self, notice: Notify, *, now: datetime) -> None:
        """One try."""
        ...


class Answers(Protocol):
    """A collector that answers questions of one source (a metric, an HTTP endpoint, a registry ...)."""

    source: str

    def answer(self, questions: Sequence[Question], *, now: datetime) -> Mapping[Question, Answer]: ...
