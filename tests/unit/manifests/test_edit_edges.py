# ruff: noqa: E501
"""Edits at rarer places, and addresses and values that are refused with a sentence: nothing is ever guessed."""

from typing import Any

import pytest

from bot.domain.edits import EditRefused
from bot.manifests import edit, slot_at

OLD, NEW = "sha256:" + "1f" * 32, "sha256:" + "2e" * 32

EDITED: list[tuple[str, str, dict[str, Any], Any, str]] = [
    ("a whole reference for a tag", "image:\n  repository: acme/api\n  tag: '1'\n", {"path": "$.image"}, "acme/api:2", "image:\n  repository: acme/api\n  tag: '2'\n"),
    ("tag and digest in one text", f"image: acme/api:1@{OLD}\n", {"path": "$.image"}, {"tag": "2", "digest": NEW}, f"image: acme/api:2@{NEW}\n"),
    ("another registry beside the repository", "image:\n  registry: ghcr.io\n  repository: acme/api\n  tag: '1'\n", {"path": "$.image"}, {"name": "quay.io/acme/api", "tag": "2"}, "image:\n  registry: quay.io\n  repository: acme/api\n  tag: '2'\n"),
    ("the same registry stays", "image:\n  registry: ghcr.io\n  repository: acme/api\n  tag: '1'\n", {"path": "$.image"}, {"name": "ghcr.io/acme/web", "tag": "2"}, "image:\n  registry: ghcr.io\n  repository: acme/web\n  tag: '2'\n"),
    ("a digest for a bare digest", f"digest: {OLD}\n", {"path": "$.digest"}, {"digest": NEW}, f"digest: {NEW}\n"),
    ("kustomize's own form of an image", "spec: {kustomize: {images: ['old=acme/api:1']}}\n", {"pointer": "/spec/kustomize/images/0"}, {"tag": "2"}, "spec: {kustomize: {images: ['old=acme/api:2']}}\n"),
    ("the same again changes nothing", 'x = "1"\n', {"hcl": "/x"}, "1", 'x = "1"\n'),
    ("a pattern that finds what stands there already", "A: 1.0\n", {"regex": r"A: (?P<version>\S+)"}, "1.0", "A: 1.0\n"),
    ("a pattern inside of quotes", 'url: "https://x/m?ref=v1" # keep\n', {"regex": r"ref=(?P<version>[^\"]+)"}, "v2", 'url: "https://x/m?ref=v2" # keep\n'),
    ("a pattern in a comment", "a: 1 # web v1\n", {"regex": r"web (?P<version>v\d)"}, "v2", "a: 1 # web v2\n"),
    ("a pattern in a file of no kind", "FROM acme/api:1 AS build\nRUN true\n", {"regex": r"FROM acme/api:(?P<version>\S+)"}, "2", "FROM acme/api:2 AS build\nRUN true\n"),
    ("a line end of Windows is no version", "A=1\r\nB=2\r\n", {"regex": r"A=(?P<version>.+)"}, "3", "A=3\r\nB=2\r\n"),
    ("one document of several", "a: v1\n---\na: v1\n", {"path": "$.a", "doc": {"index": 1}}, "v2", "a: v1\n---\na: v2\n"),
    ("a wildcard that fits once", "x: [{n: a, tag: v1}]\n", {"path": "$.x[?@.n=='a'].tag"}, "v2", "x: [{n: a, tag: v2}]\n"),
    ("a comparison of fractions", "x: [{n: 1.5, tag: v1}]\n", {"path": "$.x[?@.n==1.5].tag"}, "v2", "x: [{n: 1.5, tag: v2}]\n"),
    ("a comparison with true", "x: [{on: true, tag: v1}, {on: 'true', tag: v3}]\n", {"path": "$.x[?@.on==true].tag"}, "v2", "x: [{on: true, tag: v2}, {on: 'true', tag: v3}]\n"),
    ("a comparison behind an alias", "b: &b {n: a}\nx: [{m: *b, tag: v1}]\n", {"path": "$.x[?@.m.n=='a'].tag"}, "v2", "b: &b {n: a}\nx: [{m: *b, tag: v2}]\n"),
    ("a tag for a digest alone keeps the digest out of it", f"version: 1.2@{OLD}\n", {"path": "$.version"}, {"tag": "1.3", "digest": NEW}, f"version: 1.3@{NEW}\n"),
    ("a comparison of numbers", "x: [{n: 7, tag: v1}]\n", {"path": "$.x[?@.n==7].tag"}, "v2", "x: [{n: 7, tag: v2}]\n"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "address", "new", "expected"), [row[1:] for row in EDITED], ids=[row[0] for row in EDITED])
def test_edited(content: str, address: dict[str, Any], new: Any, expected: str) -> None:
    assert edit(content.encode(), address, new).decode() == expected


