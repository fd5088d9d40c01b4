"""Every refusal of a command, in words: what was not done, why, and who or what can change it. Nobody is mentioned who need not act."""

from collections.abc import Mapping
from datetime import datetime

from bot.messages.words import code, instant, listing, prose


def reader(login: str) -> str:
    """To whom a refusal speaks: the one person who must act."""
    return f"@{login}"


def no_role(*, line: str, verb: str, stage: str, has: str, needs: str, source: str, who: tuple[str, ...]) -> str:
    """The role that is missing, where it comes from, and who has it."""
    mine = f"you have the role *{has}* in {stage}" if has else f"you have no role in {stage}"
    origin = f", which comes from {listing([_name(name) for name in who])}" if who else ", which nobody has"
    place = f" ({code(source)})" if source else ", since the configuration names nobody else"
    return (
        f"{code(line)} was not applied: {mine}; {code(verb)} needs the role *{needs}*{origin}{place}. "
        "Nothing changed. `/promote help` lists what you may do."
    )


def cannot_tell(*, line: str, stage: str, problem: str) -> str:
    """The forge could not say what the actor may do: refused, and nobody's fault."""
    where = f" in {stage}" if stage else ""
    why = prose(problem.rstrip("."))
    return f"{code(line)} was not applied: what you may do{where} cannot be told now ({why}). Nothing changed; give it again in a moment."


def stranger(*, line: str) -> str:
    """A bot account that is not listed."""
    return f"{code(line)} was not applied: commands of bot accounts count only when `people.bots` lists the account's id. Nothing changed."


def by_app(slug: str) -> str:
    """A command that an App wrote in a person's name."""
    return (
        f"This command was written in your name by the App {code(slug)}, so it does not count. Write it yourself, "
        f"or have {code(slug + '[bot]')} listed in `people.bots`. Nothing changed."
    )


def wrong(*, line: str, what: str, fix: str = "") -> str:
    """A command that cannot be carried out as it stands."""
    return f"{code(line)} was not applied: {prose(f'{what} {fix}')}"


def too_old(*, line: str, at: datetime) -> str:
    """A command that starts something, read long after it was given."""
    return f"{code(line)} was not applied: it was given at {instant(at)} and is read only now. If it is still meant, give it again."


def elsewhere(*, line: str, surfaces: tuple[str, ...]) -> str:
    """A verb that cannot be given here."""
    names: Mapping[str, str] = {"pr": "a pull request", "slack": "Slack", "cli": "the command line"}
    return f"{code(line)} was not applied: it is given in {listing([names.get(name, name) for name in surfaces])} only."


def too_many(left_out: int, most: int) -> str:
    """More commands in one comment than are carried out."""
    return f"This comment holds {left_out + most} commands; {most} are carried out at most. The last {left_out} were not."


def label_refused(label: str, sentence: str) -> str:
    """A label that was taken off again."""
    return f"The label {code(label)} was taken off again: {sentence}"


def label_is_output(label: str) -> str:
    """A label of ours that somebody put on by hand."""
    return (
        f"The label {code(label)} was taken off again: it only tells how the promotion stands, and no gate looks at it. "
        "To approve, write `/promote approve` or approve in a review; `/promote help` lists what else you may do."
    )


def label_again(label: str, sentence: str) -> str:
    """A label that was put on again, because whoever took it off may not."""
    return f"The label {code(label)} was put on again: {sentence}"


def label_left(label: str, *, number: int, stage: str, login: str, times: int) -> str:
    """A label that comes back, or goes, however often it was changed back."""
    return (
        f"The label {label} of #{number} in {stage} was changed back {times} times, and {login or 'somebody'} changed it again: the bot "
        "leaves it as it is now. It orders nothing and lifts nothing; whoever runs that account or program should stop it."
    )


def _name(name: str) -> str:
    """A team or account in a code span, so that nobody is called who need not act; a description as it is."""
    bare = name.removeprefix("team ").removeprefix("@")
    return name if " " in bare else code(bare)
