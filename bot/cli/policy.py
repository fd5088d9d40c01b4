"""policy test: runs a policy over written cases, so that a rule can be changed with its tests, before any promotion meets it.

Reads a YAML file of cases, asks the very gate that judges promotions, and tells which case came out otherwise than expected.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bot.cli._refusal import FAILED, refuse

if TYPE_CHECKING:
    from bot.domain.verdict import Verdict
    from bot.gates.policy import Policy

EXAMPLE = "{expression: promotion.hotfix == false, cases: [{name: a hotfix, promotion: {hotfix: true}, expect: failed}]}"
EXPECTED = ("passed", "failed", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One case of the file. `promotion` is laid over the sample document; `now` is the instant of the judgement."""

    name: str
    promotion: Mapping[str, Any]
    now: datetime
    expect: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(no_args_is_help=True, help="Work on policies.")
    group.command("test")(run_cases)
    group.command("sample")(show_sample)
    app.add_typer(group, name="policy")


def show_sample() -> None:
    """Print the document that cases are laid over: everything a policy may look at."""
    from bot.gates._document import document
    from bot.gates._sample import sample

    print(json.dumps(document(sample()), indent=2))


def run_cases(
    file: Annotated[Path, typer.Argument(help="The cases, in YAML: an `expression`, a `rule`, or the `stage` and `gate` of --config.")],
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The configuration whose policy is meant.")] = None,
    opa: Annotated[str, typer.Option(help="Address of an OPA server, for a `rule`.")] = "",
    output: Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="How to tell it.")] = "text",
) -> None:
    """Run a policy over the cases of a file. Exit 0: all as expected; 1: some are not; 2: the file or the policy is not valid."""
    as_json = output == "json"
    told = _read(file, as_json=as_json)
    gate = _gate(file, told, config, as_json=as_json)
    cases = _cases(file, told, as_json=as_json)
    rows = []
    for case in cases:
        verdict = _judge(gate, case, opa, as_json=as_json)
        right = verdict.outcome.value == case.expect
        rows.append(
            {"name": case.name, "expected": case.expect, "outcome": verdict.outcome.value, "ok": right, "sentence": verdict.sentence}
        )
    if as_json:
        print(json.dumps({"ok": all(row["ok"] for row in rows), "cases": rows}, indent=2))
    else:
        for row in rows:
            print(f"{'ok  ' if row['ok'] else 'FAIL'} {row['name']}: {row['outcome']}, expected {row['expected']}. {row['sentence']}")
        print(f"{sum(bool(row['ok']) for row in rows)} of {len(rows)} cases as expected")
    if not all(row["ok"] for row in rows):
        raise typer.Exit(FAILED)


def _read(file: Path, *, as_json: bool) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_bytes())
    except OSError as error:
        refuse(f"{file} cannot be read", why=error.strerror or str(error), fix="name a file of cases", as_json=as_json)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        refuse(f"{file} is not YAML", why=" ".join(str(error).split())[:200], fix=f"write for example {EXAMPLE}", as_json=as_json)
    if not isinstance(found, dict):
        refuse(f"{file} is not a mapping", why="a file of cases has keys", fix=f"write for example {EXAMPLE}", as_json=as_json)
    unknown = sorted(set(map(str, found)) - {"expression", "rule", "stage", "gate", "message", "cases"})
    if unknown:
        refuse(f"{file}: there is no key {unknown[0]!r}", why="a typing error is not passed over", fix=f"write {EXAMPLE}", as_json=as_json)
    return found


def _gate(file: Path, told: Mapping[str, Any], config: Path | None, *, as_json: bool) -> "Policy":
    from pydantic import ValidationError

    from bot.gates.policy import Policy

    if "stage" in told or "gate" in told:
        return _configured(file, told, config, as_json=as_json)
    try:
        return Policy.model_validate({"gate": "policy", **{key: told[key] for key in ("expression", "rule", "message") if key in told}})
    except ValidationError as error:
        why = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
        refuse(f"{file}: the policy is not valid", why=why, fix="correct it; docs/gates.md describes its input", as_json=as_json)


