"""Amazon ECR's own way to a password: `GetAuthorizationToken`, signed by AWS's Signature Version 4; good for twelve hours.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from bot.adapters.json_reply import json_object
from bot.adapters.safe_http import SafeHttp
from bot.domain.errors import TransientError, UserError

HOST = re.compile(r"[0-9]{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?\Z")
TARGET = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
SERVICE = "ecr"


def password(http: SafeHttp, host: str, keys: str, now: datetime) -> str:
    """What ECR takes as Basic, already encoded, for a registry's host. `keys` are `access key id:secret access key`."""
    found = HOST.match(host)
    identity, _, secret = keys.partition(":")
    if found is None or not secret:
        raise UserError("ECR needs `access key id:secret access key` as its credential.", fix="correct the credential", code="NoCredential")
    region, china = found[1], found[2] or ""
    endpoint = f"api.ecr.{region}.amazonaws.com{china}"
    body = b"{}"
    headers = {
        "host": endpoint,
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": TARGET,
        "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}",
    }
    signed = sign("POST", "/", headers, body, keys=(identity, secret), scope=(region, SERVICE))
    sent = {name: value for name, value in headers.items() if name != "host"} | {"authorization": signed}
    reply = http.exchange("POST", f"https://{endpoint}/", headers=sent, body=body)
    if reply.status in (400, 401, 403):
        raise UserError(f"AWS refuses us a token for {host} ({reply.status}).", fix="check the credential and its policy", code="Refused")
    try:
        return str(json_object(reply, endpoint)["authorizationData"][0]["authorizationToken"])
    except (KeyError, IndexError, TypeError):
        raise TransientError(f"the answer of {endpoint} is not understood") from None


def sign(method: str, path: str, headers: Mapping[str, str], body: bytes, *, keys: tuple[str, str], scope: tuple[str, str]) -> str:
    """The Authorization header of a request without a query. `headers` hold host and x-amz-date; `scope` is region and service."""
    stamp = headers["x-amz-date"]
    names = ";".join(sorted(headers))
    canonical = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    request = "\n".join([method, path, "", canonical, names, hashlib.sha256(body).hexdigest()])
    place = "/".join([stamp[:8], *scope, "aws4_request"])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, place, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{keys[1]}".encode()
    for part in place.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"AWS4-HMAC-SHA256 Credential={keys[0]}/{place}, SignedHeaders={names}, Signature={signature}"
