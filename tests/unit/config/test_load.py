"""Every error of a configuration at once, each at its place, with how to mend it."""

from pathlib import Path
from typing import Any

import pytest

from bot.config.load import check, check_file, load
from bot.config.problem import ConfigErrors
from bot.domain.errors import UserError

GOOD = """\
version: 1
pipeline:
  stages:
    dev: {repository: acme/dev, cluster: {context: dev}}
    qa: {repository: acme/qa, after: dev}
"""


def told(text: str) -> list[str]:
    return [str(problem) for problem in check(text, name="c.yaml").problems]


def errors(text: str) -> list[str]:
    return [str(problem) for problem in check(text, name="c.yaml").errors]


def with_stage(more: str, name: str = "prod") -> str:
    return GOOD + f"    {name}: {more}\n"


def test_a_good_file_has_nothing_to_say() -> None:
    checked = check(GOOD)
    assert checked.problems == ()
    assert checked.config is not None
    assert checked.config.order() == ("dev", "qa")


def test_all_errors_at_once_in_the_order_of_the_file() -> None:
    text = """\
version: 1
pipelin: 3
pipeline:
  stages:
    dev:
      repository: acme/dev
      branch: "a..b"
    qa:
      after: devv
      mergee: auto
      gates:
        - gate: soak
          for: 3 minutes
        - gate: sook
    prod: {repository: acme/prod, repository: acme/other, after: qa}
"""
    assert errors(text) == [
        "c.yaml:2:1: Unknown key 'pipelin'. Did you mean pipeline?",
        "c.yaml:7:15: This is not the name of a branch. Write it as git does, without refs/heads/, for example main or release/prod.",
        "c.yaml:8:5: The key 'repository' is missing here. Add it: the environment repository, as `owner/name`.",
        "c.yaml:9:14: There is no stage 'devv'. Did you mean dev?",
        "c.yaml:10:7: Unknown key 'mergee'. Did you mean merge?",
        "c.yaml:13:16: This is not a length of time. Write a number with a unit: 90s, 30m, 4h, 2d or 1h30m.",
        "c.yaml:14:17: There is no gate 'sook'. Did you mean soak?",
        "c.yaml:15:35: The key 'repository' stands here a second time; the first is on line 15. Keep one.",
    ]


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", "1:1", "The file is empty"),
        ("- a\n", "1:1", "The file is not a mapping"),
        ("a: [1\n", "2:1", "This is not YAML"),
        ("a: {b: 1}\n---\nc: 1\n", "2:1", "more than one document"),
        ("a: !!python/object/apply:os.system [x]\n", "1:4", "missing here"),
        ("a: !!int '3'\n", "1:4", "The tag tag:yaml.org,2002:int is not taken here"),
        ("a: &x [*x]\n", "1:8", "stands inside what it names"),
        ("a: *x\n", "1:4", "stands inside what it names, or before it"),
        ("a: \x07\n", "1:1", "character here that YAML does not allow"),
        ("? [a]\n: b\n", "1:3", "A key must be a plain text"),
        ("a: {<<: 3}\n", "1:9", "<< takes a mapping"),
    ],
)
def test_what_is_no_configuration_at_all(text: str, place: str, what: str) -> None:
    found = errors(text)
    assert any(what in line for line in found), found
    if "missing" not in what:
        assert found[0].startswith(f"c.yaml:{place}: ")


def test_missing_keys_point_at_their_parent() -> None:
    assert errors("pipeline: {stages: {}}\n") == [
        "c.yaml:1:1: The key 'version' is missing here. Add it: the version of this file's format.",
        "c.yaml:1:20: 'stages' is empty. Write at least 1.",
    ]


