"""Runs `lazyjit link` many times in one process tree: each command in a child that is forked off
after the imports, so that a command costs milliseconds and starts as clean as a program of its own.

Reads a JSON list of argument lists from stdin; writes a JSON list of [exit code, stderr].
"""

from __future__ import annotations

import json
import os
import sys
import tempfile

import lazyjit.cli.link
import lazyjit.jit  # noqa: F401  what the command imports when it has to
from lazyjit.cli import dispatch


def run(words: list[str]) -> tuple[int, str]:
    """One command in a child."""
    with tempfile.TemporaryFile() as words_of_error:
        child = os.fork()
        if child == 0:
            os.dup2(words_of_error.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            code = 70  # whatever escapes from it
            try:
                code = dispatch(words)
                sys.stderr.flush()
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        words_of_error.seek(0)
        return code, words_of_error.read().decode("utf-8", "replace")


if __name__ == "__main__":
    json.dump([run(words) for words in json.load(sys.stdin)], sys.stdout)
