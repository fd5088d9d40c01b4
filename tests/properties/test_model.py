"""The whole bot on a forge and clusters of the sandbox, under whatever people, networks, clocks and crashes do to it.

Each rule is something that happens; after each the invariants of docs/architecture.md must hold, read from the repositories and the
database without the bot. At the end all events are lost, all faults over, and looking again must bring everything to rest.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from bot.adapters.store import audit
from bot.domain.directive import Order
from bot.domain.promotion import PromotionState
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.history import Commit
from tests.support.model_world import (
    APPROVER,
    DEVELOPER,
    HOOK_SECRET,
    SERVICES,
    SOAK,
    STAGES,
    STEP,
    STRANGER,
    ModelWorld,
    manifest,
    path_of,
)

MOVED = re.compile(r"^(promote|revert)\((?P<stage>\w+)\): (?P<service>\w+) (?P<old>\S+) -> (?P<new>\S+)")
AFTER = STAGES[1:]
FAULTS = (
    "status:502",
    "applied_then_500",
    "applied_then_reset",
    "reset",
    "truncate",
    "html200",
    "secondary_limit:1",
    "delay:0.2",
    "stale_read",
)
ROUTES = (
    ("PUT", "/repos/*/*/pulls/*/merge"),
    ("POST", "/repos/*/*/pulls"),
    ("PATCH", "/repos/*/*/pulls/*"),
    ("POST", "/repos/*/*/issues/*/labels"),
    ("POST", "/repos/*/*/check-runs"),
    ("GRAPHQL", "*"),
    ("GIT", "git-upload-pack"),
    ("GIT", "git-receive-pack"),
)
SAYINGS = (
    "/promote hold --reason x",
    "/promote unhold",
    "/promote freeze {stage} --until 2h --reason x",
    "/promote unfreeze {stage}",
    "/promote approve",
    "/promote merge",
    "/promote rebase",
    "/promote cancel",
    "/promote nonsense",
    "no command at all",
)
STOPS = ("/promote hold --reason x", "/promote freeze {stage} --until 2h --reason x")
ROUNDS = 60

stages, services = st.sampled_from(STAGES), st.sampled_from(SERVICES)
targets = st.sampled_from(AFTER)

steps_done = 0
"""How many rules were carried out in this process."""
happened: Counter[str] = Counter()
"""What came about in all lives, so that one can see that the invariants were put to the test."""


class Model(RuleBasedStateMachine):
    """One life of a world."""

    def __init__(self) -> None:
        super().__init__()
        self.newest = dict.fromkeys(SERVICES, 0)
        self.seen: dict[str, str | None] = {}
        self.ran: dict[str, set[tuple[str, str]]] = {stage: set() for stage in STAGES}
        self.failed: set[tuple[str, str, str]] = set()
        self.touched: set[tuple[str, str]] = set()
        self.bad: set[tuple[str, str]] = set()
        self.sick: set[tuple[str, str, str]] = set()
        self.held: set[str] = set()
        self.since: dict[tuple[str, str, str], datetime] = {}
        self.steps = 0

    @initialize(app=st.booleans())
    def settle_in(self, app: bool) -> None:
        self.world = ModelWorld(app=app)
        self.seen = {stage: self.world.github.head(self.world.repository(stage)) for stage in STAGES}
        for _ in range(8):
            self._tick(STEP)
        for service in SERVICES:
            self.developer_pushes(service)

    # what people do -----------------------------------------------------------------------------

    @rule(service=services)
    def developer_pushes(self, service: str) -> None:
        self.newest[service] += 1
        self._push("dev", service, f"1.{self.newest[service]}.0")

    @rule(service=services, stage=targets, how=st.sampled_from(["crash", "pull", "hang"]))
    def next_version_will_fail(self, service: str, stage: str, how: str) -> None:
        version = f"1.{self.newest[service] + 1}.0"
        self.bad.add((service, version))
        self.world.clusters[stage].behave(f"ghcr.io/acme/{service}", version, how)

    @rule(stage=stages)
    def base_moves(self, stage: str) -> None:
        files = {"README.md": f"{stage} {self.world.github.head(self.world.repository(stage))}"}
        self.world.github.push(self.world.repository(stage), "main", files, message="words", author=DEVELOPER)

    @rule(stage=targets, service=services)
    def somebody_takes_a_version_back(self, stage: str, service: str) -> None:
        """By hand, in the middle of everything."""
        self.touched.add((stage, service))
        self._push(stage, service, "1.0.0")

    @rule(stage=targets, data=st.data())
    def somebody_pushes_to_a_promotion(self, stage: str, data: st.DataObject) -> None:
        for pull in self._one(stage, data):
            files = {"README.md": "evil"}
            self.world.github.push(self.world.repository(stage), pull.head_ref, files, message="evil", author=DEVELOPER)
            self._touch(stage, pull.title)

    @rule(stage=targets, version=st.sampled_from(["", "9.9.9"]), data=st.data())
    def somebody_force_pushes(self, stage: str, version: str, data: st.DataObject) -> None:
        """Another commit in the place of the promotion's: of another version, or of something else altogether."""
        for pull in self._one(stage, data):
            service = next(name for name in SERVICES if name in pull.title)
            files = {path_of(service): manifest(service, version)} if version else {"README.md": "forced"}
            self.world.github.push(self.world.repository(stage), pull.head_ref, files, message="forced", author=DEVELOPER, force=True)
            self._touch(stage, pull.title)

    @rule(stage=targets, order=st.sampled_from(STOPS), data=st.data())
    def somebody_stops_a_stage(self, stage: str, order: str, data: st.DataObject) -> None:
        """One who may; and then nobody interferes for a while."""
        for pull in self._one(stage, data):
            self.held.add(stage)
            self.world.github.comment(self.world.repository(stage), pull.number, APPROVER, order.format(stage=stage))
            self._go_on(4)

    @rule(data=st.data())
    def approver_approves(self, data: st.DataObject) -> None:
        for pull in self._one("prod", data):
            self.world.github.approve(self.world.repository("prod"), pull.number, APPROVER)

    @rule(stage=targets, data=st.data())
    def somebody_closes(self, stage: str, data: st.DataObject) -> None:
        for pull in self._one(stage, data):
            self._touch(stage, pull.title)
            self.world.github.close_pr(self.world.repository(stage), pull.number, DEVELOPER)

    @rule(stage=targets, data=st.data())
    def somebody_merges(self, stage: str, data: st.DataObject) -> None:
        for pull in self._one(stage, data):
            self._touch(stage, pull.title)
            try:
                self.world.github.merge_pr(self.world.repository(stage), pull.number, DEVELOPER, method="squash")
            except ApiError:
                return

    @rule(stage=targets, who=st.sampled_from([APPROVER, DEVELOPER, STRANGER]), text=st.sampled_from(SAYINGS), data=st.data())
    def somebody_says(self, stage: str, who: str, text: str, data: st.DataObject) -> None:
        for pull in self._one(stage, data):
            self._touch(stage, pull.title)
            if "hold" in text or "freeze" in text:
                self.held.add(stage)
            self.world.github.comment(self.world.repository(stage), pull.number, who, text.format(stage=stage))

    # what the world does ------------------------------------------------------------------------

    @rule(service=services, stage=stages, how=st.sampled_from(["crash", "ok"]))
    def health_flips(self, service: str, stage: str, how: str) -> None:
        """What runs there begins to crash, or gets well. While it crashes the gate `health` lets nothing newer in."""
        if version := self.world.declares(stage, service):
            self.bad.add((service, version))
            (self.sick.add if how == "crash" else self.sick.discard)((stage, service, version))
            self.world.clusters[stage].behave(f"ghcr.io/acme/{service}", version, how)

    @rule(span=st.sampled_from([STEP, STEP * 4, timedelta(minutes=3), timedelta(hours=2)]))
    def time_goes_by(self, span: timedelta) -> None:
        self._tick(span)

    @rule(seconds=st.integers(min_value=-600, max_value=600))
    def the_bots_clock_jumps(self, seconds: int) -> None:
        self.world.clock.skew = timedelta(seconds=seconds)

    @rule(kind=st.sampled_from(["lose", "duplicate", "fail"]), times=st.integers(min_value=1, max_value=4))
    def events_suffer(self, kind: str, times: int) -> None:
        self.world.github.deliveries.tamper(kind, times)

    @rule(newest_first=st.booleans())
    def events_come_late(self, newest_first: bool) -> None:
        self.world.github.deliveries.hold()
        self._push("dev", "web", self.world.declares("dev", "web"), note="again")
        self.world.github.deliveries.release(newest_first=newest_first)

    @rule(route=st.sampled_from(ROUTES), kind=st.sampled_from(FAULTS), at=st.integers(min_value=1, max_value=3))
    def the_forge_fails(self, route: tuple[str, str], kind: str, at: int) -> None:
        self.world.github.faults.add(*route, kind=kind, at=at)

    @rule(stage=stages, on=st.booleans())
    def a_cluster_cannot_be_reached(self, stage: str, on: bool) -> None:
        self.world.cut(stage, on=on)

    # the bot ------------------------------------------------------------------------------------

    @rule(stage=stages, replica=st.integers(min_value=0, max_value=1), times=st.integers(min_value=1, max_value=3))
    def the_bot_looks(self, stage: str, replica: int, times: int) -> None:
        for _ in range(times):
            self._look(stage, replica)

    @rule(rounds=st.integers(min_value=2, max_value=6))
    def everything_goes_on(self, rounds: int) -> None:
        """Some minutes in which nobody interferes, so that promotions get somewhere."""
        self._go_on(rounds)

    @rule(service=services)
    def a_version_goes_all_the_way(self, service: str) -> None:
        """What dev has is let into prod by who may, unless something stands in its way."""
        self.developer_pushes(service)
        for _ in range(3):
            self._go_on(4)
            for pull in self.world.github.pulls(self.world.repository("prod")):
                if pull.state == "open":
                    self.world.github.approve(self.world.repository("prod"), pull.number, APPROVER)

    @rule()
    def the_bot_does_what_is_wanted(self) -> None:
        self.world.github.deliveries.wait_idle(2)
        wanted, self.world.wanted.stages = self.world.wanted.stages, []
        for stage in wanted[:6]:
            self._look(stage, 0)

    @rule(after=st.integers(min_value=1, max_value=8))
    def the_bot_dies(self, after: int) -> None:
        """As soon as it has come by so many of the places where it can."""
        self.developer_pushes(SERVICES[after % 2])
        self.world.points.left = after
        self._go_on(4)
        self.world.points.left = 0

    @rule(replicas=st.sampled_from([1, 2]))
    @precondition(lambda self: self.steps % 3 == 0)
    def the_bot_is_started_anew(self, replicas: int) -> None:
        self.world.start(replicas)

    # how it is carried out ----------------------------------------------------------------------

    def _go_on(self, rounds: int) -> None:
        for _ in range(rounds):
            self._tick(timedelta(minutes=1))
            for stage in STAGES:
                self._look(stage, 0)

    def _push(self, stage: str, service: str, version: str, *, note: str = "") -> None:
        content = manifest(service, version)
        repository = self.world.repository(stage)
        self.world.github.push(
            repository, "main", {path_of(service): content}, message=f"{service} {version} by hand {note}", author=DEVELOPER
        )

    def _one(self, stage: str, data: st.DataObject) -> Iterable[Any]:
        found = [pull for pull in self.world.github.pulls(self.world.repository(stage)) if pull.state == "open"]
        return [data.draw(st.sampled_from(found))] if found else []

    def _touch(self, stage: str, title: str) -> None:
        self.touched |= {(stage, service) for service in SERVICES if service in title}

    def _tick(self, span: timedelta) -> None:
        before = self.world.clock.true()
        self.world.advance(span)
        for stage in STAGES:
            self.ran[stage] |= set(self.world.healthy(stage))
            for service, version in self.world.healthy(stage):
                self.since.setdefault((stage, service, version), before)

    def _look(self, stage: str, replica: int) -> None:
        self._check_commits({})
        before = {name: self._stopped(name) for name in STAGES}
        if not self.world.look(stage, replica=replica):
            happened["deaths"] += 1
        self._check_commits(before)

    def _stopped(self, stage: str) -> set[str]:
        """The services that a hold or freeze which the bot has taken keeps out of this stage now. A hold that was said on a pull request
        keeps out what that one brings."""
        now, stopped = self.world.bot.parts.clock(), set[str]()
        titles = {pull.number: pull.title for pull in self.world.github.pulls(self.world.repository(stage))}
        for order in self.world.bot.parts.history.directives(stage):
            if order.active(now) and order.order in (Order.HOLD, Order.FREEZE):
                about = titles[order.number] if order.order is Order.HOLD and order.number is not None else order.service
                stopped |= {service for service in SERVICES if not about or service in about}
                happened[f"looks at a stage under {order.order.value}"] += 1
        return stopped

    # the invariants -----------------------------------------------------------------------------

    def _check_commits(self, held: dict[str, set[str]]) -> None:
        """Every commit that is new on a stage's branch."""
        for stage in STAGES:
            repository = self.world.repository(stage)
            for commit in reversed(_until(self.world.github.log(repository), self.seen[stage])):
                moved = MOVED.match(commit.message)
                if moved is not None and len(commit.parents) == 1:
                    happened[f"{moved[1]}s into {stage}"] += 1
                    self._only_the_version_changed(stage, commit, moved)
                    if commit.message.startswith("promote"):
                        self._was_allowed(stage, commit, moved, held)
                    else:
                        self.failed.add((stage, moved["service"], moved["old"]))
            self.seen[stage] = self.world.github.head(repository)

    def _only_the_version_changed(self, stage: str, commit: Commit, moved: re.Match[str]) -> None:
        """Invariants 6 and 7: nothing but this version, and a revert restores what was replaced."""
        repository = self.world.repository(stage)
        if self._merged_by(stage, commit) == DEVELOPER:
            return
        for service in SERVICES:
            before, after = (self.world.declares(stage, service, ref) for ref in (commit.parents[0], commit.sha))
            expected = (moved["old"], moved["new"]) if service == moved["service"] else (before, before)
            assert (before, after) == expected, f"{stage}: {commit.message.splitlines()[0]} changed {service} from {before} to {after}"
        words = [self.world.github.read_file(repository, ref, "README.md") for ref in (commit.parents[0], commit.sha)]
        assert words[0] == words[1], "a promotion brought a change that is none of its own"

    def _was_allowed(self, stage: str, commit: Commit, moved: re.Match[str], held: dict[str, set[str]]) -> None:
        """Invariants 1, 3, 4 and 5 for what the bot merged."""
        if self._merged_by(stage, commit) != self.world.bot_login:
            return
        service, new = moved["service"], moved["new"]
        upstream = STAGES[STAGES.index(stage) - 1]
        assert (service, new) in self.ran[upstream], f"{service} {new} entered {stage}, but never ran healthily in {upstream}"
        soaked = self.world.clock.true() - self.since[upstream, service, new]
        assert soaked >= SOAK, f"{service} {new} entered {stage} after {soaked} of health in {upstream}"
        assert service not in held.get(stage, ()), f"{service} {new} entered {stage}, which is held or frozen"
        self._had_passed(stage, commit)
        for before in STAGES[: STAGES.index(stage) + 1]:
            assert (before, service, new) not in self.failed, f"{service} {new} failed in {before}, and entered {stage}"
        if stage == "prod":
            pull = self._pull_of(stage, commit)
            said = {review.author.login for review in pull.reviews if review.state == "APPROVED" and review.commit_id == pull.head_sha}
            ordered = any(comment.author.login == APPROVER and "approve" in comment.body for comment in pull.comments)
            assert APPROVER in said or ordered, f"{service} {new} entered prod without an approval"

    def _had_passed(self, stage: str, commit: Commit) -> None:
        """The bot meant exactly this head, and every verdict that it gave last let it pass."""
        pull = self._pull_of(stage, commit)
        history = self.world.bot.parts.history
        meant = [row for row in history.promotions(stage) if row.number == pull.number and row.head == pull.head_sha]
        assert meant, f"#{pull.number} in {stage} was merged at {pull.head_sha}, which no promotion of the bot's had"
        verdicts = history.verdicts(meant[-1].id)
        assert verdicts, f"#{pull.number} in {stage} was merged, and no gate was asked"
        assert all(verdict.lets_pass for verdict in verdicts), f"#{pull.number} in {stage} was merged past {verdicts}"

    def _pull_of(self, stage: str, commit: Commit) -> Any:
        return next(pull for pull in self.world.github.pulls(self.world.repository(stage)) if pull.merge_sha == commit.sha)

    def _merged_by(self, stage: str, commit: Commit) -> str:
        pulls = self.world.github.pulls(self.world.repository(stage))
        return next((pull.merged_by.login for pull in pulls if pull.merge_sha == commit.sha and pull.merged_by), "")

    @invariant()
    def counted(self) -> None:
        global steps_done
        steps_done += 1
        self.steps += 1
        self._check_commits({})

    @invariant()
    def one_promotion_one_comment_one_check(self) -> None:
        """Invariant 2."""
        for stage in AFTER:
            runs = self.world.github.repository(self.world.repository(stage)).check_runs.values()
            checks = Counter((run.head_sha, run.name) for run in runs)
            happened["checks"] = max(happened["checks"], len(checks))
            assert all(count == 1 for count in checks.values()), f"a commit in {stage} has a check twice: {checks}"
            pulls = [pull for pull in self.world.github.pulls(self.world.repository(stage)) if pull.author.login == self.world.bot_login]
            open_now = [pull.head_ref for pull in pulls if pull.state == "open"]
            assert len(open_now) == len(set(open_now)), f"two open promotions of one service in {stage}: {open_now}"
            for pull in pulls:
                faces = [one for one in pull.comments if one.author.login == self.world.bot_login and one.body.lstrip().startswith("###")]
                assert len(faces) <= 1, f"#{pull.number} in {stage} has {len(faces)} status comments"
            rows = [row for row in self.world.bot.parts.history.promotions(stage) if row.state is PromotionState.OPEN]
            assert len({row.name for row in rows}) == len(rows), f"two open rows of one service in {stage}"

    @invariant()
    def everything_is_told(self) -> None:
        """Invariant 10: each state that stands has its row in the audit log, with who and why, and the log is whole."""
        database = self.world.bot.parts.database
        entries = audit.entries(database, limit=10_000)
        told = {(entry.details.get("promotion"), entry.action) for entry in entries if entry.actor and entry.why}
        for stage in AFTER:
            for row in self.world.bot.parts.history.promotions(stage):
                assert (row.id, f"promotion {row.state.value}") in told, f"{row.id} is {row.state}, and nobody said why"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self._comes_to_rest()
            self._tells_no_secret()
        finally:
            self.world.close()

    def _comes_to_rest(self) -> None:
        """Invariants 8, 9 and 11: with no event at all, looking again arrives; and a bot without memory changes nothing after that."""
        world = self.world
        world.github.faults.clear()
        world.github.set_webhook(None, None)
        world.clock.skew = timedelta()
        for stage in STAGES:
            world.cut(stage, on=False)
        world.start()
        quiet = 0
        for _ in range(ROUNDS):
            before = self._state()
            self._tick(timedelta(minutes=6))
            for stage in STAGES:
                self._look(stage, 0)
                self._look(stage, 0)
            quiet = quiet + 1 if self._state() == before else 0
            if quiet >= 4:
                break
        assert quiet >= 4, "it never comes to rest"
        for service in SERVICES:
            version = world.declares("dev", service)
            plain = ("qa", service) not in self.touched and (service, version) not in self.bad and "qa" not in self.held
            sick = ("qa", service, world.declares("qa", service)) in self.sick
            if plain and not sick and (service, version) in self.ran["dev"]:
                happened["arrivals looked for"] += version != "1.0.0"
                assert world.declares("qa", service) == version, f"{service} {version} of dev never arrived in qa: {self._why()}"
        assert audit.verify(world.bot.parts.database).broken_at is None

    def _why(self) -> str:
        return "; ".join(report.sentence for report in self.world.bot.parts.plan("qa").reports)

    def _state(self) -> object:
        world = self.world
        heads = [
            tuple((name, world.github.head(world.repository(stage), name)) for name in world.github.list_branches(world.repository(stage)))
            for stage in STAGES
        ]
        pulls = [(pull.number, pull.state, len(pull.comments)) for stage in STAGES for pull in world.github.pulls(world.repository(stage))]
        rows = [(row.id, row.state) for stage in STAGES for row in world.bot.parts.history.promotions(stage)]
        return heads, pulls, rows

    def _tells_no_secret(self) -> None:
        """Invariant 12."""
        database = b"".join(path.read_bytes() for path in self.world.settings.state_dir.glob("promotion-bot.db*"))
        said = "".join(
            comment.body for stage in STAGES for pull in self.world.github.pulls(self.world.repository(stage)) for comment in pull.comments
        )
        for secret in (self.world.secret, HOOK_SECRET):
            assert secret.encode() not in database
            assert secret not in said


def _until(log: list[Commit], sha: str | None) -> list[Commit]:
    found = []
    for commit in log:
        if commit.sha == sha:
            break
        found.append(commit)
    return found


SHORT = settings(
    max_examples=3,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


def test_the_invariants_hold() -> None:
    run_state_machine_as_test(Model, settings=SHORT)
