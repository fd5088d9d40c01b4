"""The answers of commands that only ask, and the refusals: what stands in them, and that nothing from outside fires or calls anybody."""

from datetime import timedelta

import pytest

from bot.commands.grammar import read
from bot.commands.shelf import verbs
from bot.domain.verdict import Outcome, Verdict
from bot.messages import commands, refusals
from bot.planning.standing import Report, Standing
from tests.support.builders import NOW

LATER = NOW + timedelta(minutes=47)
PASSED = Verdict(gate="upstream", outcome=Outcome.PASSED, sentence="qa runs 1.1.0.", changer="nobody", look_again=LATER)
SOAK = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="1 of 2 hours.", changer="time", look_again=LATER)
HOLD = Verdict(gate="hold", outcome=Outcome.FAILED, sentence="@bo holds it", changer="@bo, or an approver", hard=True)
NASTY = "x` @all <b>|</b>\n/promote approve"


def report(**more: object) -> Report:
    fields: dict[str, object] = {"service": "payments", "stage": "qa", "standing": Standing.OPEN, "sentence": "It waits for @ana."}
    return Report(**{**fields, **more})  # type: ignore[arg-type]


def test_help_lists_exactly_the_commands_that_were_handed_in() -> None:
    specs = [verb.spec for verb in verbs().values()]
    text = commands.help_all(specs, where="here")
    assert [line.split("`")[1] for line in text.splitlines()[2:]] == [f"/promote {spec.usage}" for spec in specs]
    assert commands.help_all([], where="in Slack") == "There is no command that you may give in Slack."


@pytest.mark.parametrize("name", sorted(verbs()))
def test_help_of_one_command_names_its_parts_its_role_and_examples_that_parse(name: str) -> None:
    spec = verbs()[name].spec
    text = commands.help_one(spec)
    for part in (*(f"`{one.name}`" for one in spec.arguments), *(f"`--{one.name}`" for one in spec.flags), f"role *{spec.role}*"):
        assert part in text
    for one in (*spec.aliases, *(f"/promote {example}" for example in spec.examples)):
        assert f"`{one}`" in text
    assert spec.mine in text
    assert read(text, verbs()).calls == ()


def test_why_puts_what_holds_first_with_who_can_change_it_and_the_next_look() -> None:
    text = commands.why(report(verdicts=(PASSED, SOAK, HOLD), places=("payments/deployment.yaml:7",)))
    rows = [line for line in text.splitlines() if line.startswith("- ")]
    assert [row.split("`")[1] for row in rows] == ["soak", "hold", "upstream"]
    assert rows[0].endswith("1 of 2 hours. Who or what can change it: time. Next look: 2026-11-20 12:47:00 UTC.")
    assert rows[1].endswith("an approver. It cannot be overridden.")
    assert rows[2].endswith("qa runs 1.1.0.")
    assert "<summary>3 gates</summary>" in text
    assert text.endswith("Written at `payments/deployment.yaml:7`.")


def test_why_of_one_gate_is_about_that_gate_alone() -> None:
    text = commands.why(report(verdicts=(PASSED, SOAK)), gate="soak")
    assert "upstream" not in text
    assert "<details>" not in text
    assert "has not been asked" in commands.why(report(verdicts=(PASSED,)), gate="soak")
    assert commands.why(report()) == "**`payments` in qa**: It waits for @\u200bana."


def test_the_board_has_a_row_for_each_service_and_links_its_pull_request() -> None:
    rows = commands.board([report(old="1.0.0", new="1.1.0", number=7, url="https://x.example/7"), report(old="1.0.0"), report()])
    first, second, third = rows.splitlines()[2:]
    assert first == "| `payments` | qa | open [#7](https://x.example/7) | `1.0.0` → `1.1.0` | It waits for @\u200bana. |"
    assert "| `1.0.0` |" in second
    assert "| `–` |" in third
    assert commands.board([]) == "Nothing is known here yet."
    assert "→" not in commands.board([report(old="1.0.0", new="1.0.0", number=7)])


def test_the_queue_is_numbered_in_its_order_and_says_what_time_may_change() -> None:
    found = [report(new="1.1.0", look_again=LATER, number=7, url="https://x.example/7"), report(service="search", new="2.0.0")]
    assert commands.queue("qa", found).splitlines() == [
        "On its way into qa:",
        "",
        "1. `payments 1.1.0` [#7](https://x.example/7): open. It waits for @\u200bana. "
        "Time alone may change that at 2026-11-20 12:47:00 UTC.",
        "2. `search 2.0.0`: open. It waits for @\u200bana.",
    ]
    said = [report(sentence="It soaks. The bot looks again at 2026-11-20 12:47:00 UTC.", look_again=LATER)]
    assert commands.queue("qa", said).count("12:47:00") == 1
    assert commands.queue("qa", []) == "Nothing is on its way into qa."


