"""GraphQL: one document that opens a promotion, compare-and-swap, partial success, reading everything at once."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from bot.sandbox.github.graphql.execute import SCHEMA, cost
from tests.contract.sandbox_github.conftest import REPO, Forge

SHARED = Path(__file__).parents[3].parent / "shared" / "github"
VALUES = "apps/web/values.yaml"

OPEN = """mutation($ref:CreateRefInput!,$commit:CreateCommitOnBranchInput!,$pr:CreatePullRequestInput!){
 ref:createRef(input:$ref){ref{id name}} commit:createCommitOnBranch(input:$commit){commit{oid}}
 pr:createPullRequest(input:$pr){pullRequest{id number url headRefOid mergeable author{login __typename}}}}"""


def node(forge: Forge) -> str:
    return str(forge.repo("bot", "GET", "").json()["node_id"])


def opening(forge: Forge, branch: str = "promote/dev/web", tag: str = "1.1.0") -> dict[str, Any]:
    """The variables of OPEN."""
    base, repository = forge.box.head(REPO), node(forge)
    contents = base64.b64encode(f"image:\n  tag: {tag} # web\nreplicas: 2\n".encode()).decode()
    return {
        "ref": {"repositoryId": repository, "name": f"refs/heads/{branch}", "oid": base},
        "commit": {
            "branch": {"repositoryNameWithOwner": REPO, "branchName": branch},
            "expectedHeadOid": base,
            "message": {"headline": f"web {tag}", "body": "why"},
            "fileChanges": {"additions": [{"path": VALUES, "contents": contents}]},
        },
        "pr": {"repositoryId": repository, "title": f"web {tag}", "body": "b", "headRefName": branch, "baseRefName": "main"},
    }


def test_one_document_opens_a_promotion_with_a_verified_commit(forge: Forge) -> None:
    forge.box.ledger.reset()
    variables = opening(forge)
    found = forge.graphql("bot", OPEN, **variables)
    pull = found["data"]["pr"]["pullRequest"]
    assert (pull["number"], pull["headRefOid"]) == (1, found["data"]["commit"]["commit"]["oid"])
    assert pull["author"] == {"login": "promotion-bot", "__typename": "Bot"}
    assert [entry.operation for entry in forge.box.ledger.graphql] == ["createRef,createCommitOnBranch,createPullRequest"]
    commit = forge.repo("bot", "GET", f"/commits/{pull['headRefOid']}").json()
    assert (commit["commit"]["verification"]["verified"], commit["commit"]["message"]) == (True, "web 1.1.0\n\nwhy")
    assert forge.box.read_file(REPO, "main", VALUES) != forge.box.read_file(REPO, "promote/dev/web", VALUES)


def test_a_second_time_says_what_is_there_already(forge: Forge) -> None:
    variables = opening(forge)
    forge.graphql("bot", OPEN, **variables)
    again = forge.graphql("bot", OPEN, **variables)
    assert again["data"] == {"ref": None, "commit": None, "pr": None}
    assert [error["path"] for error in again["errors"]] == [["ref"], ["commit"], ["pr"]]
    messages = [(error["type"], error["message"]) for error in again["errors"]]
    assert messages[0] == ("UNPROCESSABLE", 'A ref named "refs/heads/promote/dev/web" already exists in the repository.')
    assert messages[1][0] == "STALE_DATA"
    assert messages[2] == ("UNPROCESSABLE", "A pull request already exists for acme:promote/dev/web.")


def test_a_batch_of_merges_succeeds_in_part(forge: Forge) -> None:
    first, second = forge.open("a", "1.1.0"), forge.open("b", "1.2.0")
    query = """mutation($a:MergePullRequestInput!,$b:MergePullRequestInput!){
      m0:mergePullRequest(input:$a){pullRequest{number merged mergeCommit{oid}}}
      m1:mergePullRequest(input:$b){pullRequest{number}}}"""
    found = forge.graphql(
        "bot",
        query,
        a={"pullRequestId": first["node_id"], "expectedHeadOid": first["head"]["sha"]},
        b={"pullRequestId": second["node_id"], "expectedHeadOid": "0" * 40},
    )
    assert found["data"]["m0"]["pullRequest"] == {"number": 1, "merged": True, "mergeCommit": {"oid": forge.box.head(REPO)}}
    assert found["data"]["m1"] is None
    assert found["errors"][0]["message"] == "Head branch was modified. Review and try the merge again."


def test_refs_move_together_or_not_at_all(forge: Forge) -> None:
    base = forge.box.head(REPO)
    newer = forge.branch("x", "1.1.0")
    query = "mutation($i:UpdateRefsInput!){updateRefs(input:$i){clientMutationId}}"
    fresh = {"name": "refs/heads/y", "beforeOid": "0" * 40, "afterOid": base}
    stale = {"name": "refs/heads/x", "beforeOid": base, "afterOid": base, "force": True}
    refused = forge.graphql("bot", query, i={"repositoryId": node(forge), "refUpdates": [fresh, stale]})
    assert refused["errors"][0]["type"] == "STALE_DATA"
    assert forge.box.list_branches(REPO) == ["main", "x"]
    good = stale | {"beforeOid": newer}
    done = forge.graphql("bot", query, i={"repositoryId": node(forge), "refUpdates": [fresh, good], "clientMutationId": "7"})
    assert done["data"]["updateRefs"] == {"clientMutationId": "7"}
    gone = {"name": "refs/heads/y", "beforeOid": base, "afterOid": "0" * 40}
    forge.graphql("bot", query, i={"repositoryId": node(forge), "refUpdates": [gone]})
    assert forge.box.list_branches(REPO) == ["main", "x"]


READ = """query($o:String!,$n:String!){repository(owner:$o,name:$n){databaseId viewerPermission
 ref(qualifiedName:"refs/heads/main"){name target{oid} refUpdateRule{requiredStatusCheckContexts}}
 blob:object(expression:"HEAD:README.md"){...on Blob{text byteSize}} none:object(expression:"HEAD:none"){oid}
 pullRequests(states:[OPEN],first:10,baseRefName:"main",labels:["promotion"]){totalCount nodes{number state mergeStateStatus reviewDecision
  labels(first:5){nodes{name}}
  comments(last:5){nodes{databaseId fullDatabaseId body viewerDidAuthor lastEditedAt
   author{login ...on User{databaseId} ...on Bot{databaseId}}}}
  reviews(last:5){nodes{state author{login} commit{oid}}}
  latestOpinionatedReviews(first:5,writersOnly:true){nodes{author{login} state}}
  timelineItems(last:10,itemTypes:[LABELED_EVENT,UNLABELED_EVENT]){nodes{__typename ...on LabeledEvent{actor{login} label{name} createdAt}
   ...on UnlabeledEvent{actor{login}}}}
  commits(last:1){nodes{commit{oid statusCheckRollup{state contexts(first:10){nodes{__typename
   ...on StatusContext{context state isRequired(pullRequestNumber:1)} ...on CheckRun{name conclusion isRequired(pullRequestNumber:1)}}}}}}}
 }}} rateLimit{cost remaining resetAt}}"""


def test_one_query_reads_everything_about_open_promotions(forge: Forge) -> None:
    head = forge.open()["head"]["sha"]
    forge.box.protect(REPO, "main", checks=("ci",), reviews=1)
    mine = forge.repo("bot", "POST", "/issues/1/comments", {"body": "status"}).json()
    forge.box.comment(REPO, 1, "ann", "/promote")
    forge.box.edit_comment(REPO, forge.box.pull(REPO, 1).comments[1].id, "ben", "/hold")
    forge.box.label(REPO, 1, "ann", "promotion")
    forge.box.label(REPO, 1, "ann", "hold")
    forge.box.label(REPO, 1, "ben", "hold", remove=True)
    forge.box.approve(REPO, 1, "rea")
    forge.box.approve(REPO, 1, "ben")
    forge.box.set_status(REPO, head, "ci", "success")
    forge.box.set_check(REPO, head, "lint", "failure")
    found = forge.graphql("bot", READ, o="acme", n="dev")
    assert "errors" not in found
    repository = found["data"]["repository"]
    assert repository["ref"] == {
        "name": "main",
        "target": {"oid": forge.box.head(REPO)},
        "refUpdateRule": {"requiredStatusCheckContexts": ["ci"]},
    }
    assert (repository["blob"], repository["none"]) == ({"text": "dev\n", "byteSize": 4}, None)
    pull = repository["pullRequests"]["nodes"][0]
    assert (pull["state"], pull["mergeStateStatus"], pull["reviewDecision"]) == ("OPEN", "UNSTABLE", "APPROVED")
    comments = pull["comments"]["nodes"]
    assert [(item["body"], item["viewerDidAuthor"], item["author"]["login"]) for item in comments] == [
        ("status", True, "promotion-bot"),
        ("/hold", False, "ann"),
    ]
    assert (comments[0]["fullDatabaseId"], comments[0]["lastEditedAt"]) == (str(mine["id"]), None)
    assert comments[1]["lastEditedAt"] is not None
    assert pull["latestOpinionatedReviews"]["nodes"] == [{"author": {"login": "ben"}, "state": "APPROVED"}]
    assert [(item["__typename"], item["actor"]["login"]) for item in pull["timelineItems"]["nodes"]] == [
        ("LabeledEvent", "ann"),
        ("LabeledEvent", "ann"),
        ("UnlabeledEvent", "ben"),
    ]
    rollup = pull["commits"]["nodes"][0]["commit"]["statusCheckRollup"]
    assert rollup["state"] == "FAILURE"
    assert {(item.get("context") or item["name"], item["isRequired"]) for item in rollup["contexts"]["nodes"]} == {
        ("ci", True),
        ("lint", False),
    }
    assert found["data"]["rateLimit"]["cost"] == 1
    assert found["data"]["rateLimit"]["remaining"] == 4999


def test_pages_of_a_connection(forge: Forge) -> None:
    for number in range(5):
        forge.open(f"b{number}", f"1.{number + 1}.0")
    query = """query($after:String){repository(owner:"acme",name:"dev"){
     pullRequests(first:2,after:$after,orderBy:{field:CREATED_AT,direction:DESC})
     {nodes{number} pageInfo{hasNextPage endCursor}}}}"""
    seen, after = [], None
    while True:
        page = forge.graphql("bot", query, after=after)["data"]["repository"]["pullRequests"]
        seen += [item["number"] for item in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [5, 4, 3, 2, 1]
    for bounds, kind in (("", "MISSING_PAGINATION_BOUNDARIES"), ("(first:101)", "EXCESSIVE_PAGINATION")):
        refused = forge.graphql("bot", f'{{repository(owner:"acme",name:"dev"){{pullRequests{bounds}{{totalCount}}}}}}')
        assert refused["errors"][0]["type"] == kind


@pytest.mark.parametrize(
    ("who", "query", "kind"),
    [
        ("bot", '{repository(owner:"acme",name:"none"){id}}', "NOT_FOUND"),
        ("out", '{repository(owner:"acme",name:"dev"){id}}', "NOT_FOUND"),
        ("bot", '{repository(owner:"acme",name:"dev"){pullRequest(number:9){id}}}', "NOT_FOUND"),
        ("bot", '{node(id:"PR_nonsense"){id}}', "NOT_FOUND"),
        ("rea", 'mutation{createRef(input:{repositoryId:"@",name:"refs/heads/x",oid:"%"}){ref{id}}}', "FORBIDDEN"),
    ],
)
def test_refusals_have_a_type(forge: Forge, who: str, query: str, kind: str) -> None:
    filled = query.replace("@", node(forge)).replace("%", str(forge.box.head(REPO)))
    assert forge.graphql(who, filled)["errors"][0]["type"] == kind


def test_what_is_not_in_githubs_schema_is_refused(forge: Forge) -> None:
    assert "Cannot query field 'colour'" in forge.graphql("bot", "{viewer{colour}}")["errors"][0]["message"]
    assert "Syntax Error" in forge.graphql("bot", "{")["errors"][0]["message"]
    assert forge.graphql("bot", "{viewer{login}}")["data"] == {"viewer": {"login": "promotion-bot[bot]"}}


def test_points_run_out_apart_from_rest(forge: Forge) -> None:
    forge.box.limits.graphql = 1
    assert "data" in forge.graphql("bot", "{viewer{login}}")
    assert forge.graphql("bot", "{viewer{login}}")["errors"][0]["type"] == "RATE_LIMITED"
    assert forge.repo("bot", "GET", "").status_code == 200


def test_labels_comments_and_checks(forge: Forge) -> None:
    pull = forge.open()
    repository = node(forge)
    made = forge.graphql(
        "bot",
        "mutation($i:CreateLabelInput!){createLabel(input:$i){label{id}}}",
        i={"repositoryId": repository, "name": "p", "color": "ff0000"},
    )
    label = made["data"]["createLabel"]["label"]["id"]
    query = """mutation($l:AddLabelsToLabelableInput!,$c:AddCommentInput!,$r:CreateCheckRunInput!){
     addLabelsToLabelable(input:$l){labelable{...on PullRequest{labels(first:3){nodes{name}}}}}
     addComment(input:$c){commentEdge{node{id databaseId}}} createCheckRun(input:$r){checkRun{id conclusion}}}"""
    found = forge.graphql(
        "bot",
        query,
        l={"labelableId": pull["node_id"], "labelIds": [label]},
        c={"subjectId": pull["node_id"], "body": "status"},
        r={
            "repositoryId": repository,
            "headSha": pull["head"]["sha"],
            "name": "promotion/dev",
            "status": "IN_PROGRESS",
            "output": {"title": "waits", "summary": "s"},
        },
    )["data"]
    assert found["addLabelsToLabelable"]["labelable"]["labels"]["nodes"] == [{"name": "p"}]
    comment, run = found["addComment"]["commentEdge"]["node"], found["createCheckRun"]["checkRun"]
    assert run["conclusion"] is None
    query = """mutation($c:UpdateIssueCommentInput!,$r:UpdateCheckRunInput!,$m:MinimizeCommentInput!,$e:AddReactionInput!,
      $l:RemoveLabelsFromLabelableInput!){
     updateIssueComment(input:$c){issueComment{body lastEditedAt}} updateCheckRun(input:$r){checkRun{conclusion}}
     minimizeComment(input:$m){minimizedComment{isMinimized minimizedReason}} addReaction(input:$e){reaction{content}}
     removeLabelsFromLabelable(input:$l){clientMutationId}}"""
    found = forge.graphql(
        "bot",
        query,
        c={"id": comment["id"], "body": "done"},
        r={"repositoryId": repository, "checkRunId": run["id"], "conclusion": "SUCCESS", "status": "COMPLETED"},
        m={"subjectId": comment["id"], "classifier": "OUTDATED"},
        e={"subjectId": comment["id"], "content": "EYES"},
        l={"labelableId": pull["node_id"], "labelIds": [label]},
    )
    assert "errors" not in found
    assert found["data"]["updateIssueComment"]["issueComment"]["body"] == "done"
    assert found["data"]["updateCheckRun"]["checkRun"] == {"conclusion": "SUCCESS"}
    assert found["data"]["minimizeComment"]["minimizedComment"] == {"isMinimized": True, "minimizedReason": "outdated"}
    assert forge.repo("bot", "GET", "/issues/1/labels").json() == []
    assert forge.repo("bot", "GET", f"/issues/comments/{comment['databaseId']}").json()["reactions"]["eyes"] == 1


def test_closing_reopening_and_editing(forge: Forge) -> None:
    pull = forge.open()
    key = {"pullRequestId": pull["node_id"]}
    for mutation, kind, more, state in (
        ("closePullRequest", "ClosePullRequestInput", {}, "CLOSED"),
        ("reopenPullRequest", "ReopenPullRequestInput", {}, "OPEN"),
        ("updatePullRequest", "UpdatePullRequestInput", {"title": "new", "body": "text"}, "OPEN"),
    ):
        found = forge.graphql("bot", f"mutation($i:{kind}!){{{mutation}(input:$i){{pullRequest{{state title}}}}}}", i=key | more)
        assert found["data"][mutation]["pullRequest"]["state"] == state
    assert (forge.box.pull(REPO, 1).title, forge.box.pull(REPO, 1).body) == ("new", "text")


def test_deployments(forge: Forge) -> None:
    ref = forge.graphql("bot", '{repository(owner:"acme",name:"dev"){defaultBranchRef{id}}}')["data"]["repository"]["defaultBranchRef"][
        "id"
    ]
    query = "mutation($i:CreateDeploymentInput!){createDeployment(input:$i){deployment{id state environment}}}"
    made = forge.graphql("bot", query, i={"repositoryId": node(forge), "refId": ref, "environment": "dev", "requiredContexts": []})
    deployment = made["data"]["createDeployment"]["deployment"]
    assert (deployment["state"], deployment["environment"]) == ("PENDING", "dev")
    query = "mutation($i:CreateDeploymentStatusInput!){createDeploymentStatus(input:$i){deploymentStatus{state}}}"
    done = forge.graphql("bot", query, i={"deploymentId": deployment["id"], "state": "SUCCESS"})
    assert done["data"]["createDeploymentStatus"]["deploymentStatus"] == {"state": "SUCCESS"}


def test_the_cost_of_a_document() -> None:
    """One request for the outer connection and one per inner connection of each of its nodes, in hundreds."""
    small = '{repository(owner:"a",name:"b"){pullRequests(first:50){nodes{...P}}}} fragment P on PullRequest{labels(first:20){nodes{name}}}'
    two = "comments(first:50){nodes{id}} ...on PullRequest{reviews(last:10){nodes{id}}}"
    large = '{repository(owner:"a",name:"b"){pullRequests(first:100){nodes{@}}}}'.replace("@", two)
    assert (cost(parse(small)), cost(parse(large)), cost(parse("{viewer{login}}"))) == (1, 2, 1)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collected material about GitHub is not here")
def test_the_candidate_documents_are_valid_and_the_known_cut_is_contained() -> None:
    schema = build_schema(SCHEMA.read_text(encoding="utf-8"))
    documents = json.loads((SHARED / "graphql-documents.json").read_text(encoding="utf-8"))
    assert {name: validate(schema, parse(text)) for name, text in documents.items()} == {name: [] for name in documents}
    known = build_schema((SHARED / "github-graphql-used.graphql").read_text(encoding="utf-8"))
    for name, kind in known.type_map.items():
        for field, defined in getattr(kind, "fields", {}).items():
            ours = getattr(schema.type_map[name], "fields")[field]  # noqa: B009
            assert str(ours.type) == str(defined.type), f"{name}.{field}"
