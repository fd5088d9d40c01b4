"""That the measure itself measures: GitHub's description knows our routes, and a wrong answer is found."""

import json

from bot.sandbox.github.delivery import Delivery
from tests.contract.sandbox_github.conftest import REPO, Forge
from tests.support.github_cut import HOOKS, served_routes
from tests.support.github_schema import answer_errors, description, hook_errors

# GitHub describes the first as contents/{path} with an empty path; the second is where its redirects of renamed repositories lead;
# the others are GitHub's own (an account by its id, a list of the issues whose single answer is described), and stand outside of the
# cut of the description that the tests carry.
OURS = {
    ("GET", "/repos/{owner}/{repo}/contents"),
    ("GET", "/repositories/{repository_id}"),
    ("GET", "/user/{account_id}"),
    ("GET", "/repos/{owner}/{repo}/issues"),
}


def test_no_route_is_invented() -> None:
    known = description("api.json.gz")["paths"]
    unknown = {route for route in served_routes() if route[0].lower() not in known.get(route[1], {})}
    assert unknown == OURS


def test_the_measure_finds_what_is_wrong(forge: Forge) -> None:
    pull = forge.open()
    template = "/repos/{owner}/{repo}/pulls/{pull_number}"
    assert answer_errors("GET", template, 200, json.dumps(pull).encode()) == []
    broken = [pull | {"number": "1"}, pull | {"state": "merged"}, {key: value for key, value in pull.items() if key != "mergeable"}, [pull]]
    assert all(answer_errors("GET", template, 200, json.dumps(body).encode()) for body in broken)
    assert answer_errors("GET", template, 302, b"{}")
    assert answer_errors("GET", "/repos/{owner}/{repo}/nonsense", 200, b"{}")
    assert answer_errors("GET", template, 200, b"<html>")


def test_the_measure_of_webhooks_finds_what_is_wrong(forge: Forge) -> None:
    forge.open()
    found: Delivery = forge.arrived()[-1]
    assert hook_errors(found) == []
    body = json.loads(found.body)
    found.body, original = json.dumps(body | {"number": "x"}).encode(), found.body
    assert hook_errors(found)
    found.body = original


def test_every_webhook_that_is_measured_has_a_schema() -> None:
    assert set(description("webhooks.json.gz")["webhooks"]) == set(HOOKS)


def test_names_that_need_care(forge: Forge) -> None:
    """Branches with slashes, dots and umlauts; labels with spaces and slashes; logins of bots."""
    for name in ("a/b/c", "v1.0-x", "größe", "100%"):
        sha = forge.branch(name, "1.1.0")
        assert forge.repo("bot", "GET", f"/branches/{name.replace('%', '%25')}").json()["commit"]["sha"] == sha
        assert forge.repo("bot", "GET", f"/commits/{name.replace('%', '%25')}/status").json()["sha"] == sha
    forge.open()
    forge.repo("bot", "POST", "/issues/1/labels", {"labels": ["stage: uat / eu"]})
    assert forge.repo("bot", "DELETE", "/issues/1/labels/stage:%20uat%20%2F%20eu").json() == []
    assert forge.box.repository(REPO).labels.keys() == {"stage: uat / eu"}
