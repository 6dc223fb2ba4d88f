"""The pack for the Pulumi engine; ``python -m policies list`` prints its rules."""

import gc
import importlib.util
import sys
from pathlib import Path

# What is shown is unpacked and dropped, none of it in cycles: to search for those takes longer the more there is, and
# frees nothing.
gc.disable()

# The engine runs this directory as a program, which has no package; and elsewhere the directory may have another name.
if "policies" not in sys.modules:
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location("policies", here / "__init__.py")
    assert spec is not None
    sys.modules["policies"] = importlib.util.module_from_spec(spec)

from policies.command import main  # noqa: E402 - of the package that was found

if __name__ == "__main__":
    main(sys.argv[1:])
