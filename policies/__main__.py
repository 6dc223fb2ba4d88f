"""The pack for the Pulumi engine; ``python -m policies list`` prints its rules."""

import importlib.util
import sys
from pathlib import Path

# The engine runs this directory as a program, which has no package; and elsewhere the directory may have another name.
if "policies" not in sys.modules:
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location("policies", here / "__init__.py")
    assert spec is not None
    sys.modules["policies"] = importlib.util.module_from_spec(spec)

from policies.command import main

if __name__ == "__main__":
    main(sys.argv[1:])
