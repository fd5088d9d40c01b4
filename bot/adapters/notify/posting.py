"""One signed POST to a receiver, as Standard Webhooks has it, and what its answer means.

Decides which answers count as taken (2xx), which are tried again (429, 5xx, none at all) and which a person must mend.
https://www.standardwebhooks.com
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.adapters.safe_http import Limits, Reply, SafeHttp
from bot.domain.errors import Refused, TransientError

LIMITS = Limits(seconds=10.0, largest=64 * 1024)
PREFIX = "whsec_"


def post(http: SafeHttp, url: str, body: bytes, headers: Mapping[str, str], *, private: bool, name: str) -> None:
    """Nothing when it was taken. `name` stands for the receiver in what is raised, since an address may be a secret."""
    reply = http.exchange("POST", url, headers=headers, body=body, private=private, limits=LIMITS)
    if 200 <= reply.status < 300:
        return
    if reply.status in (408, 409, 425, 429) or reply.status >= 500:
        raise TransientError(f"{name} answered {reply.status}", retry_after=_pause(reply))
    raise Refused(f"{name} answered {reply.status}.", fix="correct its address or its secret under `notifications`, or mend the receiver")


def signed(body: bytes, secret: str, *, identity: str, now: datetime) -> dict[str, str]:
    """The three headers. `identity` is the same for every try, so that a receiver can tell a repeat."""
    stamp = str(int(now.timestamp()))
    content = b".".join((identity.encode(), stamp.encode(), body))
    made = base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest()).decode()
    return {"webhook-id": identity, "webhook-timestamp": stamp, "webhook-signature": f"v1,{made}"}


def identity(key: str) -> str:
    """The message's id for receivers: the same for every try, and nothing of ours stands in it."""
    return f"msg_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _key(secret: str) -> bytes:
    """A secret as the standard spells it (`whsec_` and base64), or any other text as it is."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except ValueError:
            pass
    return secret.encode()


def _pause(reply: Reply) -> timedelta | None:
    told = reply.headers.get("retry-after", "")
    return timedelta(seconds=min(int(told), 86_400)) if told.isdecimal() and len(told) < 9 else None
