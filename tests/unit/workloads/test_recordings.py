"""Every verdict that kubectl, kstatus and Argo CD gave on a real control plane comes out of the rules, and of the replay."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.workloads import assess
from bot.workloads.recording import replay
from bot.workloads.watch import Limits
from tests.support import recordings

NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
LIMITS = Limits(timeout=timedelta(seconds=60), bake=timedelta(seconds=10))
WANTED_COMMIT = "b" * 40
DESCENDANT = "c" * 40
SCENARIOS = sorted(recordings.index())
NEEDS_THE_COMMIT = {"a01-old-synced-healthy", "k02-old-ready"}


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if recordings.index()[name]["versions"]])
def test_every_version_of_the_target_is_judged_as_the_field_does(scenario: str) -> None:
    expected = recordings.index()[scenario]
    recording = recordings.read(scenario)
    found = {
        (obj["metadata"].get("uid"), obj["metadata"].get("resourceVersion")): obj
        for obj in recordings.objects(recording)
        if obj.get("metadata") and obj.get("kind") == recording["target"]["kind"]
    }
    told = [(entry, assess(found[entry["uid"], entry["resourceVersion"]], now=NOW)) for entry in expected["versions"]]
    wrong = [(entry, said) for entry, said in told if said.state.value != recordings.word(entry["verdict"])]
    assert wrong == []
    assert all(said.reason for _, said in told)


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if recordings.index()[name]["states"]])
def test_every_state_of_an_agent_is_judged_as_its_own_rules_do(scenario: str) -> None:
    found = {obj["metadata"]["name"]: obj for obj in recordings.objects(recordings.read(scenario)) if "name" in obj.get("metadata", {})}
    for state in recordings.index()[scenario]["states"]:
        wanted = None if scenario.startswith("20e") else {WANTED_COMMIT, DESCENDANT}
        said = assess(found[state["name"]], now=NOW, revisions_wanted=wanted)
        assert said.state.value == recordings.word(state["verdict"]), (state, said)
        if state["name"] not in NEEDS_THE_COMMIT:
            alone = assess(found[state["name"]], now=NOW)
            assert alone.state.value == recordings.word(state["verdict"]), (state, alone)


def test_an_old_revision_is_no_answer_about_the_wanted_one() -> None:
    found = {obj["metadata"]["name"]: obj for obj in recordings.objects(recordings.read("20a_argocd_application_states"))}
    alone = assess(found["a01-old-synced-healthy"], now=NOW)
    asked = assess(found["a01-old-synced-healthy"], now=NOW, revisions_wanted={WANTED_COMMIT})
    assert (alone.state, asked.state) == ("healthy", "progressing")
    assert "has not taken bbbbbbbbbbbb yet" in asked.reason


def test_the_rules_agree_with_argo_rollouts_own_test_data() -> None:
    path = recordings.BESIDE / "20c_argo_rollout_states.json"
    if not path.exists():
        pytest.skip("Argo CD's own test data is not part of this repository")
    states = next(
        entry["states"]
        for entry in json.loads((recordings.BESIDE / "index.json").read_text())["scenarios"]
        if entry["scenario"] == "20c_argo_rollout_states"
    )
    found = {obj["metadata"].get("name"): obj for obj in recordings.objects(json.loads(path.read_text()))}
    for state in states:
        said = assess(found[state["name"]], now=NOW)
        assert said.state.value == recordings.word(state["verdict"]), (state["name"], said)


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if not name.startswith("20")])
def test_the_replay_ends_as_expected_and_changes_when_the_field_did(scenario: str) -> None:
    expected = recordings.index()[scenario]
    ends = expected["expected"]
    played = replay(recordings.read(scenario), image=ends.get("wanted_image"), limits=LIMITS).to_json()
    assert list(played) == ["workload", "promotion", "reason", "verdicts"]
    assert [(row["t"], row["state"]) for row in played["verdicts"]] == [
        (line["t"], recordings.word(line["verdict"])) for line in expected["line"]
    ]
    if "workload_at_end" in ends:
        assert played["workload"] == recordings.word(ends["workload_at_end"])
        assert played["promotion"] == recordings.word(ends["promotion_at_end"])
    assert played["reason"]


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("02a_crashloop_deadline", "CrashLoopBackOff"),
        ("02d_oomkilled", "OOMKilled"),
        ("03a_image_pull", "ImagePull"),
        ("03b_config_error", 'configmap "app-config" not found'),
        ("10b_ds_bad_image", "ImagePull"),
        ("13b_job_failed", "exit code 1"),
        ("13e_job_pull_error", "ImagePull"),
        ("14a_unschedulable", "Insufficient cpu"),
        ("14b_quota", "exceeded quota"),
        ("12a_403_forbidden", "forbidden"),
        ("12d_401_unauthorized", "401"),
        ("12j_transport", "not reached"),
    ],
)
def test_the_reason_is_the_workloads_own(scenario: str, words: str) -> None:
    wanted = recordings.index()[scenario]["expected"].get("wanted_image")
    assert words in replay(recordings.read(scenario), image=wanted, limits=LIMITS).reason


def test_without_an_image_the_first_that_somebody_writes_is_the_promoted_one() -> None:
    rolled_back = replay(recordings.read("08a_rollback_after_failure"), image=None, limits=LIMITS)
    assert (rolled_back.workload, rolled_back.promotion) == ("healthy", "degraded")
    assert "1.5.0-bad was taken back" in rolled_back.reason


def test_a_promotion_that_the_workload_never_took_fails_with_its_own_sentence() -> None:
    played = replay(recordings.read("08d_metadata_only"), image="registry.example.com/shop/web:9.9.9", limits=LIMITS)
    assert played.to_json()["promotion"] == "degraded"
    assert "never taken" in played.reason


def test_a_promotion_overtaken_by_a_newer_version_is_superseded() -> None:
    played = replay(recordings.read("01b_healthy_update"), image="registry.example.com/shop/web:1.4.9", limits=LIMITS)
    assert played.to_json()["promotion"] == "superseded"


def test_the_last_known_state_stands_when_events_come_late_or_twice() -> None:
    recording = recordings.read("01b_healthy_update")
    once = replay(recording, image=None, limits=LIMITS)
    last = recording["entries"][-1]["t"]
    late = [{**entry, "t": last} for entry in recording["entries"] if entry["type"] == "watch_event"]
    twice = replay({**recording, "entries": recording["entries"] + late}, image=None, limits=LIMITS)
    assert twice == once
