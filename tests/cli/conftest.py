"""A JIT that only writes down what it is asked to do."""

import pytest

from lazyjit.cli import process, program
from lazyjit.errors import SymbolsNotFound


class RecordedDylib:
    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def add_to_link_order(self, other):
        self.calls.append(("link", self.name, other.name))


class RecordedJIT:
    """Answers as the real one does; `calls` is everything asked of it, in order."""

    def __init__(self, request):
        self.request = request
        self.calls = []
        self.main = RecordedDylib("main", self.calls)
        self.functions = {"main": lambda count, vector, environment: 0}

    def create_dylib(self, name):
        self.calls.append(("dylib", name))
        return RecordedDylib(name, self.calls)

    def _add(self, kind, source, dylib, name=None):
        shown = source if isinstance(source, bytes) else str(source)
        self.calls.append((kind, shown, dylib.name if dylib else "main"))

    def add(self, source, *, dylib=None, name=None):
        self._add("add", source, dylib)

    def add_module(self, source, *, dylib=None):
        self._add("module", source, dylib)

    def add_object(self, source, *, dylib=None):
        self._add("object", source, dylib)

    def add_archive(self, source, *, dylib=None):
        self._add("archive", source, dylib)

    def load_library(self, source, *, dylib=None):
        self._add("library", source, dylib)

    def initialize(self, dylib=None):
        self.calls.append(("initialize", dylib.name if dylib else "main"))

    def deinitialize(self, dylib=None):
        self.calls.append(("deinitialize", dylib.name if dylib else "main"))

    def function(self, name, restype, *argtypes, dylib=None):
        self.calls.append(("function", name))
        if name not in self.functions:
            raise SymbolsNotFound([name])
        return self.functions[name]

    def statistics(self):
        return {"functions_known": 4, "functions_compiled": 1}


@pytest.fixture
def jit(monkeypatch):
    """The recorded JIT that `program.run` will get; the test process itself is left as it is."""
    made = RecordedJIT(None)

    def make(request):
        made.request = request
        return made

    monkeypatch.setattr(program, "make_jit", make)
    monkeypatch.setattr(process, "become_plain", lambda: made.calls.append(("plain",)))
    monkeypatch.setattr(process, "at_exit", lambda callback: made.calls.append(("at exit",)))
    return made
