"""GitHub's error table, row by row: status, headers and words on the left, our error on the right."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.adapters.github.errors import answer_error, graphql_error, limited_until
from bot.adapters.github.reply import Ask, Reply
from bot.domain.errors import BotError, OutcomeUnknown, RateLimited, Refused, Stale, TransientError, UserError

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
READ = Ask(doing="read it", where="acme/env", needs="contents: read")
WRITE = Ask(doing="merge it", where="acme/env#7", needs="contents: write", write=True, known=True)


def error_of(status: int, message: str = "", *, ask: Ask = WRITE, errors: object = None, **headers: str) -> BotError:
    body = {"message": message} | ({"errors": errors} if errors is not None else {})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer_error(Reply(status=status, headers=named, body=body), ask, now=NOW)


STALE = [
    (405, "Pull Request is not mergeable"),
    (405, "Base branch was modified. Review and try the merge again."),
    (409, "Head branch was modified. Review and try the merge again."),
    (409, "Merge conflict"),
    (422, "Validation Failed: No commits between main and promote/qa/x"),
    (422, "Reference already exists"),
    (422, "Update is not a fast forward"),
    (422, "Reference does not exist"),
]


@pytest.mark.parametrize(("status", "message"), STALE)
def test_what_moved_is_stale(status: int, message: str) -> None:
    assert type(error_of(status, message)) is Stale


REFUSED = [
    (405, "Squash merges are not allowed on this repository.", "MergeMethod"),
    (405, "Merge commits are not allowed on this repository.", "MergeMethod"),
    (405, 'Required status check "ci" is expected.', "MergeBlocked"),
    (405, "At least 1 approving review is required by reviewers with write access.", "MergeBlocked"),
    (403, "Resource not accessible by integration", "MissingPermission"),
    (403, "Must have admin rights to Repository.", "MissingPermission"),
    (403, "This installation has been suspended", "InstallationSuspended"),
    (401, "Bad credentials", "GitHubAuth"),
    (422, "Validation Failed: A pull request already exists for acme:promote/qa/x.", "PullExists"),
    (422, "Auto merge is not allowed for this repository", "AutoMerge"),
    (451, "Repository access blocked", "GitHub451"),
    (400, "Problems parsing JSON", "GitHub400"),
]


@pytest.mark.parametrize(("status", "message", "code"), REFUSED)
def test_what_a_person_must_mend_is_refused(status: int, message: str, code: str) -> None:
    error = error_of(status, message)
    assert type(error) is Refused
    assert error.code == code
    assert error.where == "acme/env#7"
    assert message.split(":")[-1].strip()[:12] in error.what or code in ("InstallationSuspended",)


def test_a_missing_permission_is_named_by_github_where_it_can() -> None:
    said = error_of(403, "Resource not accessible by integration", x_accepted_github_permissions="pull_requests=write; issues=write")
    assert "pull_requests: write or issues: write" in said.fix  # type: ignore[attr-defined]
    assert "contents: write" in error_of(403, "Resource not accessible by integration").fix  # type: ignore[attr-defined]


def test_the_texts_of_single_fields_count() -> None:
    errors = [{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for acme:x."}]
    assert error_of(422, "Validation Failed", errors=errors).code == "PullExists"  # type: ignore[attr-defined]
    lag = error_of(422, "Validation Failed", errors=[{"resource": "PullRequest", "field": "head", "code": "invalid"}])
    assert type(lag) is TransientError


def test_404_is_never_a_deletion_of_what_we_know() -> None:
    assert type(error_of(404, "Not Found", ask=WRITE)) is TransientError
    unknown = error_of(404, "Not Found", ask=READ)
    assert type(unknown) is Refused
    assert "contents: read" in unknown.fix
    assert error_of(404, "bob is not a user", ask=READ).code == "UnknownAccount"  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_says_that_the_repository_moved(status: int) -> None:
    error = error_of(status, "Moved Permanently")
    assert isinstance(error, UserError)
    assert error.code == "RepositoryMoved"


@pytest.mark.parametrize("status", [200, 201, 408, 500, 502, 503, 504])
def test_a_lost_answer_is_unknown_after_a_write_only(status: int) -> None:
    assert type(error_of(status, "Server Error")) is OutcomeUnknown
    assert type(error_of(status, "Server Error", ask=READ)) is TransientError


@pytest.mark.parametrize(
    ("status", "message", "headers", "wait"),
    [
        (403, "You have exceeded a secondary rate limit.", {"retry_after": "37"}, 37),
        (429, "You have exceeded a secondary rate limit.", {}, 60),
        (403, "You have exceeded a secondary rate limit.", {}, 60),
        (403, "You have triggered an abuse detection mechanism.", {}, 60),
        (403, "API rate limit exceeded for installation ID 1.", {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "+90"}, 91),
        (429, "API rate limit exceeded", {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "-90"}, 1),
        (422, "Validation Failed: was submitted too quickly", {}, 60),
        (429, "", {}, 60),
    ],
)
def test_rate_limits_say_how_long(status: int, message: str, headers: dict[str, str], wait: int) -> None:
    for name, value in headers.items():
        if name == "x_ratelimit_reset":
            headers[name] = str(int(NOW.timestamp()) + int(value))
    error = error_of(status, message, **headers)
    assert type(error) is RateLimited
    assert error.retry_after == timedelta(seconds=wait)


@pytest.mark.parametrize("wrong", [timedelta(minutes=-30), timedelta(0), timedelta(minutes=30), timedelta(hours=3)])
def test_the_end_of_a_limit_is_counted_from_githubs_own_time(wrong: timedelta) -> None:
    """A clock of ours that is wrong neither hammers at a limit that lasts nor waits for hours."""
    theirs = NOW - wrong
    headers = {
        "date": format_datetime(theirs, usegmt=True),
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(theirs.timestamp()) + 600),
    }
    assert limited_until(headers, "API rate limit exceeded", now=NOW).retry_after == timedelta(seconds=601)
    for nonsense in ("", "yesterday"):
        late = limited_until(headers | {"date": nonsense}, "API rate limit exceeded", now=theirs)
        assert late.retry_after == timedelta(seconds=601)


def test_a_missing_permission_on_the_last_call_of_the_hour_is_no_rate_limit() -> None:
    assert type(error_of(403, "Resource not accessible by integration", x_ratelimit_remaining="0")) is Refused


GRAPHQL = [
    ({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, RateLimited),
    ({"message": "You have exceeded a secondary rate limit"}, RateLimited),
    ({"message": "was submitted too quickly"}, RateLimited),
    ({"type": "STALE_DATA", "message": 'Expected branch to point to "a" but it did not.'}, Stale),
    ({"type": "UNPROCESSABLE", "message": 'A ref named "refs/heads/x" already exists in the repository.'}, Stale),
    ({"type": "UNPROCESSABLE", "message": "No commits between main and x"}, Stale),
    ({"type": "UNPROCESSABLE", "message": "Pull request Pull request is in clean status"}, Refused),
    ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, Refused),
    ({"type": "INSUFFICIENT_SCOPES", "message": "Your token has not been granted the required scopes"}, Refused),
    ({"message": "Something went wrong while executing your query. Please include 0F:1A"}, OutcomeUnknown),
    ({"type": "SERVICE_UNAVAILABLE", "message": "No server"}, OutcomeUnknown),
    ({"message": "Resource limits for this query exceeded."}, TransientError),
    ({"type": "NOT_FOUND", "message": "Could not resolve to a node with the global id of 'x'"}, TransientError),
    ({"message": "Field 'x' doesn't exist on type 'PullRequest'"}, Refused),
]


@pytest.mark.parametrize(("entry", "family"), GRAPHQL)
def test_graphql_errors_on_200(entry: dict[str, str], family: type) -> None:
    assert type(graphql_error(entry, WRITE, Reply(status=200), now=NOW)) is family


def test_no_token_is_repeated_from_githubs_words() -> None:
    error = error_of(422, "bad value ghs_abcdefghijklmnopqrstuvwxyz012345")
    assert "ghs_abc" not in f"{error} {error.what}"  # type: ignore[attr-defined]
