"""Debian's prometheus and docker-registry, on loopback and in folders of their own, for the time of a test session."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

REGISTRY_CONFIG = """version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http: {{addr: 127.0.0.1:{port}, secret: fixed}}
{auth}"""
USER, PASSWORD = "robot", "s3cret"
HASHED = "robot:$2b$05$Pt21q2A83zQ9Ppl7n8xp0udaFIQix2CqUWb/YQeDpBKJaRROlFDFu"
"""htpasswd's bcrypt of PASSWORD."""


def needed(program: str) -> str:
    """The program's path; the test is skipped, loudly, where it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: apt-get install -y --no-install-recommends prometheus docker-registry")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def registry(folder: Path, *, login: bool = False) -> Iterator[str]:
    """A docker-registry; its address. With `login` it wants USER and PASSWORD."""
    port = free_port()
    (folder / "htpasswd").write_text(HASHED + "\n")
    auth = f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n" if login else ""
    (folder / "config.yml").write_text(REGISTRY_CONFIG.format(folder=folder, port=port, auth=auth))
    with _running([needed("docker-registry"), "serve", str(folder / "config.yml")], f"http://127.0.0.1:{port}/v2/", folder):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def prometheus(folder: Path, targets: Sequence[str]) -> Iterator[str]:
    """A Prometheus that scrapes these targets (`host:port`) every 200 ms; its address."""
    port = free_port()
    listed = ", ".join(f"'{target}'" for target in targets)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
        f"scrape_configs: [{{job_name: app, metrics_path: /metrics, static_configs: [{{targets: [{listed}]}}]}}]\n"
    )
    command = [
        needed("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with _running(command, f"http://127.0.0.1:{port}/-/ready", folder):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: Sequence[str], ready: str, folder: Path) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder)
    try:
        for _ in range(150):
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended: {log.read_text()[-2000:]}")
            try:
                if httpx.get(ready, timeout=1).status_code in (200, 401):
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        else:
            raise RuntimeError(f"{command[0]} is not ready: {log.read_text()[-2000:]}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
