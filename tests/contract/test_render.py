"""Renderings by the real `kubectl kustomize`, from real repositories: what is told, and what a hostile folder cannot do."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters import render
from bot.adapters.render import CONFINED, Renderer
from bot.domain.rendered import Rendered
from tests.contract.git_world import NAME, World

needs_kustomize = pytest.mark.skipif(render.tool_for("kustomize") is None, reason="neither kustomize nor kubectl is installed")
needs_helm = pytest.mark.skipif(render.tool_for("helm") is None, reason="helm is not installed")

DEPLOYMENT = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {template: {spec: {containers: [{name: api, image: acme/api}]}}}\n"
)
BASE = {"shop/base/kustomization.yaml": "resources: [d.yaml]\n", "shop/base/d.yaml": DEPLOYMENT}
PROD = "resources: [../base]\nimages: [{name: acme/api, newTag: v1}]\n"


def rendered(
    world: World, files: dict[str, str | None], change: dict[str, str], *, seconds: float = 20, memory: int = 512
) -> list[Rendered]:
    head = world.person(files)
    bot = world.bot()
    bot.refresh(NAME)
    renderer = Renderer(bot, timeout=timedelta(seconds=seconds), memory=memory)
    return list(renderer.render(NAME, head, {path: text.encode() for path, text in change.items()}))


@needs_kustomize
def test_an_overlay_tells_its_workloads(tmp_path: Path) -> None:
    path = "shop/prod/kustomization.yaml"
    (found,) = rendered(World(tmp_path), {**BASE, path: PROD}, {path: PROD.replace("v1", "v2")})
    assert (found.folder, found.tool, found.problem) == ("shop/prod", "kustomize", "")
    (one,) = found.objects
    assert (one.kind, one.name) == ("Deployment", "api")
    assert [(field.old, field.new) for field in one.fields] == [("acme/api:v1", "acme/api:v2")]


@needs_kustomize
def test_a_file_below_a_kustomization_is_rendered_by_it_and_others_are_not(tmp_path: Path) -> None:
    change = {"shop/base/d.yaml": DEPLOYMENT.replace("acme/api", "acme/web"), "plain/x.yaml": "a: 2\n"}
    (found,) = rendered(World(tmp_path), {**BASE, "plain/x.yaml": "a: 1\n"}, change)
    assert found.folder == "shop/base"
    assert len(found.objects) == 1


@needs_kustomize
def test_the_tools_own_error_is_told_without_our_paths(tmp_path: Path) -> None:
    path = "shop/prod/kustomization.yaml"
    (found,) = rendered(World(tmp_path), {path: "resources: [gone.yaml]\n"}, {path: "resources: [gone.yaml]\nnamespace: x\n"})
    assert "gone.yaml" in found.problem
    assert str(tmp_path) not in found.problem
    assert "promotion-bot-render" not in found.problem


def test_what_needs_the_network_is_not_run(tmp_path: Path) -> None:
    path = "shop/prod/kustomization.yaml"
    remote = "resources: ['https://127.0.0.1/x.yaml']\n"
    (found,) = rendered(World(tmp_path), {path: remote}, {path: remote + "namespace: x\n"})
    wanted = "renderings have no network" if render.tool_for("kustomize") is not None else "no program"
    assert wanted in found.problem
    assert found.objects == ()


def test_nothing_to_render_costs_nothing(tmp_path: Path) -> None:
    assert rendered(World(tmp_path), {"plain/x.yaml": "a: 1\n"}, {"plain/x.yaml": "a: 2\n"}) == []


@needs_kustomize
def test_too_little_time_or_memory_is_told(tmp_path: Path) -> None:
    path = "shop/prod/kustomization.yaml"
    world = World(tmp_path)
    (slow,) = rendered(world, {**BASE, path: PROD}, {path: PROD.replace("v1", "v2")}, seconds=0.01)
    assert "took longer" in slow.problem
    (small,) = rendered(world, {"other": "x"}, {path: PROD.replace("v1", "v2")}, memory=20)
    assert small.problem
    assert small.objects == ()


@needs_helm
def test_a_chart_is_rendered_with_the_stages_values(tmp_path: Path) -> None:
    template = 'kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: "acme/api:{{ .Values.tag }}"}]}\n'
    files = {"c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "c/values.yaml": "tag: v0\n", "c/templates/p.yaml": template}
    (found,) = rendered(World(tmp_path), {**files, "c/values-prod.yaml": "tag: v1\n"}, {"c/values-prod.yaml": "tag: v2\n"})
    assert [field.new for field in found.objects[0].fields] == ["acme/api:v2"]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A server on this machine that notes who comes."""
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                came.append(b"came")
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], came
        stop.set()
        thread.join()


def confined(code: str, *, memory: int = 256 * 2**20, seconds: int = 5, file: int = 2**20) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(CONFINED), str(memory), str(seconds), str(file), sys.executable, "-I", "-S", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, env={"PATH": "/nowhere", "MARK": "1"})


def may_leave_the_network() -> bool:
    return shutil.which("unshare") is not None and subprocess.run(["unshare", "-rn", "true"], check=False).returncode == 0


@pytest.mark.skipif(not may_leave_the_network(), reason="this kernel forbids network namespaces")
def test_a_confined_program_reaches_not_even_this_machine(listener: tuple[int, list[bytes]]) -> None:
    port, came = listener
    connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
    subprocess.run([sys.executable, "-c", connect], check=True, timeout=30)
    assert confined(connect).returncode != 0
    assert len(came) <= 1, "only the one that was not confined came"


def test_a_confined_program_is_held_to_memory_time_and_output(tmp_path: Path) -> None:
    assert confined("import os; print(sorted(os.environ))").stdout.strip() in ("['MARK', 'PATH']", "['LC_CTYPE', 'MARK', 'PATH']")
    assert confined("x = bytearray(400 * 2**20)").returncode != 0
    assert confined("while True: pass", seconds=1).returncode < 0
    target = tmp_path / "large"
    assert confined(f"open({os.fspath(target)!r}, 'wb').write(bytes(2**21))").returncode != 0
    assert target.stat().st_size <= 2**20
