"""Where a scalar stands in a YAML or JSON text, and how another value is put in its place without touching anything else.

A parser only *locates*; the new text is spliced into the original characters; the result is read again by YAML 1.1 and 1.2
readers and must differ in exactly the addressed values. What a scalar means, and which one is to be changed, is left to `manifests`.
"""

from bot.yamltext.nodes import (
    Alias,
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    Spot,
    Text,
    TextError,
    begin,
    finish,
    place_of,
    walk,
)
from bot.yamltext.quoting import check_value
from bot.yamltext.reading import LIMITS, read
from bot.yamltext.resolving import is_text
from bot.yamltext.splicing import Splice, apply, line_of, splice_for
from bot.yamltext.verifying import verify

__all__ = [
    "LIMITS",
    "Alias",
    "Document",
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "Splice",
    "Spot",
    "Text",
    "TextError",
    "apply",
    "begin",
    "check_value",
    "finish",
    "is_text",
    "line_of",
    "place_of",
    "read",
    "splice_for",
    "verify",
    "walk",
]
