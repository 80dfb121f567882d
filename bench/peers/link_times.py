"""How long a linker's own timer says that linking took; the linker runs in a process of its own.

    python -m bench.peers.link_times --times FILE COMMAND [argument ...]

The command is `llvm-jitlink -show-times` or ours: both print a table with a row "time to link
object files", whose wall time is the report's "returned". Process start is in neither.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

#: The wall time is the last figure before the name; a share in percent may stand behind it.
ROW = re.compile(r"(\d+\.\d+)\s+(?:\(\s*\d+\.\d+%\)\s+)?time to link object files")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=Path, required=True)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    done = subprocess.run(options.command, capture_output=True, text=True, check=False)
    found = ROW.search(done.stderr) or ROW.search(done.stdout)
    if done.returncode or found is None:
        sys.exit(f"{options.command[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    options.times.write_text(json.dumps({"start": 0.0, "returned": float(found[1])}))


if __name__ == "__main__":
    main()