REFUSED: list[tuple[str, str, Any, Any, str]] = [
    ("no address", "tag: v1\n", "tag", "v2", "BadAddress"),
    ("an address of a number", "tag: v1\n", {"path": 7}, "v2", "BadAddress"),
    ("an empty path", "tag: v1\n", {"path": ""}, "v2", "BadAddress"),
    ("an image with a version", "image: a:1\n", {"image": "a:1"}, "2", "BadAddress"),
    ("embedded in an image", "image: a:1\n", {"image": "a", "embedded": {"path": "$.x"}}, "2", "BadAddress"),
    ("shared by a word", "tag: v1\n", {"path": "$.tag", "allowShared": "yes"}, "v2", "BadAddress"),
    ("a container of a number", "image: a:1\n", {"image": "a", "container": 7}, "2", "BadAddress"),
    ("a count of none", "image: a:1\n", {"image": "a", "count": 0}, "2", "BadAddress"),
    ("a document by nothing", "tag: v1\n", {"path": "$.tag", "doc": {}}, "v2", "BadAddress"),
    ("a document of another kind of key", "tag: v1\n", {"path": "$.tag", "doc": {"uid": "x"}}, "v2", "BadAddress"),
    ("a document's name of a number", "tag: v1\n", {"path": "$.tag", "doc": {"name": 7}}, "v2", "BadAddress"),
    ("a document for a pattern", "A: 1\n", {"regex": r"A: (?P<version>\d)", "doc": {"index": 0}}, "2", "BadAddress"),
    ("no new value", "tag: v1\n", {"path": "$.tag"}, {}, "InvalidVersion"),
    ("a new value of a number", "tag: v1\n", {"path": "$.tag"}, 2, "InvalidVersion"),
    ("a new value with another part", "tag: v1\n", {"path": "$.tag"}, {"version": "2"}, "InvalidVersion"),
    ("a new tag of a number", "tag: v1\n", {"path": "$.tag"}, {"tag": 2}, "InvalidVersion"),
    ("a new digest that is none", "tag: v1\n", {"path": "$.tag"}, {"digest": "sha256:12"}, "InvalidVersion"),
    ("a new name with a version", "image: acme/api:1\n", {"path": "$.image"}, {"name": "acme/api:2"}, "InvalidVersion"),
    ("a new name that is none", "image: acme/api:1\n", {"path": "$.image"}, {"name": "A B"}, "InvalidVersion"),
    ("a new tag that is none", "image: acme/api:1\n", {"path": "$.image"}, {"tag": "a b"}, "InvalidVersion"),
    ("a text that is no version of a map", "image: {repository: a, tag: '1'}\n", {"path": "$.image"}, "no version!", "InvalidVersion"),
    ("a file of HCL too long", "x = 1\n" + "#" * 1_100_000, {"hcl": "/x"}, "2", "ParseError"),
    ("a kustomization of strangers", "apiVersion: acme.io/v1\nkind: Kustomization\nimages: [{name: a, newTag: '1'}]\n", {"kustomize": "a"}, {"tag": "2"}, "NoMatch"),
    ("a list is no kustomization", "- {name: a, newTag: '1'}\n", {"kustomize": "a"}, {"tag": "2"}, "NoMatch"),
    ("an empty value", "tag: v1\n", {"path": "$.tag"}, "", "InvalidVersion"),
    ("a value with a blank", "tag: v1\n", {"path": "$.tag"}, " v2", "InvalidVersion"),
    ("a value with a control character", "tag: v1\n", {"path": "$.tag"}, "v\x07", "InvalidVersion"),
    ("a value too long", "tag: v1\n", {"path": "$.tag"}, "v" * 5000, "InvalidVersion"),
    ("a name for a version alone", "tag: v1\n", {"path": "$.tag"}, {"name": "acme/api"}, "FieldMissing"),
    ("a list in place of a value", "tag: [v1]\n", {"path": "$.tag"}, {"tag": "v2"}, "NotAScalar"),
    ("a version that comes from a merge", "b: &b {repository: a, tag: '1'}\nimage: {<<: *b}\n", {"path": "$.image"}, {"tag": "2"}, "ThroughMerge"),
    ("a digest that no field holds", "image: {repository: a, tag: '1'}\n", {"path": "$.image"}, {"tag": "2", "digest": NEW}, "FieldMissing"),
    ("a pattern that matches nothing", "A: 1\n", {"regex": r"B: (?P<version>\d)"}, "2", "NoMatch"),
    ("a pattern that matches twice", "A: 1\nA: 2\n", {"regex": r"A: (?P<version>\d)"}, "2", "AmbiguousMatch"),
    ("a pattern whose group is empty", "A: 1\n", {"regex": r"A: (?P<version>x*)1"}, "2", "NoMatch"),
    ("a pattern that holds something else", "A: 1\n", {"regex": r"A: (?P<version>\d)", "old": "3"}, "2", "StaleValue"),
    ("a pattern that holds another version", "FROM a:1\nx y\n", {"regex": r"FROM a:(?P<version>\d)", "old": {"tag": "3"}}, "2", "StaleValue"),
    ("what would not stay one word there", "FROM a:1\nx y\n", {"regex": r"FROM a:(?P<version>\d)"}, "2 3", "InvalidVersion"),
    ("a sealed file of lines", "A=1\nsops_mac=x\n", {"regex": r"A=(?P<version>\d)"}, "2", "SopsEncrypted"),
    ("two values at one HCL path", 'x = {\n  a = "1"\n  a = "2"\n}\n', {"hcl": "/x/a"}, "2", "AmbiguousMatch"),
    ("what HCL would take apart", 'x = "1"\n', {"hcl": "/x"}, '2" y="', "InvalidVersion"),
    ("no kustomization", "kind: Pod\nimages: [{name: a, newTag: '1'}]\n", {"kustomize": "a"}, {"tag": "2"}, "NoMatch"),
    ("kustomize images that are no list", "images: {name: a, newTag: '1'}\n", {"kustomize": "a"}, {"tag": "2"}, "NoMatch"),
    ("an entry through an alias", "x: &e {name: a, newTag: '1'}\nimages: [*e]\n", {"kustomize": "a"}, {"tag": "2"}, "ThroughAlias"),
    ("a path that fits in two documents", "a: v1\n---\na: v1\n", {"path": "$.a"}, "v2", "AmbiguousMatch"),
    ("a marker on two lines", "a: 1 # m\nb: 2 # m\n", {"marker": "m"}, "3", "AmbiguousMatch"),
    ("a marker on no line", "a: 1 # mm\n", {"marker": "m"}, "3", "NoMatch"),
    ("a marker in a text of lines, twice", "A=1 # m\nB=2 # m\n", {"marker": "m"}, "3", "AmbiguousMatch"),
    ("a marker in a text of lines, nowhere", "A=1 # x\nB=2\n", {"marker": "m"}, "3", "ParseError"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "address", "new", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(content: str, address: Any, new: Any, code: str) -> None:
    with pytest.raises(EditRefused) as caught:
        edit(content.encode(), address, new)
    assert caught.value.code == code, caught.value
    assert caught.value.message
    assert caught.value.fix
    assert caught.value.line >= 1


@pytest.mark.parametrize(
    ("text", "address", "version"),
    [
        ("spec: {images: ['old=acme/api:1']}\n", {"pointer": "/spec/images/0"}, "1"),
        (f"image: acme/api@{OLD}\n", {"path": "$.image"}, f"@{OLD}"),
        ("image: {repository: acme/api, tag: '1'}\n", {"path": "$.image"}, "1"),
        ("A=acme/api:1 # m\nB=2\n", {"marker": "m"}, "1"),
        ("A=1.2 # m\nB=2\n", {"marker": "m"}, "1.2"),
        ("FROM acme/api:1\nx y\n", {"regex": r"FROM acme/api:(?P<version>\S+)"}, "1"),
        ('x = "acme/api:1"\n', {"hcl": "/x"}, "1"),
        ('x = "1.2"\n', {"hcl": "/x"}, "1.2"),
    ],
)
def test_what_stands_at_an_address_is_read_as_it_would_be_edited(text: str, address: dict[str, object], version: str) -> None:
    found = slot_at("x", text.encode(), address, artifact="a")
    (slot,) = found.slots
    assert slot.version.text == version
    assert text[slot.start : slot.end] == (slot.version.tag or slot.version.digest)


@pytest.mark.parametrize(
    ("text", "address", "code"),
    [
        ("{{ if .x }}\ntag: v1 # m\n", {"marker": "n"}, "NoMatch"),
        ("tag: [\n", {"path": "$.tag"}, "ParseError"),
        ("tag: [v1]\n", {"path": "$.tag"}, "NotAScalar"),
        ("a: v1\n", {"path": "$.b"}, "PathNotFound"),
        ("x = {\n", {"hcl": "/x"}, "ParseError"),
        ("A: 1\n", {"regex": r"B: (?P<version>\d)"}, "NoMatch"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_problem_and_no_slot(text: str, address: dict[str, object], code: str) -> None:
    found = slot_at("x.yaml", text.encode(), address, artifact="a")
    assert found.slots == ()
    assert [(problem.path, problem.code) for problem in found.problems] == [("x.yaml", code)]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a:b:c", "NotAScalar"),
        ("not a ref!", "NotAScalar"),
        ("UPPER/Case:1.0", "NotAScalar"),
        ("'reg:5000/x y:1'", "NotAScalar"),
        ("''", "FieldMissing"),
    ],
)
def test_an_image_that_is_no_reference_is_not_replaced_by_a_version(value: str, code: str) -> None:
    with pytest.raises(EditRefused) as refused:
        edit(f"image: {value}\n".encode(), {"path": "$.image"}, {"tag": "2"})
    assert refused.value.code == code
