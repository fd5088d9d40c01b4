"""`promotion-bot wait promotion/N`: until a promotion stands where it should, or cannot any more."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bot.cli._asked import InStage, Url

if TYPE_CHECKING:
    from bot.cli._remote import Remote


def register(app: typer.Typer) -> None:
    @app.command()
    def wait(
        what: Annotated[str, typer.Argument(help="promotion/NUMBER of the pull request.")],
        until: Annotated[Literal["healthy", "merged", "closed", "ended"], typer.Option("--for", help="Wait for this.")] = "healthy",
        timeout: Annotated[str, typer.Option("--timeout", help="At most so long: 30m, 2h.")] = "30m",
        in_stage: InStage = None,
        url: Url = None,
        output: Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="How to print.")] = "text",
        every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two looks.")] = 2.0,
    ) -> None:
        """Wait for a promotion. Exit 0: it is so, 1: it ended otherwise, 5: there is none, 7: the time is up.

        A bot that does not answer for a while, as when it starts anew, is asked again until then.
        """
        import json
        import time

        from bot.cli._refusal import FAILED, TIMED_OUT, refuse
        from bot.cli._remote import Unanswered, connect
        from bot.domain.duration import parse_duration

        as_json = output == "json"
        kind, _, number = what.partition("/")
        span = parse_duration(timeout)
        if kind != "promotion" or not number.isdecimal() or span is None:
            refuse(
                f"cannot wait for {what!r} for {timeout!r}",
                why="it is typed otherwise",
                fix="wait promotion/482 --timeout 30m",
                as_json=as_json,
            )
        remote = connect(url, as_json=as_json)
        deadline = time.monotonic() + span.total_seconds()
        away = ""
        try:
            one = _found(remote, number, in_stage or "")
        except Unanswered as error:
            refuse(error.what, why=error.why, fix=error.fix, code=error.code, as_json=as_json)
        while not reached(one, until):
            if not one["in_flight"]:
                why = one["reason"] or f"it is {one['state']}"
                refuse(f"#{number} will not be {until}", why=why, fix="see its pull request", code=FAILED, as_json=as_json)
            if time.monotonic() >= deadline:
                why = f"it is {one['state']} after {timeout}" + (f", and the bot could not be asked last: {away}" if away else "")
                fix = f"promotion-bot why -p {number} --in {one['stage']}"
                refuse(f"#{number} is not {until} yet", why=why, fix=fix, code=TIMED_OUT, as_json=as_json)
            time.sleep(min(every, max(0.0, deadline - time.monotonic())))
            try:
                one, away = _found(remote, number, one["stage"]), ""
            except Unanswered as error:
                away = error.why
        typer.echo(json.dumps(one, ensure_ascii=False) if as_json else f"#{number} in {one['stage']}: {one['state']}")


def _found(remote: "Remote", number: str, stage: str) -> dict[str, Any]:
    """The promotion as it stands now; leaves where there is none, or more than one stage has that number."""
    from bot.cli._refusal import FAILED, NOT_FOUND, USAGE, refuse
    from bot.cli._remote import Unanswered

    answer = remote.ask("GET", "/promotions", params={"number": number, **({"stage": stage} if stage else {})})
    if answer.get("exit_code") == FAILED:
        raise Unanswered("the bot cannot say", why=str(answer.get("told", "")), fix="try again in a moment", code=FAILED)
    if answer.get("outcome") == "refused":
        remote.fail(answer)
    found: list[dict[str, Any]] = answer["items"]
    known = list(dict.fromkeys(str(item["stage"]) for item in found))
    if not found:
        refuse(
            f"no promotion #{number}{f' in {stage}' if stage else ''}",
            why="the bot knows none that you may see",
            fix="`promotion-bot get promotions` lists those that it knows",
            code=NOT_FOUND,
            as_json=remote.as_json,
        )
    if len(known) > 1:
        refuse(
            f"#{number} is a promotion in each of {', '.join(known)}",
            why="each stage's repository counts for itself",
            fix=f"add --in {known[-1]}",
            code=USAGE,
            as_json=remote.as_json,
        )
    return next((item for item in found if item["in_flight"]), found[-1])


def reached(one: dict[str, object], until: str) -> bool:
    """Does it stand where it should?"""
    match until:
        case "merged":
            return one["merged_at"] is not None and one["state"] not in ("failed", "reverting", "reverted", "stuck")
        case "ended":
            return not one["in_flight"]
        case _:
            return one["state"] == until
