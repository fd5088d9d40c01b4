"""Renders folders of a repository with Kustomize or Helm, before and after a change, without trusting anybody's pull request.

Only the files of one commit of the base branch and our own change are laid out, in a folder of their own. The tool gets limits of
time, memory and output, an empty environment, no network, no git and no plugins. What differs is decided in `manifests.rendering`.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath

from bot.adapters.git_objects import REGULAR, check_path
from bot.domain.errors import UserError
from bot.domain.rendered import Rendered
from bot.manifests.kustomize_sources import NAMES, remote_reference
from bot.manifests.rendering import Unreadable, object_changes
from bot.ports import Repositories

CONFINED = Path(__file__).with_name("confined.py")
MOST_FOLDERS = 5
MOST_FILES = 20_000
MOST_BYTES = 64 * 1024 * 1024
LONGEST_OUTPUT = 16 * 1024 * 1024
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that renders. `arguments` stand between the program and the folder."""

    name: str
    program: str
    arguments: tuple[str, ...]


class Renderer:
    """Implements `ports.Renderer`. `memory` counts megabytes of one rendering, `timeout` is its wall-clock time."""

    def __init__(self, repositories: Repositories, *, timeout: timedelta, memory: int) -> None:
        self._repositories = repositories
        self._timeout = timeout
        self._memory = memory

    def render(self, repository: str, commit: str, files: Mapping[str, bytes]) -> Sequence[Rendered]:
        """What `files` change in the objects of the folders that hold them; empty where no folder is one to render."""
        entries = {entry.path: entry for entry in self._repositories.tree(repository, commit) if entry.mode in REGULAR}
        roots = sorted({root for path in files if (root := _root_of(path, entries)) is not None})
        if not roots:
            return ()
        if len(entries) > MOST_FILES or sum(entry.size for entry in entries.values()) > MOST_BYTES:
            return [Rendered(folder=folder, tool=kind, problem="the repository is too large to be laid out") for folder, kind in roots]
        contents = self._repositories.blobs(repository, {entry.blob for entry in entries.values()})
        base = {path: contents[entry.blob] for path, entry in entries.items()}
        with tempfile.TemporaryDirectory(prefix="promotion-bot-render-") as scratch:
            tree = Path(scratch) / "tree"
            _lay_out(tree, base)
            told = [_Folder(folder, kind, tool_for(kind), base, _values(folder, kind, files)) for folder, kind in roots[:MOST_FOLDERS]]
            before = [self._run(one, tree, Path(scratch)) for one in told]
            _lay_out(tree, files)
            after = [self._run(one, tree, Path(scratch)) for one in told]
        return [one.compared(old, new) for one, old, new in zip(told, before, after, strict=True)]

    def _run(self, folder: "_Folder", tree: Path, scratch: Path) -> tuple[str, str]:
        """(what was rendered, why it could not be)."""
        if folder.problem or folder.tool is None:
            return "", folder.problem
        out, err, home = scratch / "out", scratch / "err", scratch / "home"
        home.mkdir(exist_ok=True)
        limits = [str(self._memory * 1024 * 1024), str(int(self._timeout.total_seconds()) + 1), str(LONGEST_OUTPUT)]
        values = [part for path in folder.values for part in ("-f", str(tree / path))]
        command = [folder.tool.program, *folder.tool.arguments, str(tree / folder.path), *values]
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(CONFINED), *limits, *command],
                env=_environment(home),
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                status = process.wait(timeout=self._timeout.total_seconds())
            except subprocess.TimeoutExpired:
                return "", f"{folder.tool.name} took longer than {self._timeout.total_seconds():g} seconds"
            finally:
                _kill(process)
        if status != 0:
            return "", _why(folder.tool.name, status, err.read_bytes()[:2000], tree)
        return out.read_bytes().decode("utf-8", "replace"), ""


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to render, with the tool for it, or why it is not rendered at all."""

    path: str
    kind: str
    tool: Tool | None
    base: Mapping[str, bytes]
    values: tuple[str, ...] = ()
    """More files with Helm values, besides the chart's own."""

    @property
    def problem(self) -> str:
        if self.tool is None:
            return f"no program for it is installed ({' or '.join(PROGRAMS[self.kind])})"
        remote = remote_reference(self.base.get, self.path) if self.kind == "kustomize" else None
        return f"it takes {remote} from elsewhere, and renderings have no network" if remote is not None else ""

    def compared(self, before: tuple[str, str], after: tuple[str, str]) -> Rendered:
        problem = after[1] or before[1]
        if problem:
            return Rendered(folder=self.path, tool=self.kind, problem=problem)
        try:
            return Rendered(folder=self.path, tool=self.kind, objects=object_changes(before[0], after[0]))
        except Unreadable as error:
            return Rendered(folder=self.path, tool=self.kind, problem=str(error))


PROGRAMS = {"kustomize": ("kustomize", "kubectl"), "helm": ("helm",)}
_ARGUMENTS = {"kustomize": ("build",), "kubectl": ("kustomize",), "helm": ("template", "release")}


def tool_for(kind: str) -> Tool | None:
    """The first program of a kind that is installed."""
    for name in PROGRAMS[kind]:
        program = shutil.which(name)
        if program is not None:
            return Tool(name=name, program=program, arguments=_ARGUMENTS[name])
    return None


def _root_of(path: str, files: Container[str]) -> tuple[str, str] | None:
    """The nearest folder around a file that Kustomize or Helm renders, and which of them; None where the file stands for itself."""
    for parent in PurePosixPath(path).parents:
        folder = "" if str(parent) == "." else f"{parent}/"
        if any(f"{folder}{name}" in files for name in NAMES):
            return folder.rstrip("/"), "kustomize"
        if f"{folder}Chart.yaml" in files:
            return folder.rstrip("/"), "helm"
    return None


def _values(folder: str, kind: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The stage's own values files beside a chart that are changed; `values.yaml` is read by Helm itself."""
    beside = [path for path in files if kind == "helm" and str(PurePosixPath(path).parent) == (folder or ".")]
    names = {path: PurePosixPath(path).name for path in beside}
    return tuple(sorted(path for path, name in names.items() if name.startswith("values") and name != "values.yaml"))


def _lay_out(tree: Path, files: Mapping[str, bytes]) -> None:
    """Write the files; one whose name is not plainly a path inside is left out."""
    for path, content in files.items():
        try:
            check_path(path)
        except UserError:
            continue
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _environment(home: Path) -> dict[str, str]:
    """Nothing of ours: no secret, no path to other programs, proxies that lead nowhere."""
    proxies = {name: NOWHERE for key in ("http_proxy", "https_proxy", "all_proxy") for name in (key, key.upper())}
    places = {name: str(home) for name in ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "HELM_PLUGINS")}
    return {
        "PATH": str(home),
        "LC_ALL": "C",
        "KUBECONFIG": os.devnull,
        "GOMAXPROCS": "1",
        "NO_PROXY": "",
        "no_proxy": "",
        **proxies,
        **places,
    }


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group, and wait for its head."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _why(name: str, status: int, said: bytes, tree: Path) -> str:
    """Why a tool failed, in its own last words, without our paths."""
    words = said.decode("utf-8", "replace").replace(f"{tree}/", "").strip().splitlines()
    if status < 0 or not words:
        return f"{name} was stopped at a limit of memory, time or output"
    return f"{name} says: {words[0][:300]}"