@pytest.mark.parametrize(
    ("stage", "what"),
    [
        ("{repository: acme/dev, after: qa}", "The stage 'prod' has the very place of the stage 'dev'"),
        ("{repository: ACME/Dev, folder: x, after: qa}", "The stage 'prod' has a folder in common with the stage 'dev'"),
        ("{repository: acme/prod, folder: ../x}", "A path must not hold . or .. parts"),
        ("{repository: acme/prod, folder: /x}", "This path must count from the repository's root"),
        ("{repository: acme/prod, folder: 'a//b'}", "A path may hold letters"),
        ("{repository: acme/prod, folder: 'a%2e%2e'}", "A path may hold letters"),
        ("{repository: acme/prod, folder: '~/x'}", "A path may hold letters"),
        ("{repository: acme/prod, folder: 'a\\b'}", "A path may hold letters"),
        ('{repository: acme/prod, folder: "a\\0"}', "A path may hold letters"),
        ("{repository: acme/prod, folder: .git/hooks}", "A path must not lead into .git"),
        (f"{{repository: acme/prod, folder: {'x' * 600}}}", "This path is longer than 512 characters"),
        ("{repository: acme}", "'acme' is not a repository"),
        ("{repository: acme/..}", "'acme/..' is not a repository"),
        ("{repository: https://github.com/acme/prod}", "is not a repository"),
        ("{repository: acme/prod, branch: 'a b'}", "This is not the name of a branch"),
        ("{repository: acme/prod, branch: refs/heads/main}", "Write the branch without refs/heads/"),
        ("{repository: acme/prod, branch: promote/prod/x}", "The branches promote/… are the bot's own"),
        ("{repository: acme/prod, branch: --upload-pack=x}", "This is not the name of a branch"),
        ("{repository: acme/prod, after: prod}", "The stage 'prod' comes after itself"),
        ("{repository: acme/prod, after: [qa, qa]}", "'qa' stands in `after` twice"),
        ("{repository: acme/prod, merge: sometimes}", "'sometimes' is not one of the possible values. Write auto or manual or queue"),
        (
            "{repository: acme/prod, cluster: {context: 1.10}}",
            'YAML reads 1.10 as a number, and a text is wanted. Put it in quotes: "1.10"',
        ),
        ("{repository: acme/prod, max_reverts: 0}", "'0' does not fit"),
        ("{repository: acme/prod, rollout: {timeout: 0s}}", "This must be longer than zero"),
        ("{repository: acme/prod, gates: [{for: 3h}]}", "The key 'gate' is missing here"),
        ("{repository: acme/prod, gates: [soak]}", "does not fit"),
        ("{repository: acme/prod, gates: [{gate: soak, for: 1h}, {gate: soak, for: 2h}]}", "Two gates of this stage are called 'soak'"),
        ("{repository: acme/prod, gates: [{gate: metric, query: up, max: 1}]}", "The metric gate has no server to ask"),
        ("{repository: acme/prod, gates: [{gate: policy, rule: a/b}]}", "The policy gate has no server to ask"),
        ("{repository: acme/prod, gates: [{gate: freeze, zone: Mars/Base}]}", "There is no time zone 'Mars/Base'"),
        (
            "{repository: acme/prod, gates: [{gate: http, url: https://a.example, body: '(?=x)'}]}",
            "This is not a regular expression of RE2",
        ),
        ("", "'repository' is missing"),
    ],
)
def test_one_bad_stage(stage: str, what: str) -> None:
    found = errors(with_stage(stage))
    assert any(what in line for line in found), found
    assert all(line.startswith("c.yaml:6:") for line in found), found


def test_circles_are_told_once_with_their_stages() -> None:
    text = (
        GOOD.replace("acme/dev,", "acme/dev, after: prod,")
        + "    prod: {repository: acme/prod, after: qa}\n    end: {repository: acme/end, after: prod}\n"
    )
    found = [line for line in errors(text) if "wait for each other" in line]
    assert found == [
        "c.yaml:4:40: The stages dev -> qa -> prod -> dev wait for each other. A pipeline has no circles: take one of these `after` away."
    ]


def test_a_stage_whose_name_is_none_is_named_where_it_stands() -> None:
    assert errors("version: 1\npipeline:\n  stages:\n    QA stage:\n      repository: a/b\n") == [
        "c.yaml:4:5: 'QA stage' is not a name for this. Use small letters, digits and -, at most 40, for example prod-eu."
    ]


