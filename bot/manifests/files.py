"""From a file's bytes to its text, and from a place in the text back to a line.

Decides whether the bytes are a text that may be edited at all: `NotUtf8`, `LfsPointer`, and `SopsEncrypted` for a whole file.
"""

from bot.domain.edits import EditRefused
from bot.yamltext import Document, Mapping, Scalar, Text, TextError, begin, line_of
from bot.yamltext import read as read_text

BOM = "\ufeff"
_LFS = b"version https://git-lfs.github.com/spec/v1"


def decode(content: bytes) -> tuple[str, str]:
    """(byte order mark or nothing, text). Raises EditRefused."""
    if content.startswith(_LFS):
        raise EditRefused("LfsPointer", "the file is a Git LFS pointer; its content is not in git")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EditRefused("NotUtf8", f"the file is not UTF-8 (byte {error.start})", line) from None
    if "\0" in text:
        raise EditRefused("NotUtf8", "the file holds NUL bytes", line_of(text, text.index("\0")))
    return (BOM, text[1:]) if text.startswith(BOM) else ("", text)


def read_yaml(text: str) -> Text:
    """The tree of a YAML or JSON text. Raises EditRefused with the line."""
    try:
        return read_text(text)
    except TextError as error:
        raise refused(error, text) from None


def is_bare_text(source: Text) -> bool:
    """True for a text that YAML reads as bare words, such as `TAG=v1`: its lines are meant, not the words."""
    return all(isinstance(document.root, Scalar) and document.root.style == "" for document in source.documents)


def refused(error: TextError, text: str) -> EditRefused:
    """The engine's refusal for a text error, with its line."""
    return EditRefused(error.code, error.message, line_of(text, error.offset))


def sops_map(documents: list[Document]) -> Mapping | None:
    """The `sops` metadata of an encrypted file, None where the file is in clear."""
    for document in documents:
        if isinstance(document.root, Mapping):
            found = document.root.get("sops")
            if isinstance(found, Mapping) and found.get("mac") is not None:
                return found
    return None


def is_sealed(source: Text) -> bool:
    """True where a MAC over all values, encrypted or not, seals the file."""
    metadata = sops_map(source.documents)
    return metadata is not None and (metadata.text("mac_only_encrypted") or "").lower() != "true"


def check_sops(source: Text, node: Scalar) -> None:
    """Refuse an edit that would break the file's MAC, or change a value that is itself encrypted."""
    line = line_of(source.text, begin(node))
    if str(node.value).startswith("ENC[") and (sops_map(source.documents) or str(node.value).startswith("ENC[AES256_GCM,")):
        raise EditRefused("SopsEncrypted", "the value is encrypted by SOPS", line)
    if is_sealed(source):
        raise EditRefused("SopsEncrypted", "the file is sealed by SOPS: a MAC over all its values would break", line)
