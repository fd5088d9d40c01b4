"""A simulation in words: a table for a terminal, or Markdown for the comment on a pull request that changes the rules.

Lays out only; the numbers are `simulate`'s.
"""

from bot.reporting.formats.markdown import table, text
from bot.reporting.formats.table import columns
from bot.reporting.simulation import Fate, Simulation
from bot.reporting.words import span

_SHOWN = 50


def told(found: Simulation, *, markdown: bool) -> str:
    """Headline, the effect of each rule, the promotions that would have changed, what cannot be known."""
    changed = [one for one in found.promotions if one.waited_s > 0 or one.fate is not Fate.ENTERED]
    stopped = sum(one.failure_stopped for one in found.promotions)
    failures = sum(one.failed for one in found.promotions)
    lines = [
        f"{len(changed)} of {len(found.promotions)} promotions since {found.since:%Y-%m-%d} would have gone otherwise; "
        f"blocked for {span(sum(one.waited_s for one in changed))} in all.",
        f"{stopped} of {failures} recorded failures would not have entered their stage.",
        f"Change lead time to the last stages: {span(found.lead_before_s)} recorded, {span(found.lead_after_s)} under these rules"
        + (f"; {found.undelivered_commits} commits would still wait." if found.undelivered_commits else "."),
    ]
    rules = [(rule.stage, rule.gate, str(rule.held), span(rule.blocked_s), str(rule.failures_stopped)) for rule in found.rules]
    rows = [
        (one.service, one.version, one.stage, one.fate.value, span(one.waited_s), "yes" if one.failed else "no", one.why)
        for one in changed[:_SHOWN]
    ]
    heads = ("service", "version", "stage", "fate", "waited", "failed", "why")
    rule_heads = ("stage", "gate", "held", "blocked", "failures stopped")
    if markdown:
        lines = ["### What these rules would have done", "", *(text(line) + "  " for line in lines), ""]
        lines += table(rule_heads, rules) if rules else ["No rule would have held anything."]
        if rows:
            lines += ["", "<details><summary>Promotions</summary>", "", *table(heads, rows), "", "</details>"]
        return "\n".join([*lines, "", "Cannot be known:", *(f"- {text(line)}" for line in found.unknown)])
    lines += ["", *(columns([rule_heads, *rules]) if rules else ["No rule would have held anything."])]
    if rows:
        lines += ["", *columns([heads, *rows])]
    if len(changed) > _SHOWN:
        lines.append(f"... and {len(changed) - _SHOWN} more (--output json has all)")
    return "\n".join(line.rstrip() for line in [*lines, "", "cannot be known:", *(f"  {line}" for line in found.unknown)])
