"""The bill of materials of what `serve` runs: each package of the runtime lock, as CycloneDX 1.6 in JSON.

From the lock: name, version, package URL and the hashes of every file that may be installed. From the packages that are installed here,
where their version is the locked one: licence, and what each needs. The same lock and packages give the same bytes; SOURCE_DATE_EPOCH
dates it, else nothing does. No registry is named. `make sbom` writes build/sbom.cdx.json.
"""

import argparse
import json
import os
import sys
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.locked import Pin, pins  # noqa: E402

EXTRAS = ("build", "charts")
"""Those of our own that the runtime lock holds; see `make lock`."""
LONGEST = 100


def bill(lock: Path, project: Path) -> str:
    """The document. `ValueError` for a lock that cannot be read."""
    locked = pins(lock)
    about = tomllib.loads(project.read_text())["project"]
    licence = LicenseFactory().make_from_string(about["license"])
    ours = Component(
        name=about["name"], version=about["version"], type=ComponentType.APPLICATION, bom_ref=about["name"], licenses=[licence]
    )
    parts = {pin: _component(pin) for pin in locked}
    bom = Bom(components=parts.values(), serial_number=uuid5(NAMESPACE_URL, f"{about['version']}\n{lock.read_text()}"))
    bom.metadata.component = ours
    here = {pin.name: pin for pin in locked if _installed(pin)}
    asked = [*about["dependencies"], *(one for extra in EXTRAS for one in about["optional-dependencies"][extra])]
    for name, needed in _needs(asked, here):
        bom.register_dependency(parts[here[name]] if name else ours, [parts[here[one]] for one in needed])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    if moment := os.environ.get("SOURCE_DATE_EPOCH"):
        document["metadata"]["timestamp"] = datetime.fromtimestamp(int(moment), UTC).isoformat()
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _component(pin: Pin) -> Component:
    url = PackageURL(type="pypi", name=pin.name, version=pin.version)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(url)),
        comment="one of these files is installed",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in pin.hashes],
    )
    installed = _installed(pin)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(url),
        purl=url,
        licenses=_licences(installed) if installed else (),
        external_references=[files],
        properties=[Property(name="promotion-bot:installed-when", value=pin.when)] if pin.when else (),
    )


def _installed(pin: Pin) -> Distribution | None:
    try:
        found = distribution(pin.name)
    except PackageNotFoundError:
        return None
    return found if found.version == pin.version else None


def _licences(package: Distribution) -> list[License | LicenseExpression]:
    """What the package says of itself: an expression, else a short text, else its classifiers."""
    said = next((one for key in ("License-Expression", "License") for one in package.metadata.get_all(key, [])), "")
    if said.strip() and "\n" not in said and len(said) <= LONGEST:
        return [LicenseFactory().make_from_string(said.strip())]
    named = [one.rpartition(" :: ")[2] for one in package.metadata.get_all("Classifier", []) if one.startswith("License :: ")]
    return [LicenseFactory().make_with_name(name) for name in named]


def _needs(asked: Iterable[str], here: dict[str, Pin]) -> Iterator[tuple[str, list[str]]]:
    """From us ("") to all that is reached: each package once, with those of the lock that it needs on this machine."""
    extras: dict[str, set[str]] = {}
    needed: dict[str, set[str]] = {}
    left: deque[tuple[str, Iterable[str]]] = deque([("", asked)])
    while left:
        name, lines = left.popleft()
        for need in map(Requirement, lines):
            one = canonicalize_name(need.name)
            chosen = extras.get(name) or {""}
            if one not in here or (need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in chosen)):
                continue
            needed.setdefault(name, set()).add(one)
            if one not in extras or not need.extras <= extras[one]:
                extras[one] = extras.get(one, {""}) | need.extras
                left.append((one, distribution(one).requires or ()))
    yield from ((name, sorted(needed.get(name, ()))) for name in ("", *sorted(extras)))


def main() -> int:
    """Write the file and say where it is."""
    parser = argparse.ArgumentParser(description="Write the bill of materials of the runtime lock (CycloneDX 1.6, JSON).")
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements.txt", help="the lock (requirements.txt)")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "sbom.cdx.json", help="the file (build/sbom.cdx.json)")
    given = parser.parse_args()
    try:
        text = bill(given.lock, ROOT / "pyproject.toml")
    except (OSError, ValueError) as error:
        parser.error(str(error))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(text)
    parts = json.loads(text)["components"]
    silent = [part["purl"] for part in parts if "licenses" not in part]
    print(f"{len(parts)} packages: {given.output}")
    if silent:
        print(f"no licence told, for they are not installed here or do not say: {', '.join(silent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
