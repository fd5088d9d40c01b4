"""What a collection looks at after `set_aside`, in a process of its own: the collector is the whole process's."""

import json
import subprocess
import sys

PROGRAM = """
import gc, json, sys, weakref
from bot.cli._memory import set_aside

class Thing:
    def __init__(self):
        self.me = self

old, late = Thing(), Thing()
seen = [weakref.ref(Thing())]
set_aside()
found = {"garbage before": seen[0]() is None, "looked at": len(gc.get_objects()), "set aside": gc.get_freeze_count()}
there = [weakref.ref(old), weakref.ref(late)]
del old
gc.collect()
found["kept until the next time"] = there[0]() is not None
fresh = weakref.ref(Thing())
gc.collect()
found["new garbage goes"] = fresh() is None
set_aside()
found["gone with the next time"] = there[0]() is None
found["what is used stays"] = there[1]() is late
print(json.dumps(found))
"""


def test_what_is_there_is_looked_at_only_when_it_is_set_aside_anew() -> None:
    answer = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=60)
    found = json.loads(answer.stdout)
    assert found.pop("set aside") > 5_000
    assert found.pop("looked at") < 500
    assert found == dict.fromkeys(found, True)
    assert len(found) == 5
