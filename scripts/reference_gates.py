"""docs/gates.md: every gate, its settings, and what it says in each situation."""

import inspect
import json
from typing import Any, get_args

from bot.config.export import json_schema
from bot.config.schema import Config
from bot.gates import shelf
from bot.gates._document import document
from scripts.gate_stories import told
from scripts.reference_tables import settings
from tests.support.cases import approval, case, check

INTRO = """\
<!-- Made by `make docs` from the code. Do not edit. -->
# Gates

A gate looks at one promotion and answers `passed`, `pending`, `failed` or `unknown`, with a sentence. A promotion is merged when every
gate of its stage passed for exactly the head and the base that were just read. **Unknown is never passed**, and a gate that breaks is
unknown; it stops no other gate and no other service.

* `upstream`, `hold` and `freeze` are always on. All others are listed under `gates` of a stage.
* Several gates of one kind need a `name` each.
* `/promote override <gate> --reason "…"` turns a gate's answer for this head and this base only. A gate with `hard: true` cannot be
  overridden by anyone; `hold` is hard unless you say otherwise, because a hold is lifted.
* A hotfix passes `upstream` only by an override **and** an approver's approval of the same head.
* A revert is stopped by a freeze with `reverts: false`, or by a freeze that was ordered with `--allow none`, and by no other gate.
* Where time alone changes the answer, the bot looks again at that very second.

Lengths of time are written `90s`, `30m`, `4h`, `2d`, `1h30m`, or as ISO 8601. Regular expressions are RE2's, which cannot hang.
A `credential` names a variable of the environment, `PROMOTION_BOT_CREDENTIALS__<NAME>`.

## Clocks

Windows and freezes are read on the wall clock of their `zone`, so that 09:00 for 8h ends at 17:00 on every day of the year. A start or an
end that the clock skips in spring is the moment of the jump. An hour that comes twice in autumn is frozen twice and open once.
Overlapping periods are one. Holidays come from an iCalendar file beside the configuration, or from an address.

## A gate of your own

In any language: the `webhook` gate. In Python: a package with an entry point of the group `promotion_bot.gates` that names a subclass of
`bot.gates.Gate` with a `Literal` in `gate` and a pure `evaluate(case)`; it then stands in the configuration, the schema and this page.
"""

DOCUMENT = """\
## The promotion as a document

What `policy` and `webhook` see, version {version}; within a version it only grows. CEL has it as `promotion`, and `now` beside it; OPA as
`input`. Instants are RFC 3339 texts in UTC; `timestamp(promotion.upstreams[0].healthy_since)` makes one of them comparable in CEL.

```json
{example}
```
"""

EXAMPLES = {
    "approval": "count: 2\nteams: [acme/release-managers]\nexpires: 3d",
    "checks": "required: [smoke-tests, security-scan]",
    "depends": 'on: {ledger: ">=2.3 <3"}',
    "dora": "change_fail_rate: block\nlimit: 0.15",
    "freeze": """\
name: year-end
zone: Europe/Berlin
during:
  - {from: 2026-12-18T18:00, until: 2027-01-04T08:00, reason: year end}
  - {cron: "0 15 * * fri", for: 65h}
  - {days: [2026-12-24]}
calendar: {file: holidays.ics}""",
    "health": "scope: service",
    "http": 'url: https://status.example/api?service=${service}\nstatus: ["200"]\nbody: \'"ready":\\s*true\'\ntimes: 3',
    "image": """\
platforms: [linux/amd64]
max_age: 90d
signature:
  identity: https://github.com/acme/ci/.github/workflows/build.yml@refs/heads/main
  issuer: https://token.actions.githubusercontent.com""",
    "metric": """\
name: errors
query: sum(rate(http_requests_total{app="${service}",code=~"5.."}[5m]))
max: 0.5
for: 15m""",
    "order": "prereleases: false",
    "policy": """\
name: small-batches
expression: size(promotion.moves) <= 5
message: More than five services in one pull request""",
    "soak": "for: 2h",
    "upstream": "hard: true",
    "webhook": "url: https://change.example/promotion\ntimeout: 5s",
    "window": """\
zone: Europe/Berlin
open:
  - {cron: "0 9 * * mon-fri", for: 8h}
holidays: {url: "https://cal.example/holidays.ics"}""",
}


def page() -> str:
    """The whole page."""
    schema = json_schema(Config)
    parts = [INTRO]
    for gate in shelf():
        kind = str(get_args(gate.model_fields["gate"].annotation)[0])
        parts.append(_gate(schema, gate, kind))
    nested = sorted({name for gate in shelf() for name in _nested(schema, schema["$defs"][gate.__name__])})
    parts.append("## Parts of gates\n")
    parts += [_part(schema, name) for name in nested]
    about = case(approvals=(approval(teams=frozenset({"acme/leads"})),), checks=(check("smoke-tests", required=True),))
    example = document(about)
    parts.append(DOCUMENT.format(version=example["document"], example=json.dumps(example, indent=2)))
    return "\n".join(parts)


def _gate(schema: dict[str, Any], gate: type, kind: str) -> str:
    title, _, rest = inspect.cleandoc(inspect.getmodule(gate).__doc__ or "").partition("\n\n")
    says = title.partition(": ")[2]
    lines = [f"## `{kind}`\n", says[:1].upper() + says[1:], "", rest, ""]
    if kind in EXAMPLES:
        lines += ["```yaml", f"- gate: {kind}", *(f"  {line}" for line in EXAMPLES[kind].splitlines()), "```", ""]
    skip = frozenset({"gate", "name", "hard", "stages"} if kind != "hold" else {"gate", "name"})
    table = settings(schema, schema["$defs"][gate.__name__], skip=skip)
    lines += [*table, ""] if len(table) > 2 else []
    lines += ["| when | answer | what it says |", "|---|---|---|"]
    for situation, verdict in told(kind):
        changer = f" **Who can change it:** {verdict.changer}." if verdict.changer else ""
        sentence = f"{verdict.sentence}{changer}".replace("|", "\\|")
        lines.append(f"| {situation} | {verdict.outcome.value} | {sentence} |")
    return "\n".join([*lines, ""])


def _part(schema: dict[str, Any], name: str) -> str:
    part = schema["$defs"][name]
    return "\n".join([f"### {name}\n", part.get("description", ""), "", *settings(schema, part), ""])


def _nested(schema: dict[str, Any], part: dict[str, Any]) -> set[str]:
    """Names of the objects that a gate's settings refer to."""
    found: set[str] = set()
    stack: list[Any] = [part.get("properties", {})]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "$ref" in value:
                found.add(value["$ref"].rpartition("/")[2])
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    return found
