"""Writes changes into a text and reads the result again before anyone gets it."""

from bot.manifests.changing import Change
from bot.manifests.edited import Edited
from bot.manifests.files import check_sops, refused
from bot.yamltext import Splice, Text, TextError, apply, splice_for, verify


def write(source: Text, changes: list[Change]) -> Edited:
    """The text with all changes, read again and found right. Raises `EditRefused`."""
    wanted = {id(change.node): change for change in changes if change.node.value != change.value}
    for change in wanted.values():
        check_sops(source, change.node)
    try:
        splices = [splice_for(source, change.node, change.value, flow=change.flow) for change in wanted.values()]
        return verified(source, splices, {key: change.value for key, change in wanted.items()})
    except TextError as error:
        raise refused(error, source.text) from None


def verified(source: Text, splices: list[Splice], values: dict[int, str]) -> Edited:
    """The text with the splices carried out, if it reads back as exactly `values`. Raises `TextError`."""
    edited = apply(source.text, splices)
    if splices:
        verify(source, edited, values, splices)
    return Edited(text=edited, splices=tuple(splices))
