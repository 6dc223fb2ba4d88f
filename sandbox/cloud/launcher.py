"""Stands for a provider plugin: asks the sandbox's cloud for a port, tells the engine, and stays as long as it is used.

Run as ``launcher.py PACKAGE``; the socket's path is in the environment variable AUTERITY_SANDBOX_CLOUD, and where the
engine runs in AUTERITY_SANDBOX_CALLER. It imports the standard library's least, because the engine starts one for every
provider instance of every command.
"""

import os
import signal
import socket
import sys

VARIABLE = "AUTERITY_SANDBOX_CLOUD"
CALLER = "AUTERITY_SANDBOX_CALLER"


def main() -> None:
    """Print the port of a provider instance of our own, then wait for the cloud's end or ours."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not os.environ.get(VARIABLE):
        sys.exit(f"{VARIABLE} is not set: this provider runs only inside the sandbox")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as cloud:
        cloud.connect(os.environ[VARIABLE])
        cloud.sendall(f"{sys.argv[1]} {os.environ.get(CALLER, '')}\n".encode())
        answer = cloud.recv(4096).decode()
        if not answer.strip().isdigit():
            sys.exit(answer or "the sandbox's cloud gave no answer")
        sys.stdout.write(answer)
        sys.stdout.flush()
        cloud.recv(1)


if __name__ == "__main__":
    main()
