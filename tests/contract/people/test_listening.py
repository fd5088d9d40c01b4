"""Commands on a pull request of the sandbox forge, over its real API: carried out once, answered once, refused with a sentence."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.action import Show
from bot.domain.people import Person
from bot.reconcile import telling
from bot.reconcile.listening import Listener
from bot.reconcile.orders import Answer, Desk
from tests.contract.people.desk_world import DeskWorld


def test_an_approval_counts_and_is_answered_by_a_reaction_alone(world: DeskWorld) -> None:
    said = world.say("mia", "Looks good.\n\n/promote approve")
    heard = world.listen()
    assert heard.anything
    assert world.orders() == [("approve", "mia")]
    assert world.approvers() == ["mia"]
    assert (world.reactions(said), world.replies()) == (["rocket"], [])
    assert set(world.woken) == {"qa"}


def test_it_is_carried_out_once_however_often_it_is_read_and_whoever_reads_it(world: DeskWorld) -> None:
    said = world.say("mia", "/promote hold --reason x")
    for _ in range(3):
        world.listen()
    world.listener = Listener(world.new_desk())
    assert not world.listen().anything
    assert world.orders() == [("hold", "mia")]
    assert world.reactions(said) == ["rocket"]
    world.say("mia", "/promote unhold")
    world.listen()
    world.listener = Listener(world.new_desk())
    world.listen()
    assert world.orders() == []


def test_what_costs_nothing_costs_no_call(world: DeskWorld) -> None:
    world.say("mia", "I would /promote this")
    facts = world.facts()
    world.hub.ledger.reset()
    for _ in range(3):
        world.listener.listen(world.tools(), facts)
    assert len(world.hub.ledger.entries) == 0


def test_b1_a_reader_is_told_what_is_missing_where_it_comes_from_and_who_has_it(opened: Callable[..., DeskWorld]) -> None:
    world = opened(people={"roles": {"approver": {"teams": ["acme/leads"]}}})
    world.hub.add_team("acme", "leads", ["mia"])
    said = world.say("rea", "/promote approve")
    world.listen()
    assert world.orders() == []
    assert world.reactions(said) == ["confused"]
    [reply] = world.replies()
    assert reply.startswith("@rea `approve` was not applied: you have the role *viewer* in qa; `approve` needs the role *approver*, ")
    assert "comes from `acme/leads` (`people.roles.approver`)" in reply
    assert "Nothing changed." in reply
    assert "@mia" not in reply
    assert "@acme" not in reply
    world.listen()
    assert len(world.replies()) == 1


@pytest.mark.parametrize(
    ("login", "line", "taken"),
    [
        ("rea", "hold --reason x", False),
        ("wes", "hold --reason x", True),
        ("wes", "approve", False),
        ("mia", "approve", True),
        ("mia", "freeze qa --until 2d --reason x", False),
        ("ana", "freeze qa --until 2d --reason x", True),
        ("mia", "override soak --reason x", False),
        ("wes", "cancel", True),
        ("rea", "cancel", False),
        ("mia", "disable", False),
        ("ana", "disable", True),
    ],
)
def test_ranks_of_the_forge_fill_the_roles_that_nobody_configured(
    opened: Callable[..., DeskWorld], login: str, line: str, taken: bool
) -> None:
    world = opened(gates=[{"gate": "soak", "for": "1h"}])
    said = world.say(login, f"/promote {line}")
    world.listen()
    assert bool(world.orders()) is taken
    assert world.reactions(said) == (["rocket"] if taken else ["confused"])
    assert len(world.replies()) == (0 if taken else 1)


def test_a_comment_that_is_older_than_the_head_approves_nothing(world: DeskWorld) -> None:
    world.listen()
    said = world.say("mia", "/promote approve")
    branch = world.open_promotion().branch
    world.hub.push(world.repo, branch, {"payments/more.txt": "x"}, message="more", author="wes")
    world.clock.shift = timedelta(seconds=2)
    world.listen()
    assert world.orders() == []
    assert world.reactions(said) == ["confused"]
    assert "after this was written" in world.replies()[0]
    head = world.read().head
    world.say("mia", f"/promote approve --sha {head[:9]}")
    world.listen()
    assert world.approvers() == ["mia"]


def test_an_approval_falls_with_its_head(world: DeskWorld) -> None:
    world.say("mia", "/promote approve")
    world.listen()
    world.hub.push(world.repo, world.open_promotion().branch, {"payments/more.txt": "x"}, message="more", author="wes")
    assert world.approvers() == []


def test_b5_an_edited_comment_is_never_a_command(world: DeskWorld) -> None:
    said = world.say("mia", "Looks good.")
    world.hub.edit_comment(world.repo, said, "ana", "/promote approve")
    world.listen()
    assert (world.orders(), world.reactions(said), world.replies()) == ([], [], [])


def test_b21_our_own_words_and_those_of_other_bots_are_never_commands(world: DeskWorld) -> None:
    world.forge.reply(world.repo, world.number, "/promote hold --reason ours", marker="test")
    if not any(app.slug == "robo" for app in world.hub.world.apps.values()):
        world.hub.create_app("robo")
    said = world.say("robo[bot]", "/promote hold --reason theirs\n/promote nonsense")
    world.listen()
    assert world.orders() == []
    assert world.reactions(said) == []
    assert len(world.replies()) == 1


def test_b22_what_an_app_wrote_in_a_person_s_name_counts_only_where_it_is_listed(opened: Callable[..., DeskWorld]) -> None:
    world = opened()
    if not any(app.slug == "helper" for app in world.hub.world.apps.values()):
        world.hub.create_app("helper")
    said = world.say("ana", "/promote hold --reason x", via_app="helper")
    world.listen()
    assert (world.orders(), world.reactions(said)) == ([], ["confused"])
    assert "by the App `helper`" in world.replies()[0]
    trusting = opened(people={"bots": ["helper[bot]"]})
    trusting.say("ana", "/promote hold --reason x", via_app="helper")
    trusting.listen()
    assert trusting.orders() == [("hold", "ana")]


def test_a_review_holds_commands_too(world: DeskWorld) -> None:
    world.hub.approve(world.repo, world.number, "wes", state="COMMENTED", body="Not yet.\n\n/promote hold --reason numbers")
    world.hub.approve(world.repo, world.number, "rea", state="COMMENTED", body="/promote approve")
    world.listen()
    assert world.orders() == [("hold", "wes")]
    assert len(world.replies()) == 1
    assert "approver" in world.replies()[0]


def test_b15_ten_of_a_comment_and_one_reply(world: DeskWorld) -> None:
    world.say("wes", "\n".join(f"/promote hold --reason r{place}" for place in range(30)))
    world.listen()
    assert len(world.orders()) == 10
    [reply] = world.replies()
    assert "holds 30 commands; 10 are carried out" in reply


def test_mistyped_is_told_once(world: DeskWorld) -> None:
    said = world.say("mia", "/promote aprove\n/promote hold")
    world.listen()
    [reply] = world.replies()
    assert "Did you mean `/promote approve`?" in reply
    assert "needs --reason" in reply
    assert world.reactions(said) == ["confused"]


def test_questions_are_answered_and_mention_nobody(world: DeskWorld) -> None:
    world.say("rea", "/promote why")
    world.say("wes", "/promote help")
    world.listen()
    why, helped = world.replies()
    assert "It waits for @\u200bmia." in why
    assert "/promote hold" in helped
    assert "/promote freeze" not in helped
    assert "@rea" not in why


def test_whatever_is_typed_the_answer_mentions_and_links_nobody_else(world: DeskWorld) -> None:
    world.say("rea", '/promote help "[x](http://evil) @acme/all"')
    world.say("rea", '/promote approve "@acme/all"')
    world.say("wes", '/promote to qa "payments@@acme/all [x](http://evil)"')
    world.listen()
    replies = [reply.split("<!--")[0] for reply in world.replies()]
    assert len(replies) == 3
    for reply in replies:
        outside = "".join(reply.removeprefix("@rea ").removeprefix("@wes ").split("`")[::2])
        assert "@" not in outside
        assert "[x]" not in outside


def test_b27_a_flood_is_dropped_without_replies(world: DeskWorld) -> None:
    for place in range(50):
        world.say("rea", f"/promote nonsense{place}")
    facts = world.facts()
    world.hub.ledger.reset()
    world.listener.listen(world.tools(), facts)
    assert len(world.replies()) == 20
    assert len(world.hub.ledger.rest) <= 3 * 20 + 20
    assert world.orders() == []


def test_rights_that_nobody_can_tell_are_no_rights(world: DeskWorld) -> None:
    world.hub.faults.add("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", kind="status:500", times=None)
    said = world.say("ana", "/promote approve")
    world.listen()
    assert world.orders() == []
    assert world.reactions(said) == ["confused"]
    assert "cannot be told now" in world.replies()[0]


def test_a_lost_answer_doubles_nothing(world: DeskWorld) -> None:
    said = world.say("rea", "/promote approve")
    world.hub.faults.add("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", kind="applied_then_reset", times=1)
    facts = world.facts()
    heard = world.listener.listen(world.tools(), facts)
    assert heard.look_again is not None or world.replies()
    world.listener = Listener(world.new_desk())
    world.listen()
    assert len(world.replies()) == 1
    assert world.reactions(said) == ["confused"]


def test_what_starts_something_does_not_count_hours_later(world: DeskWorld) -> None:
    world.say("wes", "/promote cancel")
    world.say("wes", "/promote hold --reason late")
    world.clock.shift = timedelta(hours=2)
    world.listen()
    assert world.orders() == [("hold", "wes")]
    assert "is read only now" in world.replies()[0]


def test_b23_a_login_that_was_taken_over_gives_nothing(opened: Callable[..., DeskWorld]) -> None:
    world = opened(people={"roles": {"approver": {"users": ["rea"]}}})
    rea = world.hub.world.account("rea")
    assert world.rights.of(Person(id=rea.id, login="rea"), ["qa"])["qa"].accounts == {"rea": rea.id}
    world.say("rea", "/promote approve")
    world.listen()
    assert world.orders() == [("approve", "rea")]
    old = rea.id
    try:
        rea.id = 987_654
        world.say("rea", "/promote unapprove")
        world.say("rea", "/promote approve")
        world.listener = Listener(world.new_desk())
        world.clock.shift = timedelta(minutes=2)
        world.listen()
    finally:
        rea.id = old
    assert world.orders() == [("approve", "rea")]
    assert len(world.replies()) == 2


def test_the_forge_that_is_away_costs_no_command(world: DeskWorld) -> None:
    world.say("mia", "/promote approve")
    facts = world.facts()
    world.hub.faults.add("POST", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", kind="status:500", times=None)
    world.hub.faults.add("GRAPHQL", "addReaction", kind="status:500", times=None)
    heard = world.listener.listen(world.tools(), facts)
    assert world.orders() == [("approve", "mia")]
    assert heard.look_again is not None
    world.hub.faults.clear()
    world.listen()
    assert len(world.orders()) == 1


class Seeing(Desk):
    """A desk that looks, while it is asked, how the comment was reacted to so far."""

    seen: list[list[str]]
    comment: int
    world: DeskWorld

    def take(self, *given: Any, **more: Any) -> Answer:
        self.seen.append(self.world.reactions(self.comment))
        return super().take(*given, **more)


def test_eyes_come_first_and_give_way_to_what_became_of_it_for_one_call_more(world: DeskWorld) -> None:
    said = world.say("mia", "/promote approve")
    desk = world.new_desk()
    desk.__class__ = Seeing
    assert isinstance(desk, Seeing)
    desk.seen, desk.comment, desk.world = [], said, world
    world.listener = Listener(desk)
    facts = world.facts()
    world.hub.ledger.reset()
    world.listener.listen(world.tools(), facts)
    assert desk.seen == [["eyes"]]
    assert world.reactions(said) == ["rocket"]
    about_reactions = [entry for entry in world.hub.ledger.entries if "eaction" in str(entry)]
    assert len(about_reactions) == 2


def test_eyes_that_cannot_be_shown_hold_nothing_up(world: DeskWorld) -> None:
    said = world.say("mia", "/promote approve")
    facts = world.facts()
    world.hub.faults.add("POST", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", kind="status:403:no", times=None)
    assert world.listener.listen(world.tools(), facts).anything
    assert (world.orders(), world.reactions(said)) == ([("approve", "mia")], ["rocket"])


def test_a_refusal_is_folded_when_the_same_person_s_next_command_works(world: DeskWorld) -> None:
    world.say("wes", "/promote aprove")
    world.say("rea", "/promote approve")
    world.listen()
    world.say("wes", "/promote hold")
    world.listen()
    assert folded(world) == []
    world.say("wes", "/promote hold --reason x")
    world.listen()
    assert [body.split()[0] for body in folded(world)] == ["@wes", "@wes"]
    world.hub.ledger.reset()
    world.say("wes", "/promote unhold")
    world.listen()
    assert not [entry for entry in world.hub.ledger.entries if "minimizeComment" in str(entry)]


def test_an_answer_to_help_is_folded_after_a_day_and_once(world: DeskWorld) -> None:
    world.say("wes", "/promote help")
    world.say("wes", "/promote why")
    world.listen()
    world.clock.shift += timedelta(hours=23)
    world.listen()
    assert folded(world) == []
    world.clock.shift += timedelta(hours=2)
    world.listen()
    assert [body.startswith("Commands that you may give") for body in folded(world)] == [True]
    world.hub.ledger.reset()
    world.listen()
    world.listener = Listener(world.new_desk())
    world.listen()
    assert not [entry for entry in world.hub.ledger.entries if "minimizeComment" in str(entry)]


def test_the_app_s_name_begins_a_command_and_bare_verbs_where_they_are_wanted(opened: Callable[..., DeskWorld]) -> None:
    world = opened()
    world.say("mia", "@promoter approve")
    world.say("wes", "/hold --reason x")
    world.listen()
    assert world.orders() == [("approve", "mia")]
    bare = opened(people={"bare_aliases": True, "prefixes": ["/ship"]})
    bare.say("wes", "/hold --reason x")
    bare.say("mia", "/ship approve")
    bare.say("wes", "/lgtm")
    bare.listen()
    assert set(bare.orders()) == {("hold", "wes"), ("approve", "mia")}
    assert bare.replies() == []


def folded(world: DeskWorld) -> list[str]:
    return [comment.body for comment in world.read().comments if comment.folded]


def test_b31_where_the_conversation_is_locked_the_reaction_alone_tells_and_nothing_is_tried_for_ever(world: DeskWorld) -> None:
    said = world.say("rea", "/promote approve")
    locked = "status:403:Unable to create comment because issue is locked."
    world.hub.faults.add("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", kind=locked, times=None)
    world.listen()
    assert (world.orders(), world.reactions(said), world.replies()) == ([], ["confused"], [])
    facts = world.facts()
    world.hub.ledger.reset()
    heard = world.listener.listen(world.tools(), facts)
    assert (heard.anything, heard.look_again, len(world.hub.ledger.entries)) == (False, None, 0)


def test_who_speaks_to_the_bot_sees_its_words_move_at_once(world: DeskWorld) -> None:
    def face(words: str) -> bool:
        """Was it written, with these words in a gate whose answer stays the same?"""
        show = Show(
            promotion=world.open_promotion(), comment=words, check_title=words, check_summary=words, conclusion="", labels=("promotion",)
        )
        return telling.show(world.tools(), show) is None

    assert face("0 of 2 approvals")
    assert not face("0 of 2 approvals, measured again")
    world.say("mia", "/promote approve")
    world.listen()
    assert face("1 of 2 approvals")
    assert not face("1 of 2 approvals, measured again")
    world.listen()
    assert not face("1 of 2 approvals, measured again")
    world.say("rea", "/promote approve")
    world.listen()
    assert not face("a refusal moves nothing")
