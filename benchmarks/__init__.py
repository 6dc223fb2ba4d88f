"""How fast the program is, measured against floors of the same run: `python -m benchmarks` or `make bench`."""
