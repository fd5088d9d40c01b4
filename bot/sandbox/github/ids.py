"""Node ids: opaque strings that name one object of one kind, as GitHub's GraphQL API hands them out.

Decides the spelling only; a node id decodes to the kind and the number (or name) that it was made of.
"""

import base64
import binascii


def node_id(kind: str, value: int | str) -> str:
    """The node id of an object, such as `PR_a2c6MTI`; `kind` is GitHub's own prefix (R, PR, IC, LA, REF, C, CR, U, BOT...)."""
    raw = f"{kind}:{value}".encode()
    return f"{kind}_{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def parse_node_id(text: str) -> tuple[str, str] | None:
    """Kind and value of a node id, or None where the text is none of ours."""
    kind, _, packed = text.partition("_")
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    said, colon, value = raw.partition(":")
    return (kind, value) if colon and said == kind else None
