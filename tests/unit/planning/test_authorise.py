"""One function says who may. Every verb, role and kind of account; what is not allowed is denied."""

from dataclasses import replace
from typing import Any

import pytest

from bot.commands.model import Role
from bot.commands.shelf import verbs
from bot.domain.people import Person
from bot.planning.authorise import PERMISSIONS, Permit, Rights, Target, authorize, logins_named, role_in, teams_asked
from tests.support.builders import config

ANA = Person(id=2, login="ana")
ROBO = Person(id=90, login="robo[bot]", bot=True)
QA = Target(stages=("qa",))
PLAIN = config()
RANK = {"none": None, "read": Role.VIEWER, "triage": Role.VIEWER, "write": Role.OPERATOR, "maintain": Role.APPROVER, "admin": Role.ADMIN}


def may(actor: Person = ANA, *, verb: str = "approve", target: Target = QA, of: Any = PLAIN, **rights: Any) -> Permit:
    known = Rights(**{"permission": "read", **rights})
    return authorize(of, actor, verbs()[verb].spec, target, dict.fromkeys(target.stages, known))


@pytest.mark.parametrize("permission", RANK)
@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_with_every_permission(verb: str, permission: str) -> None:
    role, needed = RANK[permission], verbs()[verb].spec.role
    assert may(verb=verb, permission=permission).allowed is (role is not None and role.rank >= needed.rank)


def test_unknown_verbs_accounts_stages_and_answers_are_denied() -> None:
    admin = {"qa": Rights(permission="admin")}
    assert not authorize(PLAIN, ANA, None, QA, admin).allowed
    assert not authorize(PLAIN, replace(ANA, id=0), verbs()["help"].spec, QA, admin).allowed
    assert not authorize(PLAIN, ANA, verbs()["help"].spec, Target(stages=("qa", "dev")), admin).allowed
    assert not authorize(PLAIN, ANA, verbs()["help"].spec, Target(stages=()), {}).allowed
    broken = may(permission="admin", problem="GitHub is away")
    assert (broken.allowed, broken.problem) == (False, "GitHub is away")
    assert not may(permission="owner").allowed
    assert not may(permission="", verb="help").allowed


def test_the_role_is_needed_in_every_stage_that_is_touched() -> None:
    both = Target(stages=("dev", "qa"))
    rights = {"dev": Rights(permission="admin"), "qa": Rights(permission="read")}
    denied = authorize(PLAIN, ANA, verbs()["freeze"].spec, both, rights)
    assert (denied.allowed, denied.stage, denied.has, denied.needs) == (False, "qa", Role.VIEWER, Role.RELEASE)


def test_roles_by_team_id_and_login() -> None:
    led = config(people={"roles": {"approver": {"teams": ["acme/leads"], "users": [7, "bo"]}}})
    assert may(of=led, teams=frozenset({"acme/leads"})).allowed
    assert may(of=led, teams=frozenset({"ACME/Leads"})).allowed
    assert not may(of=led, teams=frozenset({"acme/others"})).allowed
    assert not may(of=led, permission="maintain").allowed
    assert may(replace(ANA, id=7), of=led).allowed
    assert may(Person(id=5, login="Bo"), of=led, accounts={"bo": 5}).allowed
    denied = may(of=led)
    assert (denied.source, denied.who) == ("people.roles.approver", ("team acme/leads", "@7", "@bo"))


def test_b23_a_login_counts_only_as_the_account_that_it_first_was() -> None:
    led = config(people={"roles": {"approver": {"users": ["bo"]}}})
    assert not may(Person(id=6, login="bo"), of=led, accounts={"bo": 5}).allowed
    assert not may(Person(id=5, login="bo"), of=led, accounts={}).allowed
    assert logins_named(led) == ("bo",)


def test_a_stage_has_the_last_word() -> None:
    led = config(people={"roles": {"approver": {"users": [2]}}, "stages": {"qa": {"approver": {"users": [3]}}}})
    assert not may(of=led).allowed
    assert may(replace(ANA, id=3), of=led).allowed
    assert may(of=led, target=Target(stages=("dev",))).allowed
    assert may(of=led).source == "people.stages.qa.approver"


def test_nobody_without_a_right_to_read_whatever_else_he_is() -> None:
    led = config(people={"roles": {"admin": {"users": [2]}}})
    assert not may(of=led, permission="none", teams=frozenset({"acme/leads"})).allowed


def test_b21_b22_bots_only_by_id() -> None:
    assert may(ROBO, permission="admin").stranger
    known = config(people={"bots": [90], "roles": {"operator": {"users": [90]}}})
    assert may(ROBO, of=known, verb="hold", permission="none").allowed
    assert not may(ROBO, of=known, verb="approve", permission="admin").allowed
    named = config(people={"bots": ["robo[bot]"], "roles": {"operator": {"users": [90]}}})
    assert may(ROBO, of=named, verb="hold").stranger
    assert may(ROBO, of=named, verb="hold", accounts={"robo[bot]": 90}).allowed


def test_ones_own_orders_may_be_taken_back_by_whoever_gave_them() -> None:
    mine = Target(stages=("qa",), mine=True)
    assert may(verb="unhold", target=mine).allowed
    assert may(verb="unapprove", target=mine).allowed
    assert not may(verb="unhold").allowed
    assert not may(verb="unpin", target=mine).allowed
    assert not may(verb="unhold", target=mine, permission="none").allowed


def test_whom_a_gate_names_may_approve_and_nothing_else() -> None:
    gated = config(qa={"gates": [{"gate": "approval", "teams": "acme/qa", "each": [{"users": [8]}]}]})
    assert may(of=gated, teams=frozenset({"acme/qa"})).allowed
    assert may(replace(ANA, id=8), of=gated).allowed
    assert not may(of=gated).allowed
    for verb in sorted(set(verbs()) - {"approve"}):
        weak = verbs()[verb].spec.role is Role.VIEWER
        assert may(of=gated, teams=frozenset({"acme/qa"}), verb=verb).allowed is weak, verb
    assert teams_asked(gated, "qa") == ("acme/qa",)
    assert not may(of=gated, teams=frozenset({"acme/qa"}), target=Target(stages=("dev",))).allowed


def test_owners_of_the_folder() -> None:
    owned = config(people={"roles": {"approver": {"codeowners": True}}})
    assert may(of=owned, owner=True).allowed
    assert not may(of=owned).allowed
    assert not may(owner=True).allowed


def test_the_highest_role_counts() -> None:
    for permission in PERMISSIONS:
        assert role_in(PLAIN, ANA, "qa", Rights(permission=permission)) is RANK[permission]
