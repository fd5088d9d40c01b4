"""The sandbox cluster's API against the official Python client, and against the shapes that a real one was recorded with."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import urllib3
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from bot.sandbox.cluster import ClusterSandbox
from bot.sandbox.cluster.accounts import Rule
from tests.support.clusters import Clock, cluster, run, workload

IMAGE = "ghcr.io/acme/web"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def sandbox(clock: Clock) -> Iterator[ClusterSandbox]:
    made = cluster(clock, settled=False)
    made.start()
    made.apply(*(workload("Deployment", f"web-{n}", f"{IMAGE}:1", replicas=1) for n in range(5)))
    run(made, clock, 4)
    yield made
    made.faults.clear()
    made.stop()


@pytest.fixture
def api(sandbox: ClusterSandbox, tmp_path: Path) -> Iterator[client.ApiClient]:
    sandbox.faults.clear()
    made = config.new_client_from_config(str(sandbox.kubeconfig(tmp_path / "kubeconfig")))
    made.configuration.retries = urllib3.Retry(0)
    made.rest_client = client.rest.RESTClientObject(made.configuration)
    yield made
    sandbox.faults.clear()
    made.close()


def tls(sandbox: ClusterSandbox) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(sandbox.ca_file))


def get(sandbox: ClusterSandbox, path: str, token: str | None = None, **query: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {sandbox.token('admin') if token is None else token}"} if token != "" else {}
    return httpx.get(sandbox.url + path, params=query, headers=headers, verify=tls(sandbox), trust_env=False)


def events(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


def test_the_client_reads_workloads_and_pods(api: client.ApiClient) -> None:
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    listed = apps.list_deployment_for_all_namespaces()
    assert [item.metadata.name for item in listed.items] == [f"web-{n}" for n in range(5)]
    assert listed.items[0].status.available_replicas == 1
    pods = core.list_namespaced_pod("shop", label_selector="app=web-3").items
    assert [pod.status.container_statuses[0].ready for pod in pods] == [True]
    assert pods[0].metadata.owner_references[0].kind == "ReplicaSet"
    assert core.list_event_for_all_namespaces().items
    assert client.VersionApi(api).get_code().git_version == "v1.33.13"


def test_paging_gives_each_object_once(api: client.ApiClient) -> None:
    apps, names, token = client.AppsV1Api(api), [], None
    while True:
        page = apps.list_namespaced_deployment("shop", limit=2, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert names == [f"web-{n}" for n in range(5)]


def test_a_list_of_a_missing_namespace_is_empty_and_a_get_is_404(api: client.ApiClient) -> None:
    apps = client.AppsV1Api(api)
    assert apps.list_namespaced_deployment("nowhere").items == []
    with pytest.raises(ApiException) as missing:
        apps.read_namespaced_deployment("nope", "shop")
    assert missing.value.status == 404
    assert json.loads(missing.value.body) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "nope" not found',
        "reason": "NotFound",
        "details": {"name": "nope", "group": "apps", "kind": "deployments"},
        "code": 404,
    }


def test_a_missing_group_is_plain_text_and_a_missing_version_is_not(sandbox: ClusterSandbox) -> None:
    gone = get(sandbox, "/apis/no.such.group/v1/things")
    assert (gone.status_code, gone.text) == (404, "404 page not found\n")
    assert gone.headers["content-type"].startswith("text/plain")
    other = get(sandbox, "/apis/apps/v2/namespaces/shop/deployments/web")
    assert (other.status_code, other.json()["message"]) == (404, "the server could not find the requested resource")


def test_an_unknown_token_is_401_and_none_is_anonymous(sandbox: ClusterSandbox) -> None:
    wrong = get(sandbox, DEPLOYMENTS, token="wrong")
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized"}
    assert (wrong.status_code, wrong.json()) == (401, body | {"code": 401})
    nobody = get(sandbox, DEPLOYMENTS, token="")
    assert nobody.status_code == 403
    assert (
        'User "system:anonymous" cannot list resource "deployments" in API group "apps" in the namespace "shop"' in nobody.json()["message"]
    )
    assert get(sandbox, "/version", token="").status_code == 200


def test_403_names_the_missing_rule_and_hides_404(sandbox: ClusterSandbox) -> None:
    rules = (Rule(groups=("apps",), resources=("deployments",), verbs=("get",), namespaces=("shop",)),)
    token = sandbox.add_account("system:serviceaccount:bots:narrow", rules)
    assert get(sandbox, f"{DEPLOYMENTS}/web-1", token=token).status_code == 200
    refused = get(sandbox, DEPLOYMENTS, token=token)
    assert refused.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps is forbidden: User "system:serviceaccount:bots:narrow" cannot list resource "deployments" in API'
        ' group "apps" in the namespace "shop"',
        "reason": "Forbidden",
        "details": {"group": "apps", "kind": "deployments"},
        "code": 403,
    }
    for hidden in ("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/x", "/api/v1/namespaces/shop/secrets"):
        assert get(sandbox, hidden, token=token).status_code == 403
    watched = get(sandbox, DEPLOYMENTS, token=token, watch="1")
    assert "cannot watch resource" in watched.json()["message"]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"labelSelector": "a=(b"}, 400, "unable to parse requirement: found '(', expected: identifier"),
        (
            {"fieldSelector": "status.phase=Running"},
            400,
            '"status.phase" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (
            {"watch": "1", "resourceVersion": "abc"},
            500,
            'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
        ),
    ],
)
def test_questions_that_make_no_sense(sandbox: ClusterSandbox, query: dict[str, str], code: int, message: str) -> None:
    answer = get(sandbox, DEPLOYMENTS, **query)
    assert (answer.status_code, answer.json()["message"]) == (code, message)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=web-1", ["web-1"]),
        ("app==web-1", ["web-1"]),
        ("app in (web-1, web-2)", ["web-1", "web-2"]),
        ("app notin (web-1,web-2,web-3)", ["web-0", "web-4"]),
        ("app!=web-1,app", ["web-0", "web-2", "web-3", "web-4"]),
        ("!app", []),
    ],
)
def test_label_selectors(sandbox: ClusterSandbox, selector: str, names: list[str]) -> None:
    pods = get(sandbox, "/api/v1/namespaces/shop/pods", labelSelector=selector).json()["items"]
    assert sorted({pod["metadata"]["labels"]["app"] for pod in pods}) == names


def test_items_of_built_in_lists_have_no_kind_and_those_of_custom_ones_have(sandbox: ClusterSandbox) -> None:
    app = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a", "namespace": "argocd"}, "spec": {}}
    sandbox.apply(app)
    assert "kind" not in get(sandbox, DEPLOYMENTS).json()["items"][0]
    listed = get(sandbox, "/apis/argoproj.io/v1alpha1/applications").json()
    assert (listed["kind"], listed["items"][0]["kind"]) == ("ApplicationList", "Application")


def test_a_watch_starts_where_the_list_ended(sandbox: ClusterSandbox, clock: Clock) -> None:
    version = get(sandbox, DEPLOYMENTS).json()["metadata"]["resourceVersion"]
    sandbox.apply(workload("Deployment", "extra", f"{IMAGE}:1", replicas=0))
    run(sandbox, clock, 1)
    seen = events(get(sandbox, DEPLOYMENTS, watch="1", resourceVersion=version, timeoutSeconds="1"))
    assert [event["type"] for event in seen][:1] == ["ADDED"]
    assert {event["object"]["metadata"]["name"] for event in seen} == {"extra"}
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions)
    assert versions[0] > int(version)


def test_a_watch_without_a_version_begins_with_what_is_there(sandbox: ClusterSandbox) -> None:
    seen = events(get(sandbox, DEPLOYMENTS, watch="1", timeoutSeconds="1", fieldSelector="metadata.name=web-2"))
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in seen] == [("ADDED", "web-2")]
    assert seen[0]["object"]["kind"] == "Deployment"


def test_bookmarks_have_no_name_and_look_empty(sandbox: ClusterSandbox) -> None:
    query = {"watch": "1", "timeoutSeconds": "1", "allowWatchBookmarks": "true", "resourceVersion": str(sandbox.store.version)}
    (mark,) = events(get(sandbox, DEPLOYMENTS, **query))
    assert mark["type"] == "BOOKMARK"
    assert "name" not in mark["object"]["metadata"]
    assert (mark["object"]["spec"]["replicas"], mark["object"]["status"]) == (0, {})


def test_an_object_that_leaves_the_selector_arrives_as_deleted(sandbox: ClusterSandbox) -> None:
    sandbox.apply(
        workload("Deployment", "leaver", f"{IMAGE}:1", replicas=0)
        | {"metadata": {"name": "leaver", "namespace": "shop", "labels": {"x": "1"}}}
    )
    version = sandbox.store.version
    sandbox.apply(
        workload("Deployment", "leaver", f"{IMAGE}:1", replicas=0)
        | {"metadata": {"name": "leaver", "namespace": "shop", "labels": {"x": "2"}}}
    )
    seen = events(get(sandbox, DEPLOYMENTS, watch="1", resourceVersion=str(version), timeoutSeconds="1", labelSelector="x=1"))
    assert [event["type"] for event in seen] == ["DELETED"]


def test_an_old_version_is_410_inside_a_200(sandbox: ClusterSandbox) -> None:
    sandbox.expire_watches()
    answer = get(sandbox, DEPLOYMENTS, watch="1", resourceVersion="1", timeoutSeconds="1")
    assert answer.status_code == 200
    (error,) = events(answer)
    assert error["type"] == "ERROR"
    assert (error["object"]["code"], error["object"]["reason"]) == (410, "Expired")


def test_an_open_watch_is_expired_too(sandbox: ClusterSandbox, api: client.ApiClient) -> None:
    apps, failures = client.AppsV1Api(api), list[int]()
    version = apps.list_namespaced_deployment("shop").metadata.resource_version

    def follow() -> None:
        try:
            for _ in watch.Watch().stream(apps.list_namespaced_deployment, "shop", resource_version=version, timeout_seconds=10):
                pass
        except ApiException as error:
            failures.append(error.status)

    thread = threading.Thread(target=follow)
    thread.start()
    time.sleep(0.3)
    sandbox.expire_watches()
    thread.join(timeout=5)
    assert failures == [410]


def test_a_version_of_the_future_is_504(sandbox: ClusterSandbox) -> None:
    late = get(sandbox, DEPLOYMENTS, resourceVersion="999999999")
    assert (late.status_code, late.headers["retry-after"]) == (504, "1")
    assert late.json()["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_faults_by_switch(sandbox: ClusterSandbox, api: client.ApiClient) -> None:
    sandbox.faults.throttle(times=1, retry_after=2)
    busy = get(sandbox, DEPLOYMENTS)
    assert (busy.status_code, busy.text, busy.headers["retry-after"]) == (429, "Too many requests, please try again later.\n", "2")
    sandbox.faults.fail(503, times=1)
    assert get(sandbox, DEPLOYMENTS).status_code == 503
    sandbox.faults.unauthorized()
    assert get(sandbox, DEPLOYMENTS).status_code == 401
    sandbox.faults.unauthorized(on=False)
    sandbox.faults.forbid(resources=("deployments",))
    with pytest.raises(ApiException) as refused:
        client.AppsV1Api(api).list_namespaced_deployment("shop")
    assert refused.value.status == 403
    sandbox.faults.clear()
    sandbox.faults.slow(0.2, times=1)
    began = time.monotonic()
    assert get(sandbox, DEPLOYMENTS).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_an_unreachable_cluster_comes_back_on_the_same_port(sandbox: ClusterSandbox) -> None:
    before = sandbox.url
    sandbox.unreachable()
    with pytest.raises(httpx.ConnectError):
        get(sandbox, DEPLOYMENTS)
    sandbox.unreachable(on=False)
    assert sandbox.url == before
    assert get(sandbox, DEPLOYMENTS).status_code == 200


def test_writes_keep_spec_and_status_apart_and_need_a_right(sandbox: ClusterSandbox, api: client.ApiClient) -> None:
    apps = client.AppsV1Api(api)
    with pytest.raises(ApiException) as refused:
        apps.patch_namespaced_deployment("web-0", "shop", {"spec": {"replicas": 3}})
    assert refused.value.status == 403
    headers = {"Authorization": f"Bearer {sandbox.token('admin')}", "Content-Type": "application/merge-patch+json"}
    body = {"spec": {"replicas": 3}, "status": {"replicas": 99}}
    address = f"{sandbox.url}{DEPLOYMENTS}/web-0"
    patched = httpx.patch(address, json=body, headers=headers, verify=tls(sandbox), trust_env=False).json()
    assert (patched["spec"]["replicas"], patched["status"]["replicas"]) == (3, 1)
    stale = patched | {"metadata": patched["metadata"] | {"resourceVersion": "1"}}
    conflict = httpx.put(address, json=stale, headers=headers, verify=tls(sandbox), trust_env=False)
    assert (conflict.status_code, conflict.json()["reason"]) == (409, "Conflict")
    assert (
        httpx.post(f"{sandbox.url}{DEPLOYMENTS}", json=patched, headers=headers, verify=tls(sandbox), trust_env=False).json()["reason"]
        == "AlreadyExists"
    )


def test_a_right_can_be_asked_for(api: client.ApiClient) -> None:
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(verb="list", group="", resource="secrets", namespace="shop")
        )
    )
    assert client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed is False


def test_a_deleted_deployment_takes_its_pods_along(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.apply(workload("Deployment", "short", f"{IMAGE}:1", replicas=1))
    run(sandbox, clock, 3)
    headers = {"Authorization": f"Bearer {sandbox.token('admin')}"}
    done = httpx.delete(f"{sandbox.url}{DEPLOYMENTS}/short", headers=headers, verify=tls(sandbox), trust_env=False)
    assert done.json()["status"] == "Success"
    assert get(sandbox, "/api/v1/namespaces/shop/pods", labelSelector="app=short").json()["items"] == []
