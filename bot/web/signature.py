"""Is a webhook's signature right? HMAC-SHA256 over the raw bytes, with any of the secrets in force; SHA-1 is never accepted.

https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
"""

import hashlib
import hmac
from collections.abc import Sequence

PREFIX = b"sha256="


def signed_by(body: bytes, header: bytes | None, secrets: Sequence[bytes]) -> int | None:
    """Which secret (its place in the list) signed the body; None when none did. Every secret is tried, whichever fits."""
    if header is None or not header.startswith(PREFIX):
        return None
    given = header.removeprefix(PREFIX).lower()
    found: int | None = None
    for place, secret in enumerate(secrets):
        expected = hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
        if hmac.compare_digest(expected, given) and found is None:
            found = place
    return found
