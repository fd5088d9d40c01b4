"""`promotion-bot sandbox` as people use it: started as a process, then git, curl and the client libraries are pointed at it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from github import Auth, Github
from kubernetes import client, config
from slack_sdk import WebClient

ROOT = Path(__file__).resolve().parents[2]
START = [sys.executable, "-c", "from bot.cli.main import main; main()", "sandbox"]


@pytest.fixture(scope="module")
def running() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([*START, "--output", "json", "--for", "120"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    yield process
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def told(running: subprocess.Popen[str]) -> dict[str, Any]:
    assert running.stdout is not None
    text = ""
    while (line := running.stdout.readline()) and line != "}\n":
        text += line
    return dict(json.loads(text + "}"))


def test_git_clones_with_the_token_and_not_without(told: dict[str, Any], tmp_path: Path) -> None:
    dev = told["stages"]["dev"]
    token = Path(told["github"]["token_file"]).read_text()
    address = dev["clone_url"].replace("://", f"://x-access-token:{token}@")
    subprocess.run(["git", "clone", "--quiet", address, str(tmp_path / "dev")], check=True, timeout=60)
    assert (tmp_path / "dev/payments/app.yaml").read_text() == (ROOT / "environments/dev/payments/app.yaml").read_text()
    without = ["git", "-c", "credential.helper=", "clone", "--quiet", dev["clone_url"], str(tmp_path / "no")]
    refused = subprocess.run(without, capture_output=True, timeout=60, env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0"})
    assert refused.returncode != 0


def test_client_libraries_find_what_they_look_for(told: dict[str, Any]) -> None:
    github = Github(base_url=told["github"]["api_url"], auth=Auth.Token(Path(told["github"]["token_file"]).read_text()))
    assert github.get_repo(told["stages"]["prod"]["repository"]).default_branch == "main"
    api = config.new_client_from_config(told["stages"]["prod"]["kubeconfig"])
    pods = client.AppsV1Api(api).list_namespaced_deployment("shop").items
    assert {"payments", "storefront"} <= {item.metadata.name for item in pods}
    slack = WebClient(base_url=told["slack"]["api_url"], token=Path(told["slack"]["token_file"]).read_text())
    assert slack.auth_test()["ok"]


def test_every_stage_was_taken_whole(told: dict[str, Any]) -> None:
    assert list(told["stages"]) == ["dev", "qa", "uat", "prod"]
    assert [stage["problems"] for stage in told["stages"].values()] == [[], [], [], []]


def test_secrets_are_in_files_of_their_owner_and_nowhere_else(told: dict[str, Any]) -> None:
    text = json.dumps(told)
    files = [told["github"]["token_file"], told["slack"]["token_file"], *(stage["token_file"] for stage in told["stages"].values())]
    for file in files:
        assert Path(file).read_text() not in text
        assert Path(file).stat().st_mode & 0o077 == 0


def test_a_signal_ends_it_and_nothing_stays(running: subprocess.Popen[str], told: dict[str, Any]) -> None:
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30) == 0
    assert not Path(told["bot"]["config"]).parent.exists()