def _configured(file: Path, told: Mapping[str, Any], config: Path | None, *, as_json: bool) -> "Policy":
    from bot.cli._history import read_config
    from bot.gates.policy import Policy

    if config is None:
        refuse(f"{file} names a stage's gate", why="no configuration is given", fix="add --config", as_json=as_json)
    made = read_config(config, as_json=as_json)
    gates = [gate for stage in made.pipeline.stages if stage.name == told.get("stage") for gate in stage.gates if isinstance(gate, Policy)]
    found = [gate for gate in gates if told.get("gate", gate.label) == gate.label]
    if len(found) != 1:
        known = ", ".join(
            f"{stage.name}: {gate.label}" for stage in made.pipeline.stages for gate in stage.gates if isinstance(gate, Policy)
        )
        refuse(
            f"{file}: {len(found)} policies fit", why=f"the policies are {known or 'none'}", fix="name `stage` and `gate`", as_json=as_json
        )
    return found[0]


def _cases(file: Path, told: Mapping[str, Any], *, as_json: bool) -> list[Written]:
    from bot.domain.instants import parse_instant
    from bot.gates._sample import NOW

    listed = told.get("cases")
    if not isinstance(listed, list) or not listed:
        refuse(f"{file} has no cases", why="nothing would be tested", fix=f"write for example {EXAMPLE}", as_json=as_json)
    found = []
    for number, raw in enumerate(listed, 1):
        where = f"{file}: case {number}"
        case = raw if isinstance(raw, dict) else {}
        unknown = sorted(set(map(str, case)) - {"name", "promotion", "now", "expect"})
        if unknown or case.get("expect") not in EXPECTED or not isinstance(case.get("promotion", {}), dict):
            why = f"there is no key {unknown[0]!r}" if unknown else f"`expect` is one of {', '.join(EXPECTED)}, `promotion` a mapping"
            refuse(where, why=why, fix=f"write for example {EXAMPLE}", as_json=as_json)
        try:
            given = case.get("now", NOW)
            now = given if isinstance(given, datetime) and given.tzinfo else parse_instant(given)
        except ValueError as error:
            refuse(where, why=str(error), fix="write now: 2026-03-04T10:00:00Z", as_json=as_json)
        name = str(case.get("name", f"case {number}"))
        found.append(Written(name=name, promotion=case.get("promotion", {}), now=now, expect=case["expect"]))
    return found


def _judge(gate: "Policy", case: Written, opa: str, *, as_json: bool) -> "Verdict":
    from bot.gates._document import document
    from bot.gates._sample import sample

    promotion = laid_over(document(sample()), case.promotion)
    if gate.expression is not None:
        return gate.decided(promotion, case.now)
    if not opa:
        refuse(f"the rule {gate.rule} is OPA's", why="no OPA server is named", fix="add --opa http://127.0.0.1:8181", as_json=as_json)
    return gate.answered(_opa(gate, promotion, case.now, opa))


def _opa(gate: "Policy", promotion: Mapping[str, Any], now: datetime, address: str) -> Any:
    from bot.adapters.credentials import Credentials
    from bot.adapters.opa import Opa
    from bot.adapters.safe_http import SafeHttp
    from bot.config.sources import Endpoint
    from bot.domain.errors import TransientError, UserError
    from bot.domain.facts import Answer

    try:
        asker = Opa(SafeHttp(), Credentials({}), Endpoint(url=address))
        found = asker.ask({"rule": gate.rule or "", "body": json.dumps(promotion)}, now=now, before=None)
    except (TransientError, UserError) as error:
        return Answer(at=now, problem=error.what)
    return Answer(at=now, value=found.value)


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`: mappings key by key, everything else as a whole."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[str(key)] = laid_over(under, value) if isinstance(value, dict) and isinstance(under, dict) else value
    return merged
