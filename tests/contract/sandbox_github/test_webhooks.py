"""Webhooks: signed, complete, and lost, doubled, delayed, reordered or sent again on demand."""

import time
from typing import Any

import jwt
import pytest

from bot.sandbox.github import Delivery
from tests.contract.sandbox_github.conftest import REPO, Forge


def quiet(forge: Forge) -> None:
    forge.arrived()
    forge.sink.received.clear()


def names(forge: Forge) -> list[str]:
    forge.arrived()
    return [item.name for item in forge.sink.received]


def as_app(forge: Forge, method: str, path: str) -> Any:
    """A call with the App's JWT."""
    number, key, _ = forge.box.create_app("hooked")
    forge.tokens["jwt"] = jwt.encode(
        {"iat": int(time.time()) - 60, "exp": int(time.time()) + 300, "iss": str(number)}, key, algorithm="RS256"
    )
    return forge.api("jwt", method, path)


def test_every_delivery_is_signed_and_named(forge: Forge) -> None:
    forge.open()
    forge.arrived()
    assert all(item.signed for item in forge.sink.received)
    assert len({item.guid for item in forge.sink.received}) == len(forge.sink.received)
    last = forge.sink.received[-1]
    assert (last.name, last.headers["user-agent"].startswith("GitHub-Hookshot/")) == ("pull_request.opened", True)
    assert last.headers["x-github-hook-installation-target-type"] == "integration"
    assert last.body["installation"]["id"] in forge.box.world.installations
    assert last.body["organization"]["login"] == "acme"


def test_the_life_of_a_pull_request(forge: Forge) -> None:
    """Everything that the bot listens to; the fixture holds each body against GitHub's schema."""
    quiet(forge)
    head = forge.open()["head"]["sha"]
    forge.box.label(REPO, 1, "ann", "hold")
    forge.box.label(REPO, 1, "ann", "hold", remove=True)
    comment = forge.box.comment(REPO, 1, "ann", "/promote")
    forge.box.edit_comment(REPO, comment.id, "ann", "/hold")
    forge.repo("ann", "DELETE", f"/issues/comments/{comment.id}")
    review = forge.box.approve(REPO, 1, "ben")
    forge.repo("adm", "PUT", f"/pulls/1/reviews/{review.id}/dismissals", {"message": "no"})
    forge.box.set_status(REPO, head, "ci", "success")
    forge.box.set_check(REPO, head, "lint", "success")
    deployment = forge.repo("bot", "POST", "/deployments", {"ref": "main", "required_contexts": []}).json()
    forge.repo("bot", "POST", f"/deployments/{deployment['id']}/statuses", {"state": "success"})
    forge.box.close_pr(REPO, 1, "ann")
    forge.box.reopen_pr(REPO, 1, "ann")
    forge.box.merge_pr(REPO, 1, "ann")
    assert names(forge) == [
        "push",
        "pull_request.opened",
        "label.created",
        "pull_request.labeled",
        "pull_request.unlabeled",
        "issue_comment.created",
        "issue_comment.edited",
        "issue_comment.deleted",
        "pull_request_review.submitted",
        "pull_request_review.dismissed",
        "status",
        "check_run.created",
        "check_run.completed",
        "check_suite.completed",
        "deployment_status.created",
        "pull_request.closed",
        "pull_request.reopened",
        "push",
        "pull_request.closed",
    ]
    assert forge.sink.received[-1].body["pull_request"]["merged"] is True


def test_lost_ones_leave_no_trace_in_githubs_log(forge: Forge) -> None:
    quiet(forge)
    forge.box.deliveries.tamper("lose", 1, matches=lambda delivery: delivery.event == "pull_request")
    forge.open()
    assert names(forge) == ["push"]
    shown = [item.event for item in forge.box.deliveries.visible("integration")]
    assert "pull_request" not in shown


