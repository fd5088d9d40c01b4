"""The `update` hook of a bare repository: refuses what branch protection forbids, in GitHub's words.

Git runs a copy of this file with the ref, its old and its new id; the rules come in the environment as JSON. It stands
alone on purpose: standard library only, no import of its package.
"""

import json
import os
import subprocess
import sys

ZERO = "0" * 40


def refusals(ref: str, old: str, new: str) -> list[str]:
    """Why this ref may not move, or nothing."""
    rule = json.loads(os.environ.get("SANDBOX_RULES", "{}")).get(ref)
    if rule is None:
        return []
    if new == ZERO:
        return [] if rule["delete"] else ["Cannot delete this branch"]
    found = list(rule["refuse"])
    if old != ZERO and not rule["force"]:
        forward = subprocess.run(["git", "merge-base", "--is-ancestor", old, new], check=False)
        if forward.returncode != 0:
            found.insert(0, "Cannot force-push to this branch")
    if rule["checks"] and new not in rule["green"]:
        found.append(rule["checks"])
    return found


if __name__ == "__main__":
    name, before, after = sys.argv[1:4]
    found_here = refusals(name, before, after)
    if found_here:
        sys.stderr.write(f"error: GH006: Protected branch update failed for {name}.\n")
        for text in found_here:
            sys.stderr.write(f"error: {text}\n")
        sys.exit(1)
