"""Waiting for what another thread will do, where nothing tells that it is done."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def eventually(condition: Callable[[], bool], seconds: float = 600.0) -> bool:
    """Whether `condition` comes true in time, with all garbage collected again and again."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        gc.collect()
    return True
