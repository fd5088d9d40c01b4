"""Keyless signatures, verified by the `cosign` program: certificates, transparency log and trust roots are its business.

Decides from its exit code alone: 0 verified, 10, 12 and 13 certainly not (https://github.com/sigstore/cosign/blob/main/doc/cosign_exit_codes.md),
anything else, or no cosign on this machine: nobody can say.
"""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.registry.access import Door, basic
from bot.domain.errors import TransientError, UserError

SECONDS = 60
NOT_SIGNED = frozenset({10, 12, 13})
HANDED_ON = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TUF_ROOT", "SIGSTORE_ROOT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyless:
    """Who must stand in the certificate, and who vouches for it."""

    identity: str
    issuer: str


def verify(door: Door, repository: str, digest: str, who: Keyless, *, attestation: str = "") -> bool:
    """True when cosign verified a signature, or an attestation of this type. `UserError` without cosign, `TransientError` when it fails."""
    program = shutil.which("cosign")
    if program is None:
        raise UserError("The program cosign is not installed.", fix="install it beside the bot, or name a `key`", code="NoCosign")
    base = door.base
    image = f"{base.netloc.decode()}{base.path.rstrip('/')}/{repository}@{digest}"
    ask = ["verify-attestation", "--type", attestation] if attestation else ["verify"]
    command = [program, *ask, "--certificate-identity", who.identity, "--certificate-oidc-issuer", who.issuer]
    command += ["--output", "json", *(["--allow-http-registry"] if base.scheme == "http" else []), "--", image]
    with tempfile.TemporaryDirectory(prefix="cosign-") as folder:
        _log_in(Path(folder), door)
        environment = {name: os.environ[name] for name in HANDED_ON if name in os.environ} | {"HOME": folder, "DOCKER_CONFIG": folder}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            raise TransientError(f"cosign did not end within {SECONDS} seconds") from None
        except OSError as error:
            raise TransientError(f"cosign cannot be started ({error.strerror})") from error
    if done.returncode in NOT_SIGNED:
        return False
    if done.returncode:
        raise TransientError(f"cosign ended with {done.returncode}")
    return True


def _log_in(folder: Path, door: Door) -> None:
    """Docker's own file with the registry's credential, in a folder that only we can read and that goes away."""
    secret = door.secret()
    content = {"auths": {door.base.netloc.decode(): {"auth": basic(secret).removeprefix("Basic ")}}} if secret else {}
    (folder / "config.json").write_text(json.dumps(content))
