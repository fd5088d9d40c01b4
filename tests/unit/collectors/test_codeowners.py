"""Whose a file is: GitHub's own examples, and what it does not take."""

import pytest

from bot.collectors.codeowners import owners_of, read

EXAMPLE = b"""
* @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ["@global-owner1", "@global-owner2"]),
        ("src/a.js", ["@js-owner"]),
        ("a.go", ["docs@example.com"]),
        ("deep/er/a.txt", ["@octo-org/octocats"]),
        ("build/logs/x/y.md", ["@octocat"]),
        ("docs/getting-started.md", ["@doctocat"]),
        ("scripts/a.sh", ["@doctocat", "@octocat"]),
        ("x/apps/y/z.md", ["@octocat"]),
        ("deeply/nested/logs/a", ["@octocat"]),
        ("apps/a", ["@octocat"]),
        ("apps/github", []),
        ("apps/github/deep", []),
    ],
)
def test_githubs_example(path: str, owners: list[str]) -> None:
    assert owners_of(path, read(EXAMPLE)) == owners


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("docs/*", ["docs/a.md"], ["docs/build/a.md", "x/docs/a.md"]),
        ("docs/**", ["docs/a.md", "docs/b/c.md"], ["x/docs/a"]),
        ("/a/**/b", ["a/b", "a/x/b", "a/x/y/b/c"], ["b", "x/a/b"]),
        ("a", ["a", "x/a", "x/a/y"], ["ab", "b"]),
        ("/a", ["a", "a/b"], ["x/a"]),
        ("a?.md", ["ab.md", "x/ac.md"], ["a.md", "a/.md"]),
        ("with\\ space.md", ["with space.md"], ["with"]),
        ("a+b(c).md", ["a+b(c).md"], ["aab(c).md"]),
        ("*", ["a", "a/b/c"], []),
        ("*.y*l", ["a.yaml", "x/b.yml"], ["a.json"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    rules = read(f"{pattern} @a".encode())
    assert [path for path in yes if owners_of(path, rules) != ["@a"]] == []
    assert [path for path in no if owners_of(path, rules)] == []


@pytest.mark.parametrize("line", ["!a @b", "[ab].md @b", "a b", "# a @b", "", "a @ok notanowner", "\\ @b @"])
def test_a_line_that_cannot_be_read_counts_for_nothing(line: str) -> None:
    rules = read(f"* @first\n{line}\n".encode())
    assert owners_of("a", rules) == ["@first"]
    assert owners_of("ab.md", rules) == ["@first"]


def test_many_stars_do_not_hang() -> None:
    rules = read(("a*" * 40 + "b @x").encode())
    assert owners_of("a" * 5_000, rules) == []
