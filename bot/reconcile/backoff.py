"""How long to wait after a failure: doubling from two seconds to five minutes, with a quarter of it left to chance.

Chance keeps stages and replicas from coming back all at once; it is handed in as a number between 0 and 1.
"""

from datetime import timedelta

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=5)
MOST_DOUBLINGS = 12


def pause(failures: int, chance: float, *, asked: timedelta | None = None, first: timedelta = FIRST) -> timedelta:
    """The pause after this many failures in a row (1 and up), `first` being that after one; never shorter than the other side asked for."""
    doubled: timedelta = min(first * int(2 ** min(max(failures, 1) - 1, MOST_DOUBLINGS)), LONGEST)
    chosen = doubled * (0.75 + 0.25 * min(max(chance, 0.0), 1.0))
    return max(chosen, asked * (1.0 + 0.1 * chance)) if asked is not None else chosen
