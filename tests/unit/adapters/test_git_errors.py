# ruff: noqa: E501
"""git's words, as real gits and GitHub print them, and what each means."""

import pytest

from bot.adapters.git_errors import Asked, Trouble, push_error, remote_error, sentence, trouble
from bot.adapters.git_process import GitAnswer, environment
from bot.domain.errors import OutcomeUnknown, RateLimited, Refused, Stale, TransientError, UserError

READ = Asked(repository="acme/env", host="github.com")
WRITE = Asked(repository="acme/env", host="github.com", write=True)


def failed(err: str, out: str = "") -> GitAnswer:
    return GitAnswer(status=128, out=out.encode(), err=err)


@pytest.mark.parametrize(
    ("err", "read", "write", "says"),
    [
        ("fatal: Authentication failed for 'https://github.com/a/b/'", Refused, Refused, "credentials"),
        ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", Refused, Refused, "credentials"),
        ("fatal: unable to access 'https://h/a/': The requested URL returned error: 403", Refused, Refused, "contents: "),
        (
            "remote: Permission to a/b.git denied to x[bot].\nfatal: unable to access 'h': The requested URL returned error: 403",
            Refused,
            Refused,
            "contents: ",
        ),
        (
            "remote: Write access to repository not granted.\nfatal: unable to access 'h': ... returned error: 403",
            Refused,
            Refused,
            "contents: ",
        ),
        ("remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found", Refused, Refused, "installed"),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 301", UserError, UserError, "renamed"),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", TransientError, TransientError, "reached"),
        (
            "fatal: unable to access 'https://h/': Failed to connect to h port 443: Connection refused",
            TransientError,
            TransientError,
            "reached",
        ),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 502", TransientError, OutcomeUnknown, "502"),
        (
            "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: the remote end hung up unexpectedly",
            TransientError,
            OutcomeUnknown,
            "broke",
        ),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 429", RateLimited, RateLimited, "pause"),
        ("fatal: unable to access 'https://h/': SSL certificate problem: self-signed certificate", UserError, UserError, "SSL_CERT_FILE"),
        ("fatal: transport 'ext' not allowed", UserError, UserError, "https"),
        ("fatal: write error: No space left on device", UserError, UserError, "disk"),
        ("something nobody has seen", TransientError, OutcomeUnknown, "failed"),
    ],
)
def test_remote_errors(err: str, read: type, write: type, says: str) -> None:
    for asked, family in ((READ, read), (WRITE, write)):
        error = remote_error(failed(err), asked)
        assert type(error) is family
        told = f"{error} {getattr(error, 'fix', '')}"
        assert says in told
        if isinstance(error, UserError):
            assert error.fix, "a refusal says how to mend it"


def test_a_killed_push_may_have_happened_and_a_killed_fetch_does_not_matter() -> None:
    assert type(remote_error(GitAnswer(status=-1, out=b"", err="", timed_out=True), WRITE)) is OutcomeUnknown
    assert type(remote_error(GitAnswer(status=-1, out=b"", err="", timed_out=True), READ)) is TransientError


@pytest.mark.parametrize(
    ("flag", "err", "family", "code"),
    [
        ("!\ta:refs/heads/x\t[rejected] (stale info)", "", Stale, ""),
        ("!\ta:refs/heads/x\t[rejected] (fetch first)", "", Stale, ""),
        ("!\ta:refs/heads/x\t[remote rejected] (failed to update ref)", "", Stale, ""),
        ("!\ta:refs/heads/x\t[remote rejected] (cannot lock ref 'refs/heads/x': is at b but expected a)", "", Stale, ""),
        ("!\ta:refs/heads/y\t[rejected] (atomic push failed)\n!\ta:refs/heads/x\t[rejected] (stale info)", "", Stale, ""),
        (
            "!\ta:refs/heads/main\t[remote rejected] (protected branch hook declined)",
            "remote: error: GH006: Protected branch update failed",
            Refused,
            "ProtectedBranch",
        ),
        (
            "!\ta:refs/heads/main\t[remote rejected] (push declined due to repository rule violations)",
            "remote: error: GH013: Repository rule violations",
            Refused,
            "ProtectedBranch",
        ),
        (
            "!\ta:refs/heads/main\t[remote rejected] (refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml` without `workflows` permission)",
            "",
            Refused,
            "WorkflowsPermission",
        ),
        (
            "!\ta:refs/heads/x\t[remote rejected] (unpacker error)",
            "error: remote unpack failed: unable to create temporary object directory",
            TransientError,
            "",
        ),
        ("!\ta:refs/heads/x\t[remote rejected] (shallow update not allowed)", "", Refused, "PushRejected"),
        ("", "fatal: the remote end hung up unexpectedly", OutcomeUnknown, ""),
    ],
)
def test_push_errors(flag: str, err: str, family: type, code: str) -> None:
    error = push_error(failed(err, out=f"To https://github.com/a/b\n{flag}\nDone"), WRITE)
    assert type(error) is family
    assert not code or error.code == code  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        ("fatal: Authentication failed for 'https://h'", Trouble.AUTH),
        ("error: object file ./objects/ab/cd is empty\nfatal: loose object abcd is corrupt", Trouble.CORRUPT),
        ("fatal: not a git repository: '/x/y.git'", Trouble.CORRUPT),
        ("fatal: Unable to create '/x/packed-refs.lock': File exists.", Trouble.CORRUPT),
        ("fatal: sha1 file write error: No space left on device", Trouble.DISK),
        ("fatal: unable to access 'https://h': Could not resolve host: h", Trouble.OTHER),
    ],
)
def test_trouble_that_calls_for_another_way(err: str, kind: Trouble) -> None:
    assert trouble(err) is kind


def test_the_sentence_is_what_the_server_said() -> None:
    assert sentence("To x\nremote: error: GH006: no\nerror: failed to push") == "GH006: no"
    assert sentence("warning: w\nfatal: f") == "f"
    assert sentence("") == "no reason given"
    assert len(sentence("fatal: " + "x" * 5000)) <= 300


def test_a_child_sees_only_what_it_needs() -> None:
    mine = {
        "PATH": "/bin",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "GITHUB_TOKEN": "ghp_x",
        "GIT_DIR": "/x",
        "GIT_SSH_COMMAND": "evil",
        "HTTPS_PROXY": "p",
    }
    env = environment({"https"}, url="https://github.com/", token="ghs_tokentoken", inherited=mine)
    assert {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "GIT_DIR", "GIT_SSH_COMMAND"}.isdisjoint(env)
    assert env["HTTPS_PROXY"] == "p"
    assert env["GIT_ALLOW_PROTOCOL"] == "https"
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    settings = {env[f"GIT_CONFIG_KEY_{n}"]: env[f"GIT_CONFIG_VALUE_{n}"] for n in range(int(env["GIT_CONFIG_COUNT"]))}
    assert settings["core.hooksPath"] == "/dev/null"
    assert settings["http.followRedirects"] == "false"
    assert settings["http.https://github.com/.extraHeader"].startswith("Authorization: Basic ")
    assert "extraHeader" not in str(environment(()))