@pytest.mark.parametrize(
    ("services", "what"),
    [
        ("{a: {}, A: {}}", "The services 'a' and 'A' would share the branch"),
        ("{a: {images: 'ghcr.io/a/b:1.0'}}", "is not the name of an image"),
        ("{a: {images: {stag: x}}}", "There is no stage 'stag'"),
        ("{a: {versions: [{file: x, address: $.a}]}}", "A list does not fit here. Write a mapping here, `key: value`. This is: "),
        ("{'a b': {}}", "'a b' is not a service's name. Use ASCII letters"),
        ("[a]", "A list does not fit here. Write a mapping here, `key: value`. This is: services that need a word"),
        ("{a: {versions: {prd: [{file: x, address: $.a}]}}}", "There is no stage 'prd'"),
        ("{a: {versions: {dev: [{file: ../x, address: $.a}]}}}", "A path must not hold . or .. parts"),
        (
            "{a: {versions: {dev: [{file: x, address: '$[?$..[?$..[?@.a]]]'}]}}}",
            "has 3 filters inside each other, and a JSONPath may have 2",
        ),
        ("{a: {versions: {dev: [{file: x, address: /a~b}]}}}", "The address does not work: '/a~b' is not a JSON Pointer"),
        ("{a: {versions: {dev: [{file: x, address: {regex: v1}}]}}}", "names no group `version`"),
        ("{a: {versions: {dev: [{file: x, address: {where: v1}}]}}}", "an address has exactly one of image, kustomize, path"),
        ("{a: {team: nobody}}", "There is no team 'nobody'. Add it under `teams`"),
        ("{a: {after: b@prodd}}", "There is no stage 'prodd'"),
        ("{a: {after: b}, b: {after: a}}", "The services 'a' and 'b' wait for each other"),
        ("{a: {after: a}}", "The service 'a' waits for itself"),
        ("{a: {images: ghcr.io/x/y}, b: {images: {qa: ghcr.io/x/y}}}", "belongs to the service 'a' already"),
        ("{'p\u0430yments': {}}", "is not a service's name"),
        ("{'../x': {}}", "is not a service's name"),
    ],
)
def test_bad_services(services: str, what: str) -> None:
    found = errors(GOOD + f"services: {services}\n")
    assert any(what in line and line.startswith("c.yaml:6:") for line in found), found


@pytest.mark.parametrize(
    "more",
    [
        "people: {stages: {prd: {}}}",
        "notifications: {slack: {channel: '#a', stages: {prd: '#b'}}}",
    ],
)
def test_stages_that_are_named_elsewhere_must_exist(more: str) -> None:
    assert any("There is no stage 'prd'" in line for line in errors(f"{GOOD}{more}\n"))


SECRETS = [
    "ghp_" + "a1" * 18,
    "github_pat_" + "a1" * 20,
    "xox" + "b-1234567890-abcdefghij",
    "https://hooks.slack.com/" + "services/T000/B000/xxxxxxxxxxxx",
    "-----BEGIN RSA PRIVATE" + " KEY-----",
    "https://ana:hunter22@github.com",
    "AKIA" + "ABCDEFGHIJKLMNOP",
]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
@pytest.mark.parametrize(
    "line", ["teams: {a: {slack: '%s'}}", "x-note: '%s'", "'%s': 1", "forge: {url: '%s'}", "services: {a: {source: '%s'}}"]
)
def test_secrets_are_refused_and_never_repeated(secret: str, line: str) -> None:
    found = told(GOOD + line % secret + "\n")
    assert any("secrets never stand in this file" in text for text in found)
    assert not any(secret in text for text in found), found


def test_anchors_merge_keys_and_own_keys_at_the_top() -> None:
    text = """\
version: 1
x-common: &common {merge: manual, rollout: &r {timeout: 1h}}
pipeline:
  stages:
    dev: {repository: acme/dev, <<: *common, merge: auto}
    qa: {repository: acme/qa, <<: [*common], cluster: {context: a}}
"""
    config = check(text).config
    assert config is not None
    assert [stage.merge for stage in config.pipeline.stages] == ["auto", "manual"]
    assert config.stage("qa").rollout.timeout.total_seconds() == 3600


def test_bombs_are_refused_at_once() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text in (bomb, "[" * 20_000, "a: " + "{b: " * 5_000, "- " * 3_000, "a: [" + ",".join(["*x"] * 60) + "]"):
        checked = check(text)
        assert checked.config is None
        assert len(checked.errors) == 1


