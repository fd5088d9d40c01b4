"""The composition root: builds every part from configuration and settings, owns the clock, starts and stops it all.

Decides nothing about promotions. `Bot` is the whole bot without its web server (which is a floor above).
"""

from bot.adapters.github.forge_time import seconds_since_boot
from bot.app.bot import Bot
from bot.app.parts import Parts, build, wall_clock

__all__ = ["Bot", "Parts", "build", "seconds_since_boot", "wall_clock"]
