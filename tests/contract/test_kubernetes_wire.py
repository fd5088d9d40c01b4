"""The cluster adapter against answers that a polite cluster does not give, as they were recorded from a real one."""

import contextlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes import access
from bot.adapters.kubernetes.clusters import KubernetesClusters
from bot.config.stage import Cluster
from bot.domain.errors import Refused, TransientError, UserError
from bot.domain.rollout import ClusterSnapshot
from tests.support import recordings
from tests.support.wire import Call, Reply, Wire

DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
FORBIDDEN = {"kind": "Status", "message": 'deployments.apps is forbidden: User "bot" cannot list', "code": 403}
GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version: 1 (7418)"}}
BOOKMARK = {
    "type": "BOOKMARK",
    "object": {"kind": "Deployment", "metadata": {"resourceVersion": "900"}, "spec": {"replicas": 0}, "status": {}},
}


def web(version: str = "10", image: str = "ghcr.io/acme/web:1.4.2", name: str = "web") -> dict[str, Any]:
    counts = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}
    good = [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": version, "generation": 1},
        "spec": {"replicas": 1, "progressDeadlineSeconds": 600, "template": {"spec": {"containers": [{"name": "app", "image": image}]}}},
        "status": counts | {"conditions": good},
    }


def listed(*items: dict[str, Any], version: str = "10", more: str = "") -> Reply:
    return Reply(
        body={"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {"resourceVersion": version, "continue": more}, "items": items}
    )


def line(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode() + b"\n"


def script(deployments: Callable[[Call, int], Reply | None]) -> Callable[[Call, int], Reply]:
    """Empty lists and silent watches for everything, but for what `deployments` says about Deployments."""

    def answer(call: Call, n: int) -> Reply:
        own = deployments(call, n) if call.path == DEPLOYMENTS else None
        if own is not None:
            return own
        return Reply(lines=(), hold=True) if "watch" in call.query else listed()

    return answer


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.02)


class View:
    """The bot's view of the wire, while it is open."""

    def __init__(self, wire: Wire, folder: Path, **settings: Any) -> None:
        cluster = Cluster.model_validate({"kubeconfig": wire.kubeconfig(folder / "config"), "namespaces": ["shop"]} | settings)
        self.clusters = KubernetesClusters(clusters={"dev": cluster}, clock=lambda: datetime.now(UTC))

    def __enter__(self) -> "View":
        self.clusters.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.clusters.close()

    def now(self) -> ClusterSnapshot:
        return self.clusters.snapshot("dev")

    def images(self) -> list[str]:
        return sorted(image for state in self.now().workloads for image in state.images)


def lists(wire: Wire) -> int:
    return sum(call.path == DEPLOYMENTS and "watch" not in call.query for call in wire.calls)


def test_pages_are_put_together(tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply | None:
        if "watch" in call.query:
            return None
        assert call.query["limit"] == "250"
        if "continue" not in call.query:
            return listed(web(name="one"), more="next")
        return listed(web(name="two"))

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: view.now().reachable)
        assert [state.ref.name for state in view.now().workloads] == ["one", "two"]


def test_a_continue_token_that_expired_starts_the_list_again(tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply | None:
        if "watch" in call.query:
            return None
        if n == 1:
            return Reply(status=410, body={"kind": "Status", "code": 410, "message": "The provided continue parameter is too old"})
        return listed(web(name="one"), more="next") if n == 0 else listed(web(name="one"), web(name="two"))

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: [state.ref.name for state in view.now().workloads] == ["one", "two"])
        assert lists(wire) == 3


def test_a_watch_of_the_past_says_410_inside_a_200_and_is_listed_anew(tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply | None:
        if "watch" not in call.query:
            return listed(web()) if n == 0 else listed(web("20", "ghcr.io/acme/web:1.5.0"), version="20")
        return Reply(lines=(line(GONE),)) if n == 0 else None

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: view.images() == ["ghcr.io/acme/web:1.5.0"])
        assert lists(wire) == 2


def test_a_bookmark_moves_the_position_and_is_no_workload(tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply | None:
        if "watch" not in call.query:
            return listed(web())
        return Reply(lines=(line(BOOKMARK),)) if n == 0 else None

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: any(call.query.get("resourceVersion") == "900" for call in wire.calls))
        assert len(view.now().workloads) == 1
        assert all(call.query["allowWatchBookmarks"] == "true" for call in wire.calls if "watch" in call.query)
        assert lists(wire) == 1, "a watch that ends well goes on from where it stood"


def test_a_cut_watch_goes_on_from_where_it_stood(tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply | None:
        if "watch" not in call.query:
            return listed(web())
        moved = {"type": "MODIFIED", "object": web("11", "ghcr.io/acme/web:1.5.0") | {"kind": "Deployment", "apiVersion": "apps/v1"}}
        return Reply(lines=(line(moved), b'{"type": "MODI'), cut=True) if n == 0 else None

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: any(call.query.get("resourceVersion") == "11" for call in wire.calls))
        assert view.images() == ["ghcr.io/acme/web:1.5.0"]
        assert view.now().reachable
        assert lists(wire) == 1


def test_an_old_event_does_not_undo_a_newer_list(tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply | None:
        if "watch" not in call.query:
            return listed(web("20", "ghcr.io/acme/web:1.5.0"), version="20")
        old = {"type": "MODIFIED", "object": web("11") | {"kind": "Deployment", "apiVersion": "apps/v1"}}
        return Reply(lines=(line(old),)) if n == 0 else None

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: sum("watch" in call.query and call.path == DEPLOYMENTS for call in wire.calls) >= 2)
        assert view.images() == ["ghcr.io/acme/web:1.5.0"]


def test_403_of_an_api_server_that_starts_is_asked_again_before_it_is_told(tmp_path: Path) -> None:
    told = []

    def answer(call: Call, n: int) -> Reply | None:
        if "watch" in call.query:
            return None
        return Reply(status=403, body=FORBIDDEN) if n < 2 else listed(web())

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        view.clusters.on_change(lambda stage: told.append(view.now().problem))
        until(lambda: view.now().reachable)
        assert lists(wire) == 3
        assert not any("403" in problem for problem in told)


def test_throttling_waits_as_asked_and_is_no_verdict(tmp_path: Path) -> None:
    times = []

    def answer(call: Call, n: int) -> Reply | None:
        if "watch" in call.query:
            return None
        times.append(time.monotonic())
        busy = Reply(
            status=429, body=b"Too many requests, please try again later.\n", content_type="text/plain", headers={"Retry-After": "1"}
        )
        return busy if n == 0 else listed(web())

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: view.now().reachable)
        assert lists(wire) == 2, "the client repeats nothing by itself"
        assert times[1] - times[0] >= 0.79


