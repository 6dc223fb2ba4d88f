"""The app as a service on ECS."""

from components.service.args import Destination, EcsServiceArgs, ServedBy
from components.service.service import EcsService

__all__ = ["Destination", "EcsService", "EcsServiceArgs", "ServedBy"]
