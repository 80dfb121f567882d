"""The benchmarks: lazyjit measured beside the JITs that a user would otherwise choose.

`python -m bench` runs them and prints tables that explain their own columns; `--quick` runs each
workload once at a small size, which is what the tests do. `pytest bench` runs the same workloads
under pytest-benchmark, for its history and comparison of runs.

How the numbers are made:

* One run is one process, of whatever is measured. Its clock starts when its imports and libraries
  are loaded, so the start of a process is left out for everybody (`peers/`).
* The subjects of a table take turns, run by run, so that a machine that slows down slows down for
  all of them; the figure shown is the median (`measure.py`).
* A peer that is not installed is left out with the reason. A peer that crashes is a row that says
  so.
* Where a few parts of a hundred are asked for, all ways are in one process and take turns by the
  millisecond (`peers/kernel_times.py`).
* What the processes run is generated or built outside the repository, in a cache folder
  (`toolchain.py`): Lua from Debian's source package (`lua.py`), modules of any size
  (`generate.py`)."""
