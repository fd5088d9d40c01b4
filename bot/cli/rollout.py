"""`promotion-bot rollout`: study what a cluster did, after the fact (`replay`), and write down what it does (`record`).

Reads and writes files and talks to a cluster; what the objects mean is decided in `workloads`, by the very code that watches
a live cluster.
"""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="Replay a recorded rollout, or record one.")
    group.command("replay")(replay)
    app.add_typer(group, name="rollout")


def replay(
    file: Annotated[Path, typer.Argument(help="A recording: JSON with `entries`, as `rollout record` writes it; .gz is read too.")],
    image: Annotated[str | None, typer.Option("--image", help="The promoted image; the recording's own by default.")] = None,
    timeout: Annotated[str, typer.Option("--timeout", help="How long the rollout may take.")] = "60s",
    bake: Annotated[str, typer.Option("--bake", help="How long it must stay healthy.")] = "10s",
    target: Annotated[str | None, typer.Option("--target", help="KIND/NAME, where the recording holds several objects.")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="json or text.")] = "text",
) -> None:
    """What the bot would have made of a recorded rollout: each change of the workload's state, and the promotion at the end.

    The last state is taken to stand on: what would progress for ever ends at the time limit as degraded.
    """
    import json

    from bot.cli._recording import asked_limits, asked_target, read_recording
    from bot.cli._refusal import refuse
    from bot.workloads.recording import replay as play

    as_json = output == "json"
    if output not in ("json", "text"):
        refuse(f"--output {output!r} is not known", why="a replay is printed as json or text", fix="say json or text")
    limits = asked_limits(timeout, bake, as_json=as_json)
    recording = asked_target(read_recording(file, as_json=as_json), target, as_json=as_json)
    played = play(recording, image=image, limits=limits)
    if as_json:
        typer.echo(json.dumps(played.to_json(), ensure_ascii=False))
        return
    for row in played.rows:
        typer.echo(f"{row.t:>9.3f}s  {row.state.value:<12} {row.reason}")
    shown = played.to_json()
    typer.echo(f"workload {shown['workload']}, promotion {shown['promotion']}: {played.reason}")
