"""The shelf of gates: ONE FILE PER GATE, found by looking; and how a promotion is judged by all of them.

Decides which gates there are, which are always on, what a person's override turns, and that a broken gate never lets anything pass.
What each gate wants is in its own file. A stranger's gate comes in by the entry point `promotion_bot.gates`.
"""

from bot.gates._base import Gate
from bot.gates._judge import evaluate_all, evaluate_revert, questions_of
from bot.gates._shelf import shelf, with_always

__all__ = ["Gate", "evaluate_all", "evaluate_revert", "questions_of", "shelf", "with_always"]
