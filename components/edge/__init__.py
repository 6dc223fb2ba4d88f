"""Where the platform meets the internet."""

from components.edge.edge import Edge, EdgeArgs
from components.edge.targets import Backend

__all__ = ["Backend", "Edge", "EdgeArgs"]
