"""Makes `bench` importable: these tests build their programs with its tools.

The checkout goes to the end of the path, so that an installed lazyjit is the one that is tested.
"""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.append(ROOT)
