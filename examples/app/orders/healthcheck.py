"""Ask the process of this container whether it lives: `python -m orders.healthcheck`, for images without curl."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def main() -> int:
    """0 when `/healthz` answers 200 within two seconds, else 1."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("APP_PORT") or 8000), timeout=2)
    try:
        connection.request("GET", "/healthz")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
