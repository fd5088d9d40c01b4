"""Which plain scalars are text for every reader of a deployment file, and which would become a number, a date or a truth value.

The union of four readers' rules, each taken from its own source: YAML 1.1 (https://yaml.org/type/, PyYAML), the YAML 1.2
core schema (ruamel.yaml), Go's yaml v2 and v3 (`resolve.go`, which Helm, Kustomize and kubectl use).
How text is then quoted is left to `quoting`.
"""

import re

_NULLS_BOOLS = "|".join(
    f"{word}|{word.capitalize()}|{word.upper()}" for word in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
)
_OTHER = re.compile(
    rf"""(?:
      {_NULLS_BOOLS} | ~ | = | <<                             # null, bool in 1.1 and 1.2, value and merge keys
    | [-+]?\.(?:inf|Inf|INF) | [-+]?\.(?:nan|NaN|NAN)
    | [-+]?0[bB][01_]+ | [-+]?0[oO][0-7_]+ | [-+]?0[xX][0-9a-fA-F_]+
    | [-+]?[0-9_]+                                            # integers, octal, 08 (a float for Go)
    | [-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?    # floats; the exponent needs no sign in 1.2 and in Go
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?        # base 60 (1.1)
    | [0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}                    # dates; Go takes 2026-1-2
    | [0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}(?:[Tt]|[ \t]+)[0-9]{{1,2}}:[0-9]{{1,2}}:[0-9]{{1,2}}(?:\.[0-9]*)?
      (?:[ \t]*(?:Z|[-+][0-9]{{1,2}}(?::?[0-9]{{2}})?))?
    )\Z""",
    re.X,
)
_GO_NUMBER = re.compile(r"[-+]?(?:0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)\Z")
_FIRST = frozenset("-+.0123456789~=<nNtTfFyYoO")


def is_text(plain: str) -> bool:
    """True where every reader takes the plain scalar `plain` for exactly that text."""
    if not plain:
        return False
    if plain[0] not in _FIRST:
        return True
    if _OTHER.match(plain) is not None:
        return False
    # Go takes every `_` out of what begins like a number before it looks: `1e3_` is a thousand.
    return "_" not in plain or plain[0] not in "-+0123456789" or _GO_NUMBER.match(plain.replace("_", "")) is None