def test_a_token_that_was_rotated_is_read_again(tmp_path: Path) -> None:
    token, renewed = tmp_path / "token", tmp_path / "renewed"
    token.write_text("token-old")
    renewed.write_text("token-new")

    def answer(call: Call, n: int) -> Reply:
        if call.authorization == "Bearer token-new":
            return Reply(lines=(), hold=True) if "watch" in call.query else listed(web())
        with contextlib.suppress(FileNotFoundError):
            renewed.replace(token)  # as the kubelet does it: whoever reads finds the one or the other, whole
        return Reply(status=401, body={"kind": "Status", "code": 401, "message": "Unauthorized"})

    with Wire(answer) as wire:
        wire.kubeconfig(tmp_path / "config", user={"tokenFile": str(token)})
        cluster = Cluster(kubeconfig=str(tmp_path / "config"), namespaces=("shop",))
        clusters = KubernetesClusters(clusters={"dev": cluster}, clock=lambda: datetime.now(UTC))
        clusters.start()
        try:
            until(lambda: clusters.snapshot("dev").reachable)
            assert "401" not in clusters.snapshot("dev").problem
        finally:
            clusters.close()


def test_a_token_that_is_not_taken_is_told_without_itself(tmp_path: Path) -> None:
    answer = Reply(status=401, body={"kind": "Status", "code": 401, "message": "Unauthorized: token-one"})
    with Wire(lambda call, n: answer) as wire, View(wire, tmp_path) as view:
        until(lambda: "401" in view.now().problem)
        assert "renew the credentials" in view.now().problem
        assert "token-one" not in view.now().problem


def test_what_answers_but_is_no_api_is_told(tmp_path: Path) -> None:
    page = Reply(body=b"<html>Please log in</html>", content_type="text/html")
    with Wire(lambda call, n: page) as wire, View(wire, tmp_path) as view:
        until(lambda: "no Kubernetes API" in view.now().problem)


@pytest.mark.parametrize(
    "body",
    [
        {"items": [None, 3, {"metadata": None}], "metadata": {"resourceVersion": "1"}},
        {"items": "x", "metadata": []},
        {"items": [{"metadata": {"name": "odd", "labels": 3, "ownerReferences": {"uid": 1}}, "spec": [], "status": "?"}], "metadata": None},
    ],
)
def test_odd_objects_do_not_stop_the_watch(body: dict[str, Any], tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply | None:
        odd = {"type": "MODIFIED", "object": {"metadata": {"name": "odd", "namespace": "shop"}, "spec": 1}}
        if "watch" in call.query:
            good = {"type": "ADDED", "object": web() | {"kind": "Deployment", "apiVersion": "apps/v1"}}
            return Reply(lines=(line(odd), b"\n", line({"type": 1}), line(good)), hold=True)
        return Reply(body=body)

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: "ghcr.io/acme/web:1.4.2" in view.images())
        assert all(state.state != "healthy" for state in view.now().workloads if state.ref.name == "odd")


