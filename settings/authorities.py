"""Who signs the certificates of RDS."""

from __future__ import annotations

import functools
import re
from pathlib import Path

BUNDLE = Path(__file__).with_name("rds-authorities.pem")
"""The root certificates of generation G1, each below a line with its name; those of AWS's own bundle for all Regions
(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html). A Region that is not among them is added
from its bundle there.
"""


@functools.cache
def regional() -> dict[str, str]:
    """Return the authorities of each Region, in PEM; they are good until 2061 at least."""
    found: dict[str, str] = {}
    text = BUNDLE.read_text(encoding="ascii")
    for region, certificate in re.findall(r"^# Amazon RDS (\S+) Root CA \S+ G1\n(-{5}[^#]+)", text, re.MULTILINE):
        found[region] = found.get(region, "") + certificate
    return found
