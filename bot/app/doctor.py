"""Looks at everything that `serve` will need, before or beside it: settings, git, database, forge, repositories, clusters, clocks.

Decides what is looked at and how bad a finding is; it writes nothing but the bot's own clones: a database that another program may
be serving is read and never brought up to date here. Each look stands alone: one that fails hides none of the others.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from pydantic import SecretStr

from bot.adapters.github.auth import AppInstallation
from bot.adapters.github.skew import skew
from bot.adapters.kubernetes.reviews import missing
from bot.adapters.store import migrate
from bot.adapters.store.database import Database
from bot.app.parts import Parts, build
from bot.config.schema import Config
from bot.domain.errors import BotError, TransientError, UserError
from bot.planning.authorise import teams_asked
from bot.settings import Settings, strays

OLDEST_GIT = (2, 39)
MOST_SKEW = timedelta(seconds=60)
APP_NEEDS = {"contents": "write", "pull_requests": "write", "checks": "write", "issues": "write", "metadata": "read"}
STRENGTH = {"": 0, "read": 1, "write": 2, "admin": 3}


class Grade(StrEnum):
    """How it stands. Only `failed` keeps the bot from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One look: at what, how it stands, why, and how to mend it."""

    subject: str
    grade: Grade
    sentence: str
    fix: str = ""


def examine(config: Config, settings: Settings, *, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """All findings, as they come."""
    yield from (Finding(subject="settings", grade=Grade.WARNING, sentence=sentence) for sentence in strays(os.environ))
    yield _looked("webhook secret", lambda: _webhook_secret(settings))
    yield _looked("git", _git)
    yield _looked("database", lambda: _database(settings))
    with TemporaryDirectory() as scratch:
        beside = settings.model_copy(update={"database_url": SecretStr(f"sqlite:///{scratch}/doctor.db")})
        try:
            parts = build(config, beside, clock=clock)
        except (UserError, TransientError) as error:
            yield _failed("start", error)
            return
        try:
            yield from _outside(parts)
        finally:
            parts.close()


def _outside(parts: Parts) -> Iterator[Finding]:
    yield _looked("forge", lambda: _forge(parts))
    yield _looked("clock", lambda: _clock(parts))
    for stage in parts.config.pipeline.stages:
        yield _looked(f"repository of {stage.name}", partial(_repository, parts, stage.repository, stage.branch))
    for stage in parts.config.pipeline.stages:
        yield _looked(f"cluster of {stage.name}", partial(_cluster, parts, stage.name))


Found = tuple[Grade, str, str]


def _looked(subject: str, look: Callable[[], Found]) -> Finding:
    try:
        grade, sentence, fix = look()
    except BotError as error:
        return _failed(subject, error)
    return Finding(subject=subject, grade=grade, sentence=sentence, fix=fix)


def _failed(subject: str, error: BotError) -> Finding:
    if isinstance(error, UserError):
        return Finding(subject=subject, grade=Grade.FAILED, sentence=str(error), fix=error.fix)
    return Finding(subject=subject, grade=Grade.FAILED, sentence=str(error), fix="Try again when it answers.")


def _webhook_secret(settings: Settings) -> Found:
    if settings.github_webhook_secrets:
        return Grade.OK, f"{len(settings.github_webhook_secrets)} given", ""
    fix = "Set PROMOTION_BOT_GITHUB_WEBHOOK_SECRETS_FILE to a file with the secret that GitHub signs with."
    return Grade.FAILED, "None is given; `serve` takes no unsigned webhooks and refuses to start.", fix


def _git() -> Found:
    try:
        told = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return Grade.FAILED, "git cannot be run.", "Install git 2.39 or newer."
    found = re.search(r"(\d+)\.(\d+)", told)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        return Grade.FAILED, f"{told or 'git'} is too old.", "Install git 2.39 or newer."
    return Grade.OK, told, ""


def _database(settings: Settings) -> Found:
    url = settings.database
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return Grade.OK, "There is none yet; the first start makes it.", ""
    database = Database(url)
    try:
        database.check()
        broken = _broken(database)
        if broken:
            fix = "Stop the bot and put a backup in its place, or remove the file: all but approvals is rebuilt from git and GitHub."
            return Grade.FAILED, f"The file is damaged: {broken}", fix
        state = "is up to date" if migrate.known(database) == migrate.head() else "is brought up to date at the next start"
        return Grade.OK, f"The schema {state}.", ""
    finally:
        database.close()


def _broken(database: Database) -> str:
    """What SQLite finds wrong with its file; empty on PostgreSQL, which checks its pages itself."""
    if not database.is_sqlite:
        return ""
    with database.read() as session:
        told = session.connection().execute(sa.text("PRAGMA quick_check(1)")).scalar_one()
    return "" if told == "ok" else str(told)


def _forge(parts: Parts) -> Found:
    login = parts.forge.identity()
    credentials = parts.forge.credentials
    if not isinstance(credentials, AppInstallation):
        fix = "Use a GitHub App: its commits, checks and limits are its own."
        return Grade.WARNING, f"We write as {login}, with a token: commit statuses instead of check runs.", fix
    granted = credentials.granted()
    asked_for = any(teams_asked(parts.config, stage) for stage in parts.config.order())
    needs = APP_NEEDS | ({"members": "read"} if asked_for else {})
    lacking = [f"{name}: {level}" for name, level in needs.items() if STRENGTH.get(granted.get(name, ""), 0) < STRENGTH[level]]
    if lacking:
        fix = "Give them in the App's settings, then accept the change in the installation."
        return Grade.FAILED, f"We write as {login}; the App lacks {', '.join(lacking)}.", fix
    return Grade.OK, f"We write as {login}; the App has every permission that is needed.", ""


def _clock(parts: Parts) -> Found:
    found = skew(parts.config.forge.api_url, parts.clock)
    if found is None:
        return Grade.WARNING, "The forge does not tell the time; the clocks cannot be compared.", ""
    seconds = round(abs(found.total_seconds()))
    if abs(found) > MOST_SKEW:
        fix = "Set this machine's clock (NTP): tokens are refused and soak times are wrong otherwise."
        return Grade.FAILED, f"This machine's clock is {seconds} s {'ahead of' if found > timedelta(0) else 'behind'} the forge's.", fix
    return Grade.OK, f"This machine's clock and the forge's differ by {seconds} s.", ""


def _repository(parts: Parts, repository: str, branch: str) -> Found:
    heads = parts.repositories.refresh(repository)
    if branch not in heads:
        return Grade.FAILED, f"{repository} has no branch {branch}.", "Push it, or correct the stage's `branch`."
    if not parts.forge.may_push(repository):
        return Grade.FAILED, f"We may read {repository}, not write to it.", "Give the account or the App write access to its contents."
    return Grade.OK, f"{repository}@{branch} is at {heads[branch][:9]}; we may write to it.", ""


def _cluster(parts: Parts, stage: str) -> Found:
    cluster = parts.config.stage(stage).cluster
    if cluster is None:
        return Grade.WARNING, "None is configured: its rollouts are not seen.", "Name one under `cluster`, unless that is meant."
    lacking, secrets = missing(cluster)
    if lacking:
        return Grade.FAILED, f"Our account may not {', not '.join(lacking)}.", "Give it a (Cluster)Role with these rules."
    if secrets:
        return Grade.WARNING, "Our account can read secrets, which the bot never needs.", "Take that rule away from it."
    return Grade.OK, "Everything that is watched may be read.", ""
