"""docs/configuration.md: every key of the configuration file, and every variable of the environment."""

from typing import Any

from bot.config.export import json_schema
from bot.config.schema import Config
from bot.settings import PREFIX, Settings
from scripts.reference_tables import settings

INTRO = """\
<!-- Made by `make docs` from the code. Do not edit. -->
# Configuration

One YAML file. `config.example.yaml` is a complete, commented one; `promotion-bot validate FILE` prints every error at once, as
`file:line:column`, with how to mend it (exit 2; `--strict` counts warnings, `--output json` is for machines); `promotion-bot schema`
prints the JSON Schema (draft 2020-12) for editors.

* Only `version` and `pipeline` are needed.
* Unknown keys and doubled keys are refused. Anchors, aliases and `<<` are taken, within limits. Keys at the top that begin with `x-`
  are yours.
* YAML is read by its version 1.2: `on`, `yes` and `1:30` are texts. Nothing in the file is expanded from the environment.
* Secrets never stand in it: what looks like one is refused. They come from the environment, [below](#environment).
* Lengths of time: `90s`, `30m`, `4h`, `2d`, `1h30m`, or ISO 8601. Instants are read on the clock of an IANA time zone.
* The gates have [a page of their own](gates.md).
"""

ENVIRONMENT = """\
## Environment

Variables begin with `{prefix}`. A variable that ends in `_FILE` names a file that holds the value; a file with a secret must not be
readable by others than its owner (`chmod 600`; a Kubernetes secret with `defaultMode: 0400` is fine). The credential that the
configuration calls `<name>` is `{prefix}CREDENTIALS__<NAME>`. Without a webhook secret the bot does not take webhooks, unless it
listens on loopback and was told so.

| variable | default | meaning |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    schema = json_schema(Config)
    parts = [INTRO, "## The file\n", *settings(schema, schema), ""]
    for name in _order(schema):
        part = schema["$defs"][name]
        parts += [f"### {name}\n", part.get("description", ""), "", *settings(schema, part), ""]
    parts.append(ENVIRONMENT.format(prefix=PREFIX).rstrip("\n"))
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if default in (None, (), "", False) or default == {} else f"`{default}`"
        parts.append(f"| `{PREFIX}{name.upper()}` | {shown} | {' '.join((field.description or '').split())} |")
    return "\n".join([*parts, ""])


def _order(schema: dict[str, Any]) -> list[str]:
    """The objects that the file is made of, in the order in which they are met; gates have their own page."""
    found: list[str] = []
    queue: list[Any] = [schema["properties"]]
    while queue:
        value = queue.pop(0)
        if isinstance(value, list):
            queue += value
        elif isinstance(value, dict):
            if "discriminator" in value:
                continue
            name = str(value.get("$ref", "")).rpartition("/")[2]
            if name and name not in found and schema["$defs"][name].get("properties"):
                found.append(name)
                queue.append(schema["$defs"][name]["properties"])
            queue += list(value.values())
    return found
