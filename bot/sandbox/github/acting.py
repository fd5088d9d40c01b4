"""People and CI at work on the forge, past HTTP: what they do is counted nowhere, what follows is the same as over the API."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.github import seeding
from bot.sandbox.github.access import Caller
from bot.sandbox.github.accounts import App
from bot.sandbox.github.service import checks, issues, merging, pulls, refs, reviews
from bot.sandbox.github.state import CheckRun, Comment, Pull, Review, Status
from bot.sandbox.github.views.people import installation_view
from bot.sandbox.github.world import Event, World, find_issue, find_pull

CI_APP = "ci"


class People:
    """Everybody but the caller of the API. Each method takes the repository's full name and the login that acts.

    Raises ApiError for what GitHub would refuse that person.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    def _as(self, login: str) -> Caller:
        return Caller(account=self.world.account(login))

    def push(
        self,
        repo: str,
        branch: str,
        files: Mapping[str, bytes | str | None],
        *,
        message: str,
        author: str,
        base: str | None = None,
        force: bool = False,
    ) -> str:
        """A commit on a branch as its author would push it, past branch protection; a branch that is not there starts at `base`
        (default branch). `force` puts the commit on `base` instead of on the branch. Returns its id."""
        with self.world.lock:
            return seeding.push_files(self.world, self.world.repository(repo), self._as(author), branch, files, message, base, force=force)

    def delete_branch(self, repo: str, branch: str, author: str) -> None:
        """Delete a branch as a person."""
        with self.world.lock:
            refs.delete_ref(self.world, self.world.repository(repo), self._as(author), f"refs/heads/{branch}")

    def open_pr(self, repo: str, *, title: str, head: str, base: str, author: str, body: str | None = None) -> Pull:
        """Open a pull request as a person."""
        with self.world.lock:
            return pulls.open_pull(self.world, self.world.repository(repo), self._as(author), title=title, head=head, base=base, body=body)

    def approve(self, repo: str, number: int, login: str, *, state: str = "APPROVED", body: str = "") -> Review:
        """Submit a review: APPROVED, CHANGES_REQUESTED or COMMENTED."""
        event = {"APPROVED": "APPROVE", "CHANGES_REQUESTED": "REQUEST_CHANGES", "COMMENTED": "COMMENT"}[state]
        with self.world.lock:
            repository = self.world.repository(repo)
            words = body or ("Please change this." if event == "REQUEST_CHANGES" else "")
            return reviews.submit_review(self.world, repository, self._as(login), find_pull(repository, number), event=event, body=words)

    def comment(self, repo: str, number: int, login: str, body: str, *, via_app: str | None = None) -> Comment:
        """Comment as a person; `via_app` is the slug of an App that did it with the person's token."""
        with self.world.lock:
            repository = self.world.repository(repo)
            issue, app = find_issue(repository, number), self._app(via_app)
            return issues.create_comment(self.world, repository, self._as(login), issue, body, via=app)

    def _app(self, slug: str | None) -> App | None:
        return next((app for app in self.world.apps.values() if app.slug == slug), None)

    def edit_comment(self, repo: str, comment_id: int, login: str, body: str) -> None:
        """Edit any comment as a person."""
        with self.world.lock:
            repository = self.world.repository(repo)
            issue, comment = issues.find_comment(repository, comment_id)
            issues.edit_comment(self.world, repository, self._as(login), issue, comment, body)

    def label(self, repo: str, number: int, login: str, name: str, *, remove: bool = False) -> None:
        """Put a label on, or take it off, as a person."""
        with self.world.lock:
            repository, caller = self.world.repository(repo), self._as(login)
            issue = find_issue(repository, number)
            if remove:
                issues.remove_label(self.world, repository, caller, issue, name)
            else:
                found = issues.label_named(self.world, repository, caller, name)
                issues.add_labels(self.world, repository, caller, issue, [found])

    def close_pr(self, repo: str, number: int, login: str) -> None:
        """Close as a person."""
        with self.world.lock:
            repository = self.world.repository(repo)
            pulls.edit_pull(self.world, repository, self._as(login), find_pull(repository, number), {"state": "closed"})

    def reopen_pr(self, repo: str, number: int, login: str) -> None:
        """Reopen as a person."""
        with self.world.lock:
            repository = self.world.repository(repo)
            pulls.edit_pull(self.world, repository, self._as(login), find_pull(repository, number), {"state": "open"})

    def merge_pr(self, repo: str, number: int, login: str, *, method: str = "merge") -> str:
        """Press the merge button as a person; the new head of the base branch."""
        with self.world.lock:
            repository = self.world.repository(repo)
            return merging.merge_pull(self.world, repository, self._as(login), find_pull(repository, number), method=method)

    def set_status(
        self, repo: str, sha: str, context: str, state: str, *, login: str = "ci-user", description: str | None = None
    ) -> Status:
        """Report a commit status as CI."""
        with self.world.lock:
            repository = self.world.repository(repo)
            return checks.create_status(self.world, repository, self._as(login), sha, state=state, context=context, description=description)

    def set_check(
        self, repo: str, sha: str, name: str, conclusion: str | None, *, app: str = CI_APP, actions: Sequence[Mapping[str, str]] = ()
    ) -> CheckRun:
        """Report a check run as a CI App; `conclusion` None leaves it in progress, `actions` are its buttons."""
        with self.world.lock:
            repository = self.world.repository(repo)
            owner = next((found for found in self.world.apps.values() if found.slug == app), None)
            if owner is None:
                owner, _ = seeding.register_app(self.world, app, "acme", {"checks": "write"}, ())
                owner.has_hook = False
            fields: dict[str, Any] = {"name": name, "head_sha": sha, "actions": [dict(action) for action in actions]} | (
                {"status": "in_progress"} if conclusion is None else {"conclusion": conclusion, "status": "completed"}
            )
            return checks.create_check_run(self.world, repository, Caller(account=owner.bot), owner, fields)

    def press_button(self, repo: str, check_run_id: int, login: str, identifier: str) -> None:
        """Press a button of a check run (`check_run.requested_action`), or ask for it again with `rerequested`.

        LookupError for a button that the check run does not show.
        """
        with self.world.lock:
            repository = self.world.repository(repo)
            run = repository.check_runs[check_run_id]
            if identifier not in {"rerequested", *(action["identifier"] for action in run.actions)}:
                raise LookupError(f"check run {check_run_id} shows no button {identifier!r}")
            details: dict[str, Any] = {"run": run}
            action = "rerequested" if identifier == "rerequested" else "requested_action"
            if action == "requested_action":
                details["requested_action"] = {"identifier": identifier}
            self.world.emit(
                Event(name="check_run", action=action, repository=repository, sender=self.world.account(login), details=details)
            )

    def suspend_app(self, slug: str, login: str, *, suspended: bool = True) -> None:
        """An organisation's owner suspends the App's installations, or lets them work again."""
        with self.world.lock:
            for installation in self.world.installations.values():
                if installation.app.slug == slug:
                    installation.suspended_at = self.world.now() if suspended else None
                    found = {"installation": installation_view(self.world, installation)}
                    action = "suspend" if suspended else "unsuspend"
                    self.world.emit(
                        Event(name="installation", action=action, repository=None, sender=self.world.account(login), details=found)
                    )

    def rename_repo(self, repo: str, full_name: str) -> None:
        """Rename or transfer a repository."""
        with self.world.lock:
            self.world.rename(self.world.repository(repo), full_name)

    def emit(self, name: str, action: str | None, repo: str | None, login: str, details: Mapping[str, Any]) -> None:
        """Send an event that nothing here causes by itself, such as `check_run.requested_action` or `installation.suspend`."""
        with self.world.lock:
            repository = self.world.repository(repo) if repo else None
            self.world.emit(Event(name=name, action=action, repository=repository, sender=self.world.account(login), details=dict(details)))
