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
    group.command("record")(record)
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


def record(
    target: Annotated[str, typer.Argument(help="KIND/NAME, such as Deployment/web.")],
    file: Annotated[Path, typer.Option("--file", "-f", help="Where to write the recording; .gz is packed.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where the workload stands.")] = "default",
    image: Annotated[str | None, typer.Option("--image", help="The promoted image, written into the recording.")] = None,
    span: Annotated[str, typer.Option("--for", help="How long to record; Ctrl-C ends it earlier.")] = "10m",
    kubeconfig: Annotated[str | None, typer.Option("--kubeconfig", help="Path of a kubeconfig; the usual places by default.")] = None,
    context: Annotated[str | None, typer.Option("--context", help="The context in it.")] = None,
    allow_exec: Annotated[bool, typer.Option("--allow-exec", help="Let the kubeconfig start programs to log in.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="json or text.")] = "text",
) -> None:
    """Write down what the cluster says about one workload, to study it with `rollout replay`.

    The file holds the workload, what it made and the events about them; no credentials and no environment values.
    """
    import json

    from bot.cli._recording import asked_span, record_to
    from bot.cli._refusal import refuse
    from bot.config.stage import Cluster

    as_json = output == "json"
    kind, slash, name = target.partition("/")
    if not slash or not kind or not name:
        refuse(f"{target!r} names no workload", why="it is KIND/NAME", fix="say Deployment/web", as_json=as_json)
    seconds = asked_span("--for", span, as_json=as_json)
    cluster = Cluster(kubeconfig=kubeconfig, context=context, allow_exec=allow_exec)
    written = record_to(file, cluster, (kind, namespace, name), image=image, span=seconds)
    told = {"file": str(file), "entries": written, "target": f"{kind} {namespace}/{name}"}
    typer.echo(json.dumps(told) if as_json else f"{written} entries about {told['target']} written to {file}")