def test_yaml_1_2_reads_on_and_times_as_texts() -> None:
    from bot.config.tree import resolve

    assert [resolve(text) for text in ("on", "yes", "1:30", "2026-11-20", "0o17", "0x1F", "1e3", "~", "True", ".inf", "1_000", "007")] == [
        "on", "yes", "1:30", "2026-11-20", 15, 31, 1000.0, None, True, float("inf"), "1_000", 7,
    ]  # fmt: skip


def test_unreadable_files(tmp_path: Path) -> None:
    assert "The file cannot be read: No such file" in str(check_file(tmp_path / "none.yaml").problems[0])
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"version: 1\nx-a: \xe9\n")
    assert str(check_file(latin).problems[0]).endswith("latin.yaml:2:1: The file is not UTF-8. Save it as UTF-8.")
    marked = tmp_path / "bom.yaml"
    marked.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert check_file(marked).config is not None


def test_load_raises_everything_as_one_user_error(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(GOOD.replace("version: 1", "version: 2") + "more: 1\n")
    with pytest.raises(ConfigErrors) as caught:
        load(file)
    assert isinstance(caught.value, UserError)
    assert len(caught.value.problems) == 2
    assert f"{file}:1:10: '2' is not one of the possible values. Write 1." in caught.value.what


def test_calendar_files_are_read_beside_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(with_stage("{repository: acme/prod, after: qa, gates: [{gate: freeze, calendar: {file: days.ics}}]}"))
    assert "The calendar 'days.ics' cannot be read: No such file" in str(check_file(file).errors[0])
    (tmp_path / "days.ics").write_text("hello")
    assert "not an iCalendar" in str(check_file(file).errors[0])
    (tmp_path / "days.ics").write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
    config: Any = check_file(file).config
    assert config.stage("prod").gates[-1].calendar.text.startswith("BEGIN:VCALENDAR")


def test_warnings_do_not_keep_the_bot_from_starting() -> None:
    checked = check(GOOD.replace(", cluster: {context: dev}", ""))
    assert checked.config is not None
    assert [problem.warning for problem in checked.problems] == [True]
    assert "The stage 'dev' has no cluster" in checked.problems[0].what


def test_graph_questions() -> None:
    text = """\
version: 1
pipeline:
  stages:
    prod-us: {repository: acme/us, after: uat}
    uat: {repository: acme/uat, after: [dev, lab], needs: any}
    dev: {repository: acme/dev}
    lab: {repository: acme/lab}
    prod-eu: {repository: acme/eu, after: uat, folder: apps/, branch: live}
    end: {repository: acme/end, after: [prod-eu, prod-us]}
"""
    config = check(text).config
    assert config is not None
    assert config.order() == ("dev", "lab", "uat", "prod-us", "prod-eu", "end")
    assert config.upstreams("uat") == ("dev", "lab")
    assert config.downstreams("uat") == ("prod-us", "prod-eu")
    assert config.after("lab") == ("uat", "prod-us", "prod-eu", "end")
    assert config.after("end") == ()
    assert config.stage("prod-eu").environment.path("x.yaml") == "apps/x.yaml"
    with pytest.raises(KeyError):
        config.stage("nope")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (GOOD.replace("{context: dev}", "{context: dev, insecure_skip_tls_verify: true}"), "can pretend that all is well"),
        (GOOD + "discovery: {enabled: false}\n", "nothing is promoted"),
    ],
)
def test_what_is_unwise_is_a_warning(text: str, what: str) -> None:
    checked = check(text)
    assert checked.config is not None
    assert [what in problem.what and problem.warning for problem in checked.problems] == [True]


def test_a_stage_takes_the_services_that_it_selects() -> None:
    config = check(with_stage("{repository: acme/prod, after: qa, services: [pay*, orders]}")).config
    assert config is not None
    assert [config.stage("prod").promotes(name) for name in ("payments", "orders", "search")] == [True, True, False]
    assert config.stage("qa").promotes("anything")


def test_groups_tell_who_is_meant() -> None:
    roles = "people: {roles: {admin: {users: [ana, 7], teams: acme/admins, permission: admin}, operator: {}}}\n"
    config = check(GOOD + roles).config
    assert config is not None
    admin = config.people.group("admin", "dev")
    assert admin.names() == ("team acme/admins", "@ana", "@7", "everybody with admin on the repository")
    assert (admin.empty, config.people.group("operator", "dev").empty) == (False, True)