def test_failed_ones_are_in_the_log_and_can_be_fetched_back(forge: Forge) -> None:
    quiet(forge)
    forge.sink.status = 500
    forge.open()
    forge.arrived()
    forge.sink.status = 202
    forge.sink.received.clear()
    app = next(app for app in forge.box.world.apps.values() if app.slug == "promotion-bot")
    failed = [item for item in forge.box.deliveries.visible("integration", app.id) if item.status != "OK"]
    assert [(item.event, item.status_code) for item in failed] == [("pull_request", 500), ("push", 500)]
    again = forge.box.deliveries.redeliver(failed[0].id)
    assert names(forge) == ["pull_request.opened"]
    assert (again.guid, again.redelivery, again.status) == (failed[0].guid, True, "OK")
    assert forge.sink.received[0].guid == failed[0].guid


def test_the_apps_deliveries_over_the_api(forge: Forge) -> None:
    assert as_app(forge, "GET", "/app/hook/deliveries").json() == []
    forge.sink.status = 503
    for number in range(4):
        forge.branch(f"b{number}", "1.1.0")
    forge.arrived()
    first = forge.api("jwt", "GET", "/app/hook/deliveries?per_page=3")
    assert [item["status_code"] for item in first.json()] == [503] * 3
    path = first.links["next"]["url"].partition("/api/v3")[2]
    rest = forge.api("jwt", "GET", path).json()
    assert len(rest) == 1
    assert {item["id"] for item in rest}.isdisjoint(item["id"] for item in first.json())
    one = forge.api("jwt", "GET", f"/app/hook/deliveries/{rest[0]['id']}").json()
    assert one["request"]["payload"]["ref"] == "refs/heads/b0"
    assert "it is a secret" not in str(one)
    forge.sink.status = 202
    assert forge.api("jwt", "POST", f"/app/hook/deliveries/{rest[0]['id']}/attempts").status_code == 202
    forge.arrived()
    newest = forge.api("jwt", "GET", "/app/hook/deliveries").json()[0]
    assert (newest["guid"], newest["status"], newest["redelivery"]) == (rest[0]["guid"], "OK", True)
    assert forge.api("jwt", "POST", "/app/hook/deliveries/99999/attempts").status_code == 404


def test_doubled_delayed_and_reordered(forge: Forge) -> None:
    quiet(forge)
    is_push = lambda delivery: delivery.event == "push"  # noqa: E731
    forge.box.deliveries.tamper("duplicate", 1, matches=is_push)
    forge.branch("a", "1.1.0")
    assert names(forge) == ["push", "push"]
    assert len({item.guid for item in forge.sink.received}) == 1
    forge.box.deliveries.tamper("duplicate", 1, matches=is_push, new_guid=True)
    quiet(forge)
    forge.branch("b", "1.1.0")
    forge.arrived()
    assert len({item.guid for item in forge.sink.received}) == 2
    forge.box.deliveries.clear_tampers()
    quiet(forge)
    forge.box.deliveries.tamper("delay", 1, seconds=0.4)
    forge.branch("c", "1.1.0")
    forge.branch("d", "1.1.0")
    forge.arrived()
    assert [item.body["ref"] for item in forge.sink.received] == ["refs/heads/d", "refs/heads/c"]
    quiet(forge)
    forge.box.deliveries.tamper("reorder", 3)
    for name in "efg":
        forge.branch(name, "1.1.0")
    forge.arrived()
    assert [item.body["ref"][-1] for item in forge.sink.received] == ["g", "f", "e"]


def test_held_until_released(forge: Forge) -> None:
    quiet(forge)
    forge.box.deliveries.hold()
    forge.branch("a", "1.1.0")
    forge.branch("b", "1.1.0")
    assert names(forge) == []
    forge.box.deliveries.release(newest_first=True)
    forge.arrived()
    assert [item.body["ref"][-1] for item in forge.sink.received] == ["b", "a"]


