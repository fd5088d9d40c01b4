"""Keeps Python's collector of reference cycles still while a text is read.

A parse makes ten thousands of objects that all stay until it is over; the collector would walk through them again and again, for
nothing, and take as long as the parser. What is put off is bounded: no text is longer than a megabyte.
"""

import gc


class no_collection:
    """No collection in this block, if there would be one at all. Threads may overlap: the last to leave finds it as the first did.

    A class and not a generator: entering it is a part of reading a small file.
    """

    __slots__ = ("_was_on",)

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        if self._was_on:
            gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()
