"""Event hooks: what the session, the compiler and the linker do, told to whoever listens.

`sink` is None until `listen` installs a callable; every site tests it first, so that tracing
costs one check when it is off. A listener that raises is dropped, with the exception
logged: tracing never changes what a program does.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Listener", "emit", "listen", "sink"]

#: Called as `listener(event, data)`, from whichever thread the event happens on.
Listener = Callable[[str, dict[str, object]], None]

sink: Listener | None = None


def listen(listener: Listener | None) -> Listener | None:
    """Install `listener` (None: none) and return the one before it. Any thread."""
    global sink
    before, sink = sink, listener
    return before


def emit(event: str, **data: object) -> None:
    """Tell the listener. Callers test `tracing.sink` first. Any thread; never raises."""
    global sink
    listener = sink
    if listener is None:
        return
    try:
        listener(event, data)
    except Exception:
        import logging  # two milliseconds, for a listener that is broken

        sink = None
        logging.getLogger("lazyjit").exception("dropped a trace listener that raised: %r", listener)
