"""What an address says, after `docs/formats.md`: its form, its document, its guards. Reads the mapping, touches no file.

Decides `BadAddress` and what the new value asks for (`InvalidVersion`); finding the place is left to `finding`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import re2
from jsonpath_rfc9535 import JSONPathQuery

from bot.domain.edits import EditRefused
from bot.domain.image import ImageRef, Version, normal_name, valid_digest, valid_tag
from bot.manifests.queries import bad_address, compile_query, shown
from bot.yamltext import TextError, check_value

Form = Literal["image", "kustomize", "path", "pointer", "marker", "regex", "hcl"]
FORMS: tuple[Form, ...] = ("image", "kustomize", "path", "pointer", "marker", "regex", "hcl")
_GUARDS = {"doc", "old", "allowShared", "count", "container", "repository", "embedded"}
_DOC_KEYS = {"index", "kind", "name", "namespace", "apiVersion"}
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address. `wanted` is the text of its form; `query` and `steps` are set for the path and pointer forms."""

    form: Form
    wanted: str
    query: JSONPathQuery | None = None
    steps: tuple[str, ...] = ()
    container: str | None = None
    repository: str | None = None
    count: int | Literal["all"] | None = None
    doc_index: int | None = None
    doc_identity: tuple[tuple[str, str], ...] = ()
    old: str | None = None
    old_version: Version | None = None
    allow_shared: bool = False
    embedded: "Address | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValue:
    """What is to stand there: `text` where a string was given, else the parts of an image to change."""

    text: str | None = None
    tag: str | None = None
    digest: str | None = None
    name: str | None = None

    def parts(self) -> "NewValue":
        """The same as parts of an image: a string is a tag, a digest, `tag@digest` or a whole reference."""
        if self.text is None:
            return self
        text = self.text
        if valid_digest(text):
            return NewValue(digest=text)
        if valid_tag(text):
            return NewValue(tag=text)
        tag, at, digest = text.partition("@")
        if at and valid_tag(tag) and valid_digest(digest):
            return NewValue(tag=tag, digest=digest)
        reference = ImageRef.parse(text)
        if reference is None or (reference.tag is None and reference.digest is None):
            raise EditRefused("InvalidVersion", f"{text!r} is no tag, no digest and no image reference with a version")
        return NewValue(tag=reference.tag, digest=reference.digest, name=reference.name)


def spelt_out(given: Mapping[str, object] | str) -> Mapping[str, object]:
    """The short forms of the configuration: a JSON pointer begins with `/`, all other texts are paths."""
    if not isinstance(given, str):
        return given
    return {"pointer": given} if given.startswith("/") else {"path": given}


def parse_address(raw: object) -> Address:
    """The checked address. Raises EditRefused `BadAddress` with a sentence for whatever does not fit."""
    if not isinstance(raw, Mapping):
        raise bad_address("an address is a mapping")
    forms = [form for form in FORMS if form in raw]
    if len(forms) != 1:
        raise bad_address(f"an address has exactly one of {', '.join(FORMS)}")
    unknown = [str(key) for key in raw if key not in FORMS and key not in _GUARDS]
    if unknown:
        raise bad_address(f"an address has no key {unknown[0]!r}")
    form, wanted = forms[0], raw[forms[0]]
    if not isinstance(wanted, str) or (not wanted and form != "pointer"):
        raise bad_address(f"{form!r} takes a text")
    if form == "image":
        _check_image(wanted)
    if form == "regex":
        compile_regex(wanted)
    index, identity = _document(raw.get("doc"))
    old, old_version = _old(raw.get("old"))
    if "embedded" in raw and form not in ("path", "pointer"):
        raise bad_address("'embedded' goes with 'path' or 'pointer'")
    if (shared := raw.get("allowShared", False)) is not True and shared is not False:
        raise bad_address("'allowShared' is true or false")
    return Address(
        form=form,
        wanted=wanted,
        query=compile_query(wanted) if form == "path" else None,
        steps=_pointer(wanted) if form in ("pointer", "hcl") else (),
        container=_text(raw, "container"),
        repository=_text(raw, "repository"),
        count=_count(raw.get("count")),
        doc_index=index,
        doc_identity=identity,
        old=old,
        old_version=old_version,
        allow_shared=shared,
        embedded=parse_address(raw["embedded"]) if "embedded" in raw else None,
    )