def test_a_receiver_that_is_gone(forge: Forge) -> None:
    forge.box.set_webhook("http://127.0.0.1:9/hook", "s")
    forge.branch("a", "1.1.0")
    last: Delivery = forge.arrived()[-1]
    assert (last.status, last.status_code) == ("failed to connect to host", 502)


def test_a_hook_of_the_repository(forge: Forge) -> None:
    forge.box.set_webhook(None, None)
    quiet(forge)
    config = {"url": forge.sink.url, "content_type": "json", "secret": "it is a secret"}
    made = forge.repo("adm", "POST", "/hooks", {"name": "web", "events": ["push"], "config": config})
    assert (made.status_code, made.json()["config"]["secret"]) == (201, "********")
    assert forge.repo("ann", "POST", "/hooks", {"config": config}).status_code == 403
    assert forge.repo("adm", "POST", "/hooks", {"config": config}).status_code == 422
    forge.open()
    assert names(forge) == ["ping", "push"]
    assert "installation" not in forge.sink.received[-1].body
    number = made.json()["id"]
    assert [item["event"] for item in forge.repo("adm", "GET", f"/hooks/{number}/deliveries").json()] == ["push", "ping"]
    forge.repo("adm", "DELETE", f"/hooks/{number}")
    assert forge.repo("adm", "GET", "/hooks").json() == []


def test_without_an_app_the_repository_is_the_source(forge: Forge) -> None:
    forge.box.world.apps.clear()
    forge.box.world.installations.clear()
    quiet(forge)
    forge.box.push(REPO, "x", {"a": "b"}, message="m", author="ann")
    assert names(forge) == ["push", "create"]
    assert {item.headers["x-github-hook-installation-target-type"] for item in forge.sink.received} == {"repository"}
    assert all("installation" not in item.body for item in forge.sink.received)


def test_an_app_hears_only_of_its_repositories_and_events(forge: Forge) -> None:
    forge.box.world.apps.clear()
    forge.box.world.installations.clear()
    forge.box.create_app("narrow", events=["push"], repositories=["acme/dev"])
    forge.box.create_repo("acme/other", {"a": "b"})
    quiet(forge)
    forge.box.push("acme/other", "x", {"a": "c"}, message="m", author="ann")
    forge.box.push(REPO, "x", {"a": "c"}, message="m", author="ann")
    forge.box.open_pr(REPO, title="t", head="x", base="main", author="ann")
    assert names(forge) == ["push"]
    assert forge.sink.received[0].body["repository"]["full_name"] == REPO


def test_buttons_suspension_and_comments_through_an_app(forge: Forge) -> None:
    head = forge.open()["head"]["sha"]
    button = {"label": "Yes", "description": "Let it in", "identifier": "approve"}
    run = forge.box.set_check(REPO, head, "promotion/dev", "action_required", actions=[button])
    with pytest.raises(LookupError, match="no button 'merge'"):
        forge.box.press_button(REPO, run.id, "ann", "merge")
    forge.box.press_button(REPO, run.id, "ann", "approve")
    forge.box.press_button(REPO, run.id, "ann", "rerequested")
    comment = forge.box.comment(REPO, 1, "ann", "/promote", via_app="promotion-bot")
    assert forge.repo("bot", "GET", f"/issues/comments/{comment.id}").json()["performed_via_github_app"]["slug"] == "promotion-bot"
    forge.box.suspend_app("promotion-bot", "adm")
    assert forge.repo("bot", "GET", "").status_code == 403
    forge.box.suspend_app("promotion-bot", "adm", suspended=False)
    assert forge.repo("bot", "GET", "").status_code == 200
    heard = names(forge)
    wanted = ("check_run.requested_action", "check_run.rerequested", "installation.suspend", "installation.unsuspend")
    assert [name for name in heard if name in wanted] == list(wanted)
    assert forge.sink.received[heard.index(wanted[0])].body["requested_action"] == {"identifier": "approve"}
