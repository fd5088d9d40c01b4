"""What every REST answer has in common: tags, pages, limits, malformed requests; and reading the repository."""

import base64

import pytest

from tests.contract.sandbox_github.conftest import REPO, Forge


def test_an_unchanged_answer_is_304_and_free(forge: Forge) -> None:
    first = forge.repo("bot", "GET", "/pulls")
    again = forge.repo("bot", "GET", "/pulls", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"] == "1"
    forge.open()
    assert forge.repo("bot", "GET", "/pulls", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_pages(forge: Forge) -> None:
    forge.repo("bot", "POST", "/issues", {"title": "one"})
    for number in range(7):
        forge.box.comment(REPO, 1, "ann", f"c{number}")
    found, path, asked = [], "/issues/1/comments?per_page=3", 0
    while path:
        answer = forge.repo("bot", "GET", path)
        found += [item["body"] for item in answer.json()]
        path = answer.links.get("next", {}).get("url", "").partition(f"/repos/{REPO}")[2]
        asked += 1
    assert (found, asked) == ([f"c{number}" for number in range(7)], 3)
    assert set(forge.repo("bot", "GET", "/issues/1/comments?per_page=3&page=2").links) == {"prev", "next", "last", "first"}
    assert forge.repo("bot", "GET", "/issues/1/comments?page=9").json() == []
    assert len(forge.repo("bot", "GET", "/issues/1/comments?per_page=1000").json()) == 7


def test_the_hour_runs_out_per_caller(forge: Forge) -> None:
    forge.box.limits.core = 2
    codes = [forge.repo("bot", "GET", "").status_code for _ in range(3)]
    last = forge.repo("bot", "GET", "")
    assert codes == [200, 200, 403]
    assert last.headers["x-ratelimit-remaining"] == "0"
    assert "API rate limit exceeded" in last.json()["message"]
    assert forge.repo("ann", "GET", "").status_code == 200
    left = forge.api("bot", "GET", "/rate_limit")
    assert (left.status_code, left.json()["resources"]["core"]["remaining"]) == (200, 0)
    assert left.json()["resources"]["graphql"]["remaining"] == 5000


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"7", 400), (b"\xff", 400), (b'{"title": 7, "head": "a", "base": "b"}', 422)])
def test_malformed_bodies(forge: Forge, body: bytes, status: int) -> None:
    answer = forge.repo("bot", "POST", "/pulls", content=body)
    assert (answer.status_code, "message" in answer.json()) == (status, True)


@pytest.mark.parametrize(
    "path", ["/repos/acme/none", f"/repos/{REPO}/pulls/99", f"/repos/{REPO}/pulls/x", "/nothing", f"/repos/{REPO}/git/ref/heads/x"]
)
def test_404_is_json(forge: Forge, path: str) -> None:
    answer = forge.api("bot", "GET", path)
    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")


def test_reading_files_and_history(forge: Forge) -> None:
    second = forge.box.push(REPO, "main", {"apps/web/values.yaml": "x\n", "bin": b"\0\1"}, message="two\n\nbody", author="ann")
    file = forge.repo("bot", "GET", "/contents/apps/web/values.yaml").json()
    assert base64.b64decode(file["content"]) == b"x\n"
    old = forge.repo("bot", "GET", f"/contents/apps/web/values.yaml?ref={second}~1").json()
    assert b"1.0.0" in base64.b64decode(old["content"])
    assert [item["name"] for item in forge.repo("bot", "GET", "/contents/apps/web").json()] == ["values.yaml"]
    assert [item["type"] for item in forge.repo("bot", "GET", "/contents").json()] == ["file", "dir", "file"]
    assert forge.repo("bot", "GET", "/contents/none").status_code == 404
    commit = forge.repo("bot", "GET", "/commits/main").json()
    assert (commit["sha"], commit["author"]["login"]) == (second, "ann")
    assert {item["filename"]: item["status"] for item in commit["files"]} == {"apps/web/values.yaml": "modified", "bin": "added"}
    assert [item["sha"] for item in forge.repo("bot", "GET", "/commits?path=bin").json()] == [second]
    assert [item["sha"] for item in forge.repo("bot", "GET", "/commits?per_page=1").json()] == [second]
    compared = forge.repo("bot", "GET", f"/compare/{second}~1...main").json()
    assert (compared["status"], compared["ahead_by"], len(compared["files"])) == ("ahead", 1, 2)
    assert forge.repo("bot", "GET", f"/compare/main...{second}~1").json()["status"] == "behind"
    assert forge.repo("bot", "GET", "/compare/main...none").status_code == 404
    assert forge.repo("bot", "GET", "/commits/none").status_code == 422


def test_tags_and_branches(forge: Forge) -> None:
    head = forge.box.head(REPO)
    for name in ("v1.0.0", "v1.1.0"):
        forge.repo("ann", "POST", "/git/refs", {"ref": f"refs/tags/{name}", "sha": head})
    assert [tag["name"] for tag in forge.repo("bot", "GET", "/tags").json()] == ["v1.1.0", "v1.0.0"]
    assert forge.repo("bot", "GET", "/git/matching-refs/tags/v1.0").json()[0]["object"]["sha"] == head
    assert [branch["name"] for branch in forge.repo("bot", "GET", "/branches").json()] == ["main"]


