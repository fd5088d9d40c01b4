"""JSONPath queries are bounded: in what they ask, in the steps they take, and in the time of their patterns."""

from time import process_time

import pytest
from jsonpath_rfc9535 import find as reference

from bot.config.load import load
from bot.config.problem import ConfigErrors
from bot.domain.edits import EditRefused
from bot.manifests.editing import edit
from bot.manifests.queries import LONGEST, MOST_FILTERS, compile_query, find

PLAIN = {
    "items": [{"name": "a", "tag": "1.0"}, {"name": "b", "tag": "1.1", "more": {"deep": [{"name": "c", "tag": "2"}]}}],
    "flag": "on",
}


@pytest.mark.parametrize(
    "path",
    [
        "$",
        "$.items[0].tag",
        "$.items[*].tag",
        "$.items[?@.name=='b'].tag",
        "$..[?@.name=='c'].tag",
        "$..tag",
        "$.items[?@.more.deep[?@.name=='c']].tag",
        "$.items[?match(@.name, '[ab]')].name",
        "$.items[?search(@.tag, '1[.]')].name",
        "$.items[?search(@.tag, '.')].name",
        "$.items[?match(@.tag, '(')].name",
        "$.items[?length(@.name)==1 && count(@.*)>2].name",
        "$.items[::-1].name",
        "$.items[0:1].name",
    ],
)
def test_what_is_found_is_what_the_rfc_says(path: str) -> None:
    found = find(compile_query(path), PLAIN)
    assert [(node.location, node.value) for node in found] == [(node.location, node.value) for node in reference(path, PLAIN)]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("$." + "a" * LONGEST, f"longer than {LONGEST} characters"),
        ("$" + ".a" * 65, "65 steps"),
        ("$[" + ",".join(["?@.a"] * (MOST_FILTERS + 1)) + "]", "9 filters"),
        ("$[?@[?@[?@.a]]]", "3 filters inside each other"),
        ("$..a..b..c..d..e", "5 descents"),
        ("$[?$..a && $..b && $..c && $..d && $..e]", "5 descents"),
    ],
)
def test_a_query_that_asks_for_too_much_is_refused_before_it_is_followed(path: str, why: str) -> None:
    with pytest.raises(EditRefused) as refused:
        compile_query(path)
    assert (refused.value.code, why in refused.value.message) == ("BadAddress", True), refused.value.message


@pytest.mark.parametrize("path", ["$..[?$..[?@.name=='zz']]", "$..[?count($..*)>9]", "$.items[?$.items[?@.name=='zz']]"])
def test_a_query_that_takes_too_long_over_a_large_file_ends(path: str) -> None:
    data = {"items": [{"name": f"n{number}", "spec": {"tag": "1"}} for number in range(3_000)]}
    began = process_time()
    with pytest.raises(EditRefused, match="too many steps") as refused:
        find(compile_query(path), data)
    assert refused.value.code == "BadAddress"
    assert process_time() - began < 30


def test_a_plain_filter_over_a_large_file_is_no_trouble() -> None:
    data = {"items": [{"name": f"n{number}", "spec": {"tag": "1"}} for number in range(20_000)]}
    assert len(find(compile_query("$.items[?@.name=='n19999'].spec.tag"), data)) == 1


def test_a_pattern_cannot_run_away() -> None:
    began = process_time()
    assert find(compile_query("$[?match(@, '(a|aa|a*)*b')]"), ["a" * 40_000]) == []
    assert process_time() - began < 5


def test_an_edit_by_such_a_path_is_refused_with_a_reason() -> None:
    text = "items:\n" + "".join(f"- {{name: n{number}, tag: v1}}\n" for number in range(3_000))
    with pytest.raises(EditRefused, match="too many steps"):
        edit(text.encode(), {"path": "$.items[?$.items[?@.name=='zz']].tag"}, "v2")


def test_the_configuration_names_the_place_of_such_an_address(tmp_path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "version: 1\npipeline:\n  stages:\n    dev: {repository: a/dev}\n    qa: {repository: a/qa, after: dev}\n"
        "services:\n  pay:\n    versions:\n      dev:\n      - file: pay.yaml\n        address: $..[?@[?@[?@.a]]]\n"
    )
    with pytest.raises(ConfigErrors) as told:
        load(file)
    [problem] = told.value.problems
    assert (problem.line, problem.column) == (11, 18)
    assert "filters inside each other" in problem.what
