"""Keeps Python's collector of reference cycles still while a text is read.

A parse makes ten thousands of objects that all stay until it is over; the collector would walk through them again and again, for
nothing, and take as long as the parser. What is put off is bounded: no text is longer than a megabyte.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """No collection in this block, if there would be one at all. Threads may overlap: the last to leave finds it as the first did."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