def test_a_list_without_an_end_is_given_up(tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply | None:
        return None if "watch" in call.query else listed(more="again")

    with Wire(script(answer)) as wire, View(wire, tmp_path) as view:
        until(lambda: "has no end" in view.now().problem, 40)


def test_kinds_that_the_cluster_does_not_serve_are_left_out(tmp_path: Path) -> None:
    def answer(call: Call, n: int) -> Reply:
        if call.path.startswith("/apis/argoproj.io"):
            return Reply(status=404, body=b"404 page not found\n", content_type="text/plain")
        return Reply(lines=(), hold=True) if "watch" in call.query else listed(web() if call.path == DEPLOYMENTS else {"metadata": {}})

    with Wire(answer) as wire, View(wire, tmp_path) as view:
        until(lambda: view.now().reachable)
    with Wire(answer) as wire, View(wire, tmp_path, agent="argocd") as view:
        until(lambda: "the cluster serves none of its kinds" in view.now().problem)


@pytest.mark.parametrize("scenario", ["01b_healthy_update", "09a_sts_rolling", "10a_ds_rolling", "08a_rollback_after_failure"])
def test_a_recorded_watch_ends_live_as_it_does_in_the_replay(scenario: str, tmp_path: Path) -> None:
    recording = recordings.read(scenario)
    by_plural: dict[str, list[bytes]] = {}
    first: dict[str, Any] = {}
    for entry in recording["entries"]:
        if entry["type"] == "watch_event":
            by_plural.setdefault(entry["watch"], []).append(line(entry["event"]))
        elif entry["type"] == "http" and (entry["response"].get("body") or {}).get("kind", "").endswith("List"):
            first.setdefault(entry["request"]["path"].rpartition("/")[2], entry["response"]["body"])

    def answer(call: Call, n: int) -> Reply:
        plural = call.path.rpartition("/")[2]
        if "watch" not in call.query:
            return Reply(body=first[plural]) if plural in first else listed()
        return Reply(lines=tuple(by_plural.get(plural, ())) if n == 0 else (), hold=True)

    expected = recordings.index()[scenario]["expected"]
    with Wire(answer) as wire, View(wire, tmp_path, namespaces=[recording["namespace"]]) as view:
        until(lambda: [state.state.value for state in view.now().workloads] == [recordings.word(expected["workload_at_end"])])


def test_asking_argo_cd_to_look_patches_one_annotation(tmp_path: Path) -> None:
    app = {"metadata": {"name": "shop", "namespace": "argocd", "uid": "u", "resourceVersion": "5"}}

    def answer(call: Call, n: int) -> Reply:
        if call.method == "PATCH":
            return Reply(body=app) if n == 0 else Reply(status=(403, 503)[n - 1], body={"message": "no"})
        if "watch" in call.query:
            return Reply(lines=(), hold=True)
        return listed(app) if call.path == "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications" else listed()

    with Wire(answer) as wire, View(wire, tmp_path, agent="argocd", agent_namespaces=["argocd"]) as view:
        until(lambda: view.now().reachable)
        view.clusters.sync("dev")
        assert [call.path for call in wire.calls if call.method == "PATCH"] == [
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop"
        ]
        with pytest.raises(Refused, match="may not ask Application argocd/shop") as refused:
            view.clusters.sync("dev")
        assert 'verbs: ["patch"]' in refused.value.fix
        with pytest.raises(TransientError):
            view.clusters.sync("dev")


def test_a_stage_without_a_cluster_is_unseen() -> None:
    clusters = KubernetesClusters(clusters={}, clock=lambda: datetime.now(UTC))
    snapshot = clusters.snapshot("qa")
    assert (snapshot.reachable, "names no cluster" in snapshot.problem) == (False, True)
    clusters.sync("qa")


@pytest.mark.parametrize("user", [{"exec": {"command": "aws", "apiVersion": "x"}}, {"auth-provider": {"name": "gcp"}}])
def test_a_kubeconfig_may_not_start_programs(user: dict[str, Any], tmp_path: Path) -> None:
    wire = Wire(lambda call, n: listed())
    config = wire.kubeconfig(tmp_path / "config", user=user)
    wire.server.server_close()
    with pytest.raises(UserError, match="would start a program") as refused:
        access.configure(Cluster(kubeconfig=config))
    assert "allow_exec" in refused.value.fix
    clusters = KubernetesClusters(clusters={"dev": Cluster(kubeconfig=config)}, clock=lambda: datetime.now(UTC))
    clusters.start()
    assert "allow_exec" in clusters.snapshot("dev").problem


def test_a_kubeconfig_may_not_skip_the_certificate_check(tmp_path: Path) -> None:
    wire = Wire(lambda call, n: listed())
    config = wire.kubeconfig(tmp_path / "config", cluster={"insecure-skip-tls-verify": True})
    wire.server.server_close()
    with pytest.raises(UserError, match="skips the check"):
        access.configure(Cluster(kubeconfig=config))
    assert access.configure(Cluster(kubeconfig=config, insecure_skip_tls_verify=True)).verify_ssl is False


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no kubeconfig"), ("", "cannot be read"), ("{", "cannot be read"), ("[]", "cannot be read"), ("a: b", "cannot be used")],
)
def test_a_kubeconfig_that_is_none_is_told(content: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=words):
        access.configure(Cluster(kubeconfig=str(path)))


def test_outside_of_a_pod_the_service_account_is_missed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="service account"):
        access.configure(Cluster(in_cluster=True), account=tmp_path)
