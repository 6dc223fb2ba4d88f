"""Run the service: `python -m orders`."""

import asyncio
import logging
import signal
import sys
from types import FrameType

import uvicorn

from .logs import configure_logs
from .settings import WrongSettingsError, load_settings
from .web import Service, create_app

_log = logging.getLogger("orders")


class DrainingServer(uvicorn.Server):
    """Answers for some seconds more after SIGTERM, while load balancers learn from `/readyz` to send no more."""

    def __init__(self, config: uvicorn.Config, service: Service, drain_seconds: float) -> None:
        super().__init__(config)
        self._service = service
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first SIGTERM; stop at once at any other signal or a second one."""
        if sig != signal.SIGTERM or self._service.draining:
            self.should_exit = True
            return
        self._service.draining = True
        # A signal handler runs between any two instructions: the loop is only told, and acts when it is safe.
        asyncio.get_running_loop().call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        _log.info("draining", extra={"seconds": self._drain_seconds})
        asyncio.get_running_loop().call_later(self._drain_seconds, setattr, self, "should_exit", True)


def main() -> int:
    """Serve until told to stop; 0 when stopped in order, 2 when the settings are wrong."""
    configure_logs("INFO")
    try:
        settings = load_settings()
    except WrongSettingsError as error:
        _log.critical("wrong settings: %s", error)
        return 2
    configure_logs(settings.app.log_level)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.app.host,
        port=settings.app.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.app.shutdown_seconds,
        # Longer than the 60 s that load balancers keep an idle connection, so that it is they who close it.
        timeout_keep_alive=75,
    )
    server = DrainingServer(config, app.state.service, settings.app.drain_seconds)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
