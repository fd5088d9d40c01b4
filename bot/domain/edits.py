"""Why an edit was refused: the closed list of codes, and how a person mends each.

Pure data; the engine in `manifests` decides which of them holds.
"""

from enum import StrEnum

from bot.domain.errors import UserError


class RefusalCode(StrEnum):
    """Every reason for which a file is left as it is."""

    PARSE_ERROR = "ParseError"
    NOT_UTF8 = "NotUtf8"
    LFS_POINTER = "LfsPointer"
    TEMPLATE_SYNTAX = "TemplateSyntax"
    DUPLICATE_KEY = "DuplicateKey"
    SOPS_ENCRYPTED = "SopsEncrypted"
    NO_MATCH = "NoMatch"
    PATH_NOT_FOUND = "PathNotFound"
    FIELD_MISSING = "FieldMissing"
    DOCUMENT_NOT_FOUND = "DocumentNotFound"
    AMBIGUOUS_MATCH = "AmbiguousMatch"
    NOT_A_SCALAR = "NotAScalar"
    UNSUPPORTED_SCALAR = "UnsupportedScalar"
    THROUGH_ALIAS = "ThroughAlias"
    THROUGH_MERGE = "ThroughMerge"
    SHARED_ANCHOR = "SharedAnchor"
    STALE_VALUE = "StaleValue"
    INVALID_VERSION = "InvalidVersion"
    BAD_ADDRESS = "BadAddress"
    DIGEST_WOULD_BE_STALE = "DigestWouldBeStale"


MENDING: dict[RefusalCode, str] = {
    RefusalCode.PARSE_ERROR: "Correct the file by hand so that it parses.",
    RefusalCode.NOT_UTF8: "Save the file as UTF-8 without NUL bytes.",
    RefusalCode.LFS_POINTER: "Take the file out of Git LFS; the bot edits text that git itself holds.",
    RefusalCode.TEMPLATE_SYNTAX: "Keep the version in a plain values file, or address it by a marker comment or a regex.",
    RefusalCode.DUPLICATE_KEY: "Remove one of the two keys; readers disagree about which of them counts.",
    RefusalCode.SOPS_ENCRYPTED: "Move the version out of the encrypted file, or encrypt with mac_only_encrypted and leave it in clear.",
    RefusalCode.NO_MATCH: "Check the address against the file: `promotion-bot slots FILE` lists what stands in it.",
    RefusalCode.PATH_NOT_FOUND: "Check the path against the file: `promotion-bot slots FILE` lists what stands in it.",
    RefusalCode.FIELD_MISSING: "Add the field to the file once by hand; the bot changes values, not structure.",
    RefusalCode.DOCUMENT_NOT_FOUND: "Check `doc` in the address against the documents of the file.",
    RefusalCode.AMBIGUOUS_MATCH: "Narrow the address with `doc`, `container` or a path, or say `count`.",
    RefusalCode.NOT_A_SCALAR: "Let the address end at a single value, or at a map with `tag` or `digest`.",
    RefusalCode.UNSUPPORTED_SCALAR: "Write the value on one line, plain or in quotes; YAML inside YAML in a literal block (`|`).",
    RefusalCode.THROUGH_ALIAS: "Address the anchored value itself, or write the value out in place of the alias.",
    RefusalCode.THROUGH_MERGE: "Write the value out beside the merge key, or address it where the anchor stands.",
    RefusalCode.SHARED_ANCHOR: "Set `allowShared: true` in the address if every user of the anchor is to change.",
    RefusalCode.STALE_VALUE: "Read the file again; what stands there is not what was expected.",
    RefusalCode.INVALID_VERSION: "Give a tag or digest of the OCI grammar, or a single line of text.",
    RefusalCode.BAD_ADDRESS: "Write the address in one of the forms of docs/formats.md.",
    RefusalCode.DIGEST_WOULD_BE_STALE: "Give the digest of the new tag as well: the runtime follows the digest, not the tag.",
}


class EditRefused(UserError):
    """A file was left as it is. `code` is a `RefusalCode`'s text, `line` counts from 1, `message` says what and why."""

    def __init__(self, code: str, message: str, line: int = 1) -> None:
        self.line = line
        self.message = message
        super().__init__(message, where=f"line {line}", fix=MENDING.get(RefusalCode(code), ""), code=code)
