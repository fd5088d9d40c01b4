"""What every test may ask for."""

import ast
import sys
from typing import Any

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.postgres"]

# How long something takes is measured by the benchmarks; a machine that is busy makes no test fail.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def _parse_again(parse: Any) -> Any:
    """Python 3.11 before 3.11.8 may raise SystemError where two threads parse at the same time
    (https://github.com/python/cpython/issues/106905): pytest, which parses to show a failure, would break the whole run off."""

    def again(*args: Any, **kwargs: Any) -> Any:
        for _ in range(5):
            try:
                return parse(*args, **kwargs)
            except SystemError:
                continue
        return parse(*args, **kwargs)

    return again


if sys.version_info < (3, 11, 8):
    ast.parse = _parse_again(ast.parse)
