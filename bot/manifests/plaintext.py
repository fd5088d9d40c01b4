"""Replaces a span in a text that no parser vouches for.

Nothing can be quoted or verified there, so only versions of harmless characters are written; decides `InvalidVersion` and `StaleValue`.
"""

import re

from bot.domain.edits import EditRefused
from bot.manifests.addresses import Address
from bot.manifests.edited import Edited
from bot.yamltext import Splice, apply, is_text, line_of

_SOPS = re.compile(r"^sops_mac=", re.M)
HARMLESS = re.compile(r"[\w.+@:/~^-]+\Z", re.A)


def replace_span(text: str, span: tuple[int, int], value: str, *, quote_plain: bool, address: Address) -> Edited:
    """`text` with `value` in the span. `quote_plain`: the span is a plain YAML value, so that quotes may be due."""
    start, end = span
    old = text[start:end]
    line = line_of(text, start)
    if address.old is not None and address.old != old:
        raise EditRefused("StaleValue", f"{old!r} stands there, not {address.old!r}", line)
    if address.old_version is not None and old not in (address.old_version.tag, address.old_version.digest, address.old_version.text):
        raise EditRefused("StaleValue", f"{old!r} stands there, not {address.old_version}", line)
    if old == value:
        return Edited(text=text)
    if _SOPS.search(text):
        raise EditRefused("SopsEncrypted", "the file is sealed by SOPS: a MAC over all its values would break", line)
    if not HARMLESS.match(value):
        raise EditRefused("InvalidVersion", f"{value!r} holds characters that cannot be written safely into this kind of file", line)
    written = f'"{value}"' if quote_plain and not is_text(value) else value
    splice = Splice(start=start, end=end, text=written)
    return Edited(text=apply(text, [splice]), splices=(splice,))
