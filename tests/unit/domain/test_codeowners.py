"""CODEOWNERS, by the examples of GitHub's own page."""

import pytest

from bot.domain.codeowners import matches, owners, parse

TEXT = """\
# comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
/build/logs/ @doctocat
docs/*  docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("README.md", ("@global-owner1", "@global-owner2")),
        ("a/b/c.js", ("@js-owner",)),
        ("build/logs/x.txt", ("@octocat",)),
        ("docs/getting-started.md", ("@doctocat",)),
        ("scripts/a/b.sh", ("@doctocat", "@octocat")),
        ("deeply/nested/logs/x", ("@octocat",)),
        ("apps/other/x", ("@octocat",)),
        ("apps/github", ()),
        ("apps/github/x", ()),
    ],
)
def test_github_s_page(path: str, found: tuple[str, ...]) -> None:
    assert owners(parse(TEXT), path) == found


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/build/a.md", False),
        ("docs/**", "docs/build/a.md", True),
        ("*", "a/b/c", True),
        ("envs/prod/", "envs/prod/x.yaml", True),
        ("envs/prod/", "envs/prod", False),
        ("/envs/prod", "envs/prod/a/b", True),
        ("envs/prod", "x/envs/prod/a", False),
        ("prod", "envs/prod/a", True),
        ("env?/x", "envs/x", True),
        ("env?/x", "env/x", False),
        ("a.b", "axb", False),
        ("/", "a", False),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    assert matches(pattern, path) is fits


def test_lines_that_mean_nothing_are_passed_over() -> None:
    assert parse("!x @a\n[ab] @a\n\n   \n# x\n") == ()
    assert parse("a\\ b @x")[0].pattern == "a b"
