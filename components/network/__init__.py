"""The network that everything else stands in."""

from components.network.vpc import Vpc, VpcArgs

__all__ = ["Vpc", "VpcArgs"]
