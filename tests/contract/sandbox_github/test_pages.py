"""The human pages and the sandbox's own controls."""

from typing import Any

import httpx

from tests.contract.sandbox_github.conftest import REPO, Forge

EVIL = "<script>alert('x')</script>"


def page(forge: Forge, path: str) -> httpx.Response:
    return forge.client.get(forge.box.url + path)


def control(forge: Forge, method: str, path: str, body: Any = None) -> httpx.Response:
    return httpx.request(method, f"{forge.box.url}/_sandbox{path}", json=body, trust_env=False)


def test_printed_links_open(forge: Forge) -> None:
    pull = forge.open()
    forge.box.comment(REPO, 1, "ann", "please look")
    forge.box.approve(REPO, 1, "ben", body="fine")
    forge.box.set_check(REPO, pull["head"]["sha"], "ci", "success")
    shown = forge.client.get(pull["html_url"]).text
    for text in (
        "web 1.1.0",
        "open",
        "please look",
        "[APPROVED] fine",
        "ci: success",
        "<ins>+  tag: 1.1.0 # web</ins>",
        "<del>-  tag: 1.0.0 # web</del>",
    ):
        assert text in shown, text
    assert "#1 web 1.1.0" in page(forge, f"/{REPO}").text
    assert REPO in page(forge, "/").text
    assert pull["head"]["sha"] in page(forge, f"/{REPO}/commit/{pull['head']['sha']}").text
    forge.box.merge_pr(REPO, 1, "ann")
    assert "merged" in forge.client.get(pull["html_url"]).text


def test_what_people_wrote_is_text(forge: Forge) -> None:
    forge.box.push(REPO, "x", {EVIL.replace("/", ":"): EVIL}, message=EVIL, author="ann")
    forge.box.open_pr(REPO, title=EVIL, head="x", base="main", author="ann", body=EVIL)
    forge.box.comment(REPO, 1, "ann", EVIL)
    forge.box.label(REPO, 1, "ann", "<b>")
    for path in (f"/{REPO}/pull/1", f"/{REPO}", f"/{REPO}/commit/{forge.box.head(REPO, 'x')}"):
        answer = page(forge, path)
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "<b>" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_nothing_there(forge: Forge) -> None:
    for path in ("/acme/none", f"/{REPO}/pull/9", f"/{REPO}/commit/none"):
        assert page(forge, path).status_code == 404


def test_a_whole_story_over_the_controls(forge: Forge) -> None:
    control(forge, "POST", "/repos", {"full_name": "acme/new", "files": {"a.yaml": "tag: 1\n"}})
    token = control(forge, "POST", "/users", {"login": "zoe"}).json()["token"]
    control(forge, "POST", "/collaborators", {"repo": "acme/new", "login": "zoe", "permission": "write"})
    forge.tokens["zoe"] = token
    act = {"repo": "acme/new", "as": "zoe"}
    head = control(forge, "POST", "/act", act | {"do": "push", "branch": "x", "files": {"a.yaml": "tag: 2\n"}, "message": "m"}).json()[
        "sha"
    ]
    assert control(forge, "POST", "/act", act | {"do": "open", "title": "t", "head": "x", "base": "main"}).json() == {"number": 1}
    control(forge, "POST", "/protect", {"repo": "acme/new", "branch": "main", "checks": ["ci"]})
    refused = control(forge, "POST", "/act", act | {"do": "merge", "number": 1})
    assert (refused.status_code, refused.json()["message"]) == (405, 'Required status check "ci" is expected.')
    control(forge, "POST", "/act", act | {"do": "check", "sha": head, "name": "ci", "conclusion": "success"})
    assert control(forge, "POST", "/act", act | {"do": "merge", "number": 1}).json()["sha"] == forge.box.head("acme/new")
    overview = control(forge, "GET", "").json()
    assert [item["pulls"][0]["state"] for item in overview["repositories"] if item["full_name"] == "acme/new"] == ["merged"]
    assert forge.api("zoe", "GET", "/repos/acme/new").json()["permissions"]["push"] is True


def test_faults_deliveries_and_ledger_over_the_controls(forge: Forge) -> None:
    control(forge, "POST", "/faults", {"method": "GET", "route": "/repos/*/*", "kind": "status:500"})
    assert forge.repo("bot", "GET", "").status_code == 500
    assert control(forge, "GET", "/faults").json()[0]["struck"] == 1
    control(forge, "DELETE", "/faults")
    assert control(forge, "GET", "/ledger").json()["counts"] == {"rest": 1, "graphql": 0, "git": 0}
    control(forge, "DELETE", "/ledger")
    assert control(forge, "GET", "/ledger").json()["entries"] == []
    forge.arrived()
    forge.sink.received.clear()
    control(forge, "POST", "/deliveries", {"do": "lose", "event": "push"})
    forge.branch("x", "1.1.0")
    forge.arrived()
    assert forge.sink.received == []
    assert control(forge, "GET", "/deliveries").json()[-1]["status"] == "lost"


def test_a_mistake_is_told(forge: Forge) -> None:
    for path, body in (
        ("/act", {}),
        ("/act", {"repo": REPO, "as": "ann", "do": "dance"}),
        ("/faults", {"method": "GET"}),
        ("/deliveries", {"do": "eat"}),
    ):
        answer = control(forge, "POST", path, body)
        assert (answer.status_code, "error" in answer.json()) == (422, True)
    assert httpx.post(f"{forge.box.url}/_sandbox/act", content=b"{", trust_env=False).status_code == 422
