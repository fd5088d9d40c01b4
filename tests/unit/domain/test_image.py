"""Image references and versions after the distribution project's grammar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.image import ImageRef, Version, normal_name, split_reference, valid_digest, valid_tag

DIGEST = "sha256:" + "1f" * 32


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest", "name"),
    [
        ("nginx", "docker.io", "library/nginx", None, None, "nginx"),
        ("docker.io/library/nginx:1", "docker.io", "library/nginx", "1", None, "nginx"),
        ("index.docker.io/acme/api", "docker.io", "acme/api", None, None, "acme/api"),
        ("acme/api:1", "docker.io", "acme/api", "1", None, "acme/api"),
        ("reg:5000/api:5000", "reg:5000", "api", "5000", None, "reg:5000/api"),
        ("localhost/api", "localhost", "api", None, None, "localhost/api"),
        ("[2001:db8::1]:5000/a/b:1", "[2001:db8::1]:5000", "a/b", "1", None, "[2001:db8::1]:5000/a/b"),
        (f"GHCR.io/a/b:1@{DIGEST}", "ghcr.io", "a/b", "1", DIGEST, "ghcr.io/a/b"),
        (f"a/b@{DIGEST}", "docker.io", "a/b", None, DIGEST, "a/b"),
    ],
)
def test_parts(text: str, registry: str, repository: str, tag: str | None, digest: str | None, name: str) -> None:
    parsed = ImageRef.parse(text)
    assert parsed is not None
    assert (parsed.registry, parsed.repository, parsed.tag, parsed.digest, parsed.name) == (registry, repository, tag, digest, name)
    again = ImageRef.parse(str(parsed))
    assert again == parsed


@pytest.mark.parametrize(
    "text", ["", "a b", "--image=a/b:1", "https://a/b:1", "a/B", "a:b:c", "a//b", "a/b:", "a/b@sha256:1", "a:{{ x }}", "a/b:.1"]
)
def test_no_reference(text: str) -> None:
    assert ImageRef.parse(text) is None
    assert normal_name(text) is None


def test_spans_enclose_their_parts() -> None:
    text = f"reg:5000/a:1@{DIGEST}"
    spans = split_reference(text)
    assert spans is not None
    assert (text[: spans.name_end], spans.tag(text), spans.digest(text)) == ("reg:5000/a", "1", DIGEST)


def test_grammar_of_tags_and_digests() -> None:
    assert valid_tag("1.10")
    assert valid_tag("_" + "a" * 127)
    assert not any(map(valid_tag, ["", ".1", "-1", "a" * 129, "1\n", "1+2", "a b"]))
    assert valid_digest(DIGEST)
    assert valid_digest("sha512:" + "ab" * 64)
    assert not any(map(valid_digest, ["", "sha256:1f", DIGEST.upper(), DIGEST + "0", "md5:" + "1f" * 16]))


def test_versions_for_people() -> None:
    assert str(Version(tag="1.10")) == "1.10"
    assert str(Version(tag="1.10", digest=DIGEST)) == "1.10@sha256:1f1f1f1f1f1f…"
    assert str(Version(digest=DIGEST)) == "sha256:1f1f1f1f1f1f…"
    assert str(Version()) == "none"


@given(tag=st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True), pinned=st.booleans())
def test_a_version_reads_back(tag: str | None, pinned: bool) -> None:
    version = Version(tag=tag, digest=DIGEST if pinned else None)
    assert Version.parse(version.text) == version


@given(text=st.text(max_size=40))
def test_any_text_is_parsed_or_not(text: str) -> None:
    parsed = ImageRef.parse(text)
    assert parsed is None or (parsed.name and normal_name(parsed.name) == parsed.name)
