"""Reads a recording and the options of `rollout replay`, and refuses what is none with the place and the mending.

Decides only what is a readable recording; what it means is decided in `workloads.recording`.
"""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.cli._refusal import NOT_FOUND, USAGE, refuse
from bot.config.stage import Cluster
from bot.domain.duration import parse_duration
from bot.workloads.watch import Limits

LARGEST = 512 * 1024 * 1024


def asked_limits(timeout: str, bake: str, *, as_json: bool) -> Limits:
    """The rules of time from the options."""
    return Limits(timeout=asked_span("--timeout", timeout, as_json=as_json), bake=asked_span("--bake", bake, as_json=as_json))


def asked_span(option: str, written: str, *, as_json: bool) -> timedelta:
    """An option's span of time."""
    span = parse_duration(written)
    if span is None:
        why = "a span is written in weeks, days, hours, minutes or seconds"
        refuse(f"{option} {written!r} is no span of time", why=why, fix=f"{option} 60s", as_json=as_json)
    return span


def read_recording(file: Path, *, as_json: bool) -> dict[str, Any]:
    """The recording in the file, gzipped or not."""
    try:
        raw = file.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            with gzip.open(file) as packed:
                raw = packed.read(LARGEST)
    except FileNotFoundError:
        refuse(f"{file}: no such file", why="the recording is read from it", fix="name the file", code=NOT_FOUND, as_json=as_json)
    except (OSError, EOFError) as error:
        refuse(f"{file} cannot be read", why=str(error), fix="check the path and its permissions", code=USAGE, as_json=as_json)
    try:
        read = json.loads(raw)
    except (ValueError, RecursionError) as error:
        place = f"{file}:{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else str(file)
        refuse(f"{place}: not JSON", why=str(error), fix="make the recording anew with rollout record", as_json=as_json)
    if not isinstance(read, dict) or not isinstance(read.get("entries"), list):
        refuse(
            f"{file} is no recording",
            why="a recording is a JSON object with a list `entries` of answers and watch events",
            fix="make one with: promotion-bot rollout record",
            as_json=as_json,
        )
    return read


def asked_target(recording: dict[str, Any], target: str | None, *, as_json: bool) -> dict[str, Any]:
    """The recording with the target that was asked for."""
    if target is None:
        return recording
    kind, slash, name = target.rpartition("/")
    if not slash or not kind or not name:
        refuse(f"--target {target!r} names no object", why="it is KIND/NAME", fix="--target Deployment/web", as_json=as_json)
    version = recording.get("target", {}).get("apiVersion", "") if isinstance(recording.get("target"), dict) else ""
    return {**recording, "target": {"kind": kind, "name": name, "apiVersion": version}}


def record_to(file: Path, cluster: Cluster, target: tuple[str, str, str], *, image: str | None, span: timedelta) -> int:
    """Records for the span, or until Ctrl-C, and writes the file; the number of entries. UserError where it cannot begin."""
    from bot.adapters.kubernetes.recorder import Recorder

    kind, namespace, name = target
    recorder = Recorder(cluster=cluster, kind=kind, namespace=namespace, name=name, wanted_image=image, clock=lambda: datetime.now(UTC))
    recorder.start()
    try:
        recorder.stop_asked.wait(span.total_seconds())
    except KeyboardInterrupt:
        pass
    finally:
        recorder.stop()
    recording = recorder.recording()
    raw = json.dumps(recording, ensure_ascii=False, indent=1).encode()
    file.write_bytes(gzip.compress(raw) if file.suffix == ".gz" else raw)
    return len(recording["entries"])