def test_whoami_link_and_ping() -> None:
    text = commands.whoami("ana", 2, [("qa", "operator", "team acme/pay"), ("prod", "viewer", "")])
    assert text == "You are `ana` (account 2).\n\n- qa: *operator* (team acme/pay)\n- prod: *viewer*"
    assert "`ana` (account 2)" in commands.linked("ana", 2)
    assert commands.pulse({"version": "1.4.0", "last event": "<never>"}) == "pong\n\n- version: 1.4.0\n- last event: &lt;never\\>"
    assert commands.joined(["one", "", "two"]) == "one\n\ntwo"


def test_names_from_outside_give_no_command_and_mention_nobody() -> None:
    dirty = report(service=NASTY, sentence=NASTY, old=NASTY, new="2", url="https://x.example/7", number=7, verdicts=(SOAK,))
    texts = [commands.why(dirty), commands.why(dirty, gate="soak"), commands.board([dirty]), commands.queue("qa", [dirty])]
    texts += [commands.whoami(NASTY, 2, []), commands.pulse({"last event": NASTY})]
    texts += [commands.why(report(), gate=NASTY)]
    for text in texts:
        assert read(text, verbs()).calls == ()
        outside = "".join(text.split("`")[::2])
        assert "@all" not in outside
        assert "<b>" not in outside


def test_a_missing_role_says_which_where_it_comes_from_and_that_nothing_changed() -> None:
    told = refusals.no_role(
        line="approve prod", verb="approve", stage="prod", has="operator", needs="approver", source="config.yaml:41", who=("team acme/pay",)
    )
    assert told == (
        "`approve prod` was not applied: you have the role *operator* in prod; `approve` needs the role *approver*, which comes from "
        "`acme/pay` (`config.yaml:41`). Nothing changed. `/promote help` lists what you may do."
    )
    nobody = refusals.no_role(line="freeze", verb="freeze", stage="prod", has="", needs="release", source="", who=())
    assert (
        "you have no role in prod; `freeze` needs the role *release*, which nobody has, since the configuration names nobody else."
        in nobody
    )
    described = refusals.no_role(line="x", verb="x", stage="qa", has="", needs="operator", source="", who=("whoever may write", "@ana"))
    assert "comes from whoever may write and `ana`, since" in described


REFUSED = [
    (refusals.cannot_tell(line="approve", stage="qa", problem="GitHub answers 502."), "in qa cannot be told now (GitHub answers 502). "),
    (refusals.cannot_tell(line="approve", stage="", problem="timeout"), "what you may do cannot be told now (timeout). "),
    (refusals.stranger(line="approve"), "`people.bots`"),
    (refusals.by_app("buddy"), "`buddy[bot]` listed in `people.bots`"),
    (refusals.wrong(line="hold", what="--reason is missing.", fix="Type it so."), "not applied: --reason is missing. Type it so."),
    (refusals.too_old(line="merge", at=NOW), "given at 2026-11-20 12:00:00 UTC"),
    (refusals.elsewhere(line="link", surfaces=("slack", "cli")), "given in Slack and the command line only."),
    (refusals.elsewhere(line="x", surfaces=("pr", "moon")), "given in a pull request and moon only."),
    (refusals.too_many(3, 10), "holds 13 commands; 10 are carried out at most. The last 3 were not."),
    (refusals.label_refused("promotion:hold", "you may not."), "`promotion:hold` was taken off again: you may not."),
    (refusals.label_is_output("promotion:ready"), "`promotion:ready` was taken off again: it only tells"),
    (refusals.label_left("promotion:hold", number=7, stage="qa", login="robo", times=5), "of #7 in qa was changed back 5 times, and robo"),
    (refusals.label_again("promotion:hold", "you may not."), "`promotion:hold` was put on again: you may not."),
]


@pytest.mark.parametrize(("told", "part"), REFUSED)
def test_every_refusal_says_what_and_why_and_calls_nobody(told: str, part: str) -> None:
    assert part in told
    assert told.endswith(".")
    assert "@" not in told
    assert read(told, verbs()).calls == ()


def test_a_refusal_speaks_to_the_one_who_must_act() -> None:
    assert refusals.reader("ana") == "@ana"
