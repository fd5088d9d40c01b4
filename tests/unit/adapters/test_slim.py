"""What is kept of an object in a live watch, and what is not."""

from bot.adapters.kubernetes.slim import lean, slim


def container(**more):
    return {"name": "app", "image": "x:1", "env": [{"name": "TOKEN", "value": "geheim"}], "command": ["run"], **more}


def deployment():
    spec = {"containers": [container(resources={"limits": {}})], "initContainers": [container()], "volumes": [{"name": "v"}]}
    metadata = {"name": "web", "managedFields": [{}], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"}}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 2, "template": {"spec": spec}}}


def test_slim_hides_values_and_drops_bulk():
    found = slim(deployment())
    assert found["metadata"] == {"name": "web", "annotations": {"a": "b"}}
    assert found["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "TOKEN"}]
    assert found["spec"]["template"]["spec"]["containers"][0]["command"] == ["run"]


def test_lean_keeps_images_and_nothing_that_only_a_person_reads():
    found = lean(deployment())
    assert found["spec"] == {
        "replicas": 2,
        "template": {"spec": {"containers": [{"name": "app", "image": "x:1"}], "initContainers": [{"name": "app", "image": "x:1"}]}},
    }


def test_a_pod_keeps_what_says_how_it_ends():
    pod = {"kind": "Pod", "spec": {"restartPolicy": "Never", "nodeName": "n", "tolerations": [{}], "containers": [container()]}}
    assert lean(pod)["spec"] == {"restartPolicy": "Never", "nodeName": "n", "containers": [{"name": "app", "image": "x:1"}]}


def test_the_spec_of_another_kind_is_left_alone():
    release = {"kind": "HelmRelease", "spec": {"priority": 3, "volumes": 1, "values": {"image": {"tag": "1"}}}}
    assert lean(release)["spec"] == {"priority": 3, "volumes": 1, "values": {"image": {"tag": "1"}}}


def test_broken_shapes_are_left_alone():
    for spec in (
        None,
        [],
        {"template": None},
        {"template": {"spec": {"containers": None}}},
        {"template": {"spec": {"containers": [None]}}},
    ):
        assert lean({"kind": "Deployment", "spec": spec})["spec"] == spec
