"""The pack for the Pulumi engine; ``python -m policies list`` prints its rules."""

import sys
from pathlib import Path

# The engine runs this directory as a program, from which its own package is not to be seen.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policies.command import main

if __name__ == "__main__":
    main(sys.argv[1:])