def parse_new(raw: object) -> NewValue:
    """The new value. Raises EditRefused `InvalidVersion`."""
    if isinstance(raw, str):
        _check_text(raw)
        return NewValue(text=raw)
    if not isinstance(raw, Mapping) or not raw:
        raise EditRefused("InvalidVersion", "the new value is a text, or a mapping with `tag`, `digest` or `name`")
    for key, value in raw.items():
        if key not in ("tag", "digest", "name"):
            raise EditRefused("InvalidVersion", f"the new value has no part {key!r}; its parts are tag, digest and name")
        if not isinstance(value, str):
            raise EditRefused("InvalidVersion", f"the new {key} is not a text")
    if "tag" in raw:
        _check_text(raw["tag"])
    if "digest" in raw and not valid_digest(raw["digest"]):
        raise EditRefused("InvalidVersion", f"{shown(raw['digest'])} is not a valid sha256 or sha512 digest")
    if "name" in raw and (split := ImageRef.parse(raw["name"])) is not None and (split.tag or split.digest):
        raise EditRefused("InvalidVersion", f"{shown(raw['name'])} holds a version; give it as `tag` or `digest`")
    if "name" in raw and normal_name(raw["name"]) is None:
        raise EditRefused("InvalidVersion", f"{shown(raw['name'])} is not a valid image name")
    return NewValue(tag=raw.get("tag"), digest=raw.get("digest"), name=raw.get("name"))


def checked_tag(new: NewValue) -> NewValue:
    """`new` for a place that holds an image: its tag must be one. Charts and branches have versions that are no tags."""
    if new.tag is not None and not valid_tag(new.tag):
        raise EditRefused("InvalidVersion", f"{shown(new.tag)} is not a valid image tag")
    return new


@lru_cache(maxsize=256)
def compile_regex(pattern: str) -> "re2._Regexp[str]":
    """The compiled RE2 pattern; `^` and `$` match at lines. It must name one group `version`."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(f"(?m){pattern}", options)
    except re2.error as error:
        detail = error.args[0] if error.args else "it does not compile"
        why = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
        raise bad_address(f"{shown(pattern)} is not an RE2 pattern: {why}") from None
    if "version" not in compiled.groupindex:
        raise bad_address(f"{shown(pattern)} names no group `version`: write (?P<version>...)")
    return compiled


def _check_text(text: str) -> None:
    try:
        check_value(text)
    except TextError as error:
        raise EditRefused(error.code, error.message) from None


def _text(raw: Mapping[str, object], key: str) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise bad_address(f"{key!r} takes a text")
    return value


def _check_image(wanted: str) -> None:
    reference = ImageRef.parse(wanted)
    if reference is None:
        raise bad_address(f"{shown(wanted)} is not an image's repository")
    if reference.tag is not None or reference.digest is not None:
        raise bad_address(f"{shown(wanted)} holds a version; an address names the repository alone")


def _count(raw: object) -> int | Literal["all"] | None:
    if raw is None or raw == "all":
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 1:
        raise bad_address("'count' is 'all' or a number from 1 on")
    return raw


def _document(raw: object) -> tuple[int | None, tuple[tuple[str, str], ...]]:
    if raw is None:
        return None, ()
    if not isinstance(raw, Mapping) or not raw or not set(raw) <= _DOC_KEYS:
        raise bad_address("'doc' is {index} or {kind, name, namespace, apiVersion}")
    index = raw.get("index")
    if "index" in raw and (isinstance(index, bool) or not isinstance(index, int) or index < 0):
        raise bad_address("'doc.index' is a number from 0 on")
    identity = {key: value for key, value in raw.items() if key != "index"}
    if not all(isinstance(value, str) for value in identity.values()):
        raise bad_address("'doc' takes texts for kind, name, namespace and apiVersion")
    return index, tuple(sorted(identity.items()))


def _old(raw: object) -> tuple[str | None, Version | None]:
    match raw:
        case None:
            return None, None
        case str():
            return raw, None
        case Mapping() if raw and set(raw) <= {"tag", "digest"} and all(isinstance(value, str) for value in raw.values()):
            return None, Version(tag=raw.get("tag"), digest=raw.get("digest"))
        case _:
            raise bad_address("'old' is a text, or a mapping with `tag` or `digest`")


def _pointer(raw: str) -> tuple[str, ...]:
    if not _POINTER.match(raw):
        raise bad_address(f"{shown(raw)} is not a JSON Pointer of RFC 6901")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in raw.split("/")[1:])