def test_refs(forge: Forge) -> None:
    head = forge.box.head(REPO)
    body = {"ref": "refs/heads/x", "sha": head}
    said = [forge.repo("bot", "POST", "/git/refs", body).json().get("message") for _ in "ab"]
    assert said == [None, "Reference already exists"]
    newer = forge.branch("x", "1.1.0")
    assert forge.repo("bot", "GET", "/git/ref/heads/x").json()["object"]["sha"] == newer
    assert forge.repo("bot", "PATCH", "/git/refs/heads/x", {"sha": head}).json()["message"] == "Update is not a fast forward"
    assert forge.repo("bot", "PATCH", "/git/refs/heads/x", {"sha": head, "force": True}).status_code == 200
    assert forge.repo("bot", "PATCH", "/git/refs/heads/none", {"sha": head}).json()["message"] == "Reference does not exist"
    assert forge.repo("bot", "POST", "/git/refs", {"ref": "x", "sha": head}).status_code == 422
    assert forge.repo("bot", "POST", "/git/refs", {"ref": "refs/heads/y", "sha": "0" * 40}).json()["message"] == "Object does not exist"
    assert forge.repo("bot", "DELETE", "/git/refs/heads/x").status_code == 204
    assert forge.repo("bot", "DELETE", "/git/refs/heads/x").json()["message"] == "Reference does not exist"


def test_objects_of_the_git_database(forge: Forge) -> None:
    head = forge.box.head(REPO)
    root = forge.repo("bot", "GET", f"/git/commits/{head}").json()["tree"]["sha"]
    entry = {"path": "apps/new.yaml", "mode": "100644", "type": "blob", "content": "n\n"}
    gone = {"path": "README.md", "mode": "100644", "type": "blob", "sha": None}
    tree = forge.repo("bot", "POST", "/git/trees", {"base_tree": root, "tree": [entry, gone]}).json()
    names = {item["path"] for item in forge.repo("bot", "GET", f"/git/trees/{tree['sha']}?recursive=1").json()["tree"]}
    assert names == {"apps", "apps/new.yaml", "apps/web", "apps/web/values.yaml"}
    signed = forge.repo("bot", "POST", "/git/commits", {"message": "m", "tree": tree["sha"], "parents": [head]}).json()
    own = {"name": "A", "email": "a@b.c"}
    unsigned = forge.repo("bot", "POST", "/git/commits", {"message": "m", "tree": tree["sha"], "parents": [head], "author": own}).json()
    assert (signed["verification"]["verified"], unsigned["verification"]["verified"]) == (True, False)
    assert forge.repo("bot", "POST", "/git/commits", {"message": "m", "tree": "0" * 40}).status_code == 422
    assert forge.repo("bot", "POST", "/git/trees", {"tree": [entry | {"path": "../x"}]}).status_code == 422
    blob = forge.repo("bot", "POST", "/git/blobs", {"content": "aGk=", "encoding": "base64"}).json()
    assert base64.b64decode(forge.repo("bot", "GET", f"/git/blobs/{blob['sha']}").json()["content"]) == b"hi"


def test_writing_a_file_compares_the_blob(forge: Forge) -> None:
    body = {"message": "m", "content": base64.b64encode(b"new\n").decode()}
    assert forge.repo("bot", "PUT", "/contents/README.md", body).status_code == 422
    assert forge.repo("bot", "PUT", "/contents/README.md", body | {"sha": "0" * 40}).status_code == 409
    sha = forge.repo("bot", "GET", "/contents/README.md").json()["sha"]
    done = forge.repo("bot", "PUT", "/contents/README.md", body | {"sha": sha}).json()
    assert done["commit"]["sha"] == forge.box.head(REPO)
    assert done["commit"]["verification"]["verified"] is True
    assert forge.box.read_file(REPO, "main", "README.md") == b"new\n"
    assert forge.repo("bot", "PUT", "/contents/apps/n.txt", body).status_code == 201
    gone = forge.repo("bot", "DELETE", "/contents/apps/n.txt", {"message": "m", "sha": done["content"]["sha"]})
    assert (gone.status_code, gone.json()["content"]) == (200, None)


def test_an_empty_repository(forge: Forge) -> None:
    forge.box.create_repo("acme/empty")
    forge.box.add_collaborator("acme/empty", "ann", "admin")
    assert forge.api("ann", "GET", "/repos/acme/empty/commits").status_code == 409
    body = {"message": "first", "content": "eA=="}
    assert forge.api("ann", "PUT", "/repos/acme/empty/contents/a.txt", body).status_code == 201
    assert forge.box.read_file("acme/empty", "main", "a.txt") == b"x"


def test_which_pull_request_brought_a_commit(forge: Forge) -> None:
    forge.open()
    forge.repo("bot", "PUT", "/pulls/1/merge", {"merge_method": "squash"})
    found = forge.repo("bot", "GET", f"/commits/{forge.box.head(REPO)}/pulls").json()
    assert [pull["number"] for pull in found] == [1]


def test_a_renamed_repository_keeps_its_number_and_answers_at_its_old_address(forge: Forge) -> None:
    number = forge.box.repository(REPO).id
    forge.box.rename_repo(REPO, "acme/development")
    assert forge.api("bot", "GET", "/repos/acme/development").json()["id"] == number
    moved = forge.repo("bot", "GET", "")
    assert (moved.status_code, moved.headers["location"]) == (301, f"{forge.box.api_url}/repositories/{number}")
    assert forge.repo("bot", "GET", "", follow_redirects=True).json()["full_name"] == "acme/development"
    assert forge.box.world.renamed == {REPO: "acme/development"}


@pytest.mark.parametrize("name", ["dev", "../dev", "acme/..", "acme/a b", "acme/a/b", "-x/y"])
def test_names_that_are_none(forge: Forge, name: str) -> None:
    with pytest.raises(ValueError, match="no repository name"):
        forge.box.create_repo(name)
