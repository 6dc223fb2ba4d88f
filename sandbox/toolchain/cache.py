"""Where downloaded and built tools are kept: outside every checkout, shared by all of them, and never half there."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.toolchain.progress import say


def cache_directory() -> Path:
    """Return the cache's directory, by the XDG Base Directory Specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "auterity"


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold the file `lock` alone; wait, and say so, while another process holds it. It is let go even if killed."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another set-up to finish (it holds {lock}) …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Yield an empty directory that becomes `target` when the block ends well, and is removed when it does not.

    What an earlier, interrupted run left there is removed first, so the caller needs to hold the target's lock.
    """
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(target)
