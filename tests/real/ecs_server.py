"""moto's server, whose tasks have a zone and run on: AWS tells the zone of each, and Prometheus counts on it.

A program of its own, for the environment in which moto is.
"""

from moto.ecs.models import Task  # type: ignore[import-not-found,unused-ignore]
from moto.moto_api import state_manager  # type: ignore[import-not-found,unused-ignore]
from moto.server import main  # type: ignore[import-not-found,unused-ignore]

made = Task.__init__


def make(self, *arguments, **named):  # type: ignore[no-untyped-def]
    made(self, *arguments, **named)
    self.availability_zone = "us-east-1a"


if __name__ == "__main__":
    Task.__init__ = make
    state_manager.set_transition("ecs::task", transition={"progression": "time", "seconds": 3600})
    main()
