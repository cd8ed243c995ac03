"""Running other programs: what they said is in the error when they fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Debian keeps these out of the path of everybody but root's login shell.
PATHS = ["/usr/local/sbin", "/usr/sbin", "/sbin"]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without what would be a setting of sysndd or of its compose file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SYSNDD_")}
    kept["PATH"] = os.pathsep.join([kept.get("PATH", ""), *PATHS])
    kept["LC_ALL"] = "C.UTF-8"
    return kept | dict(extra or {})


class CommandFailed(Exception):
    """A program that ended with another number than 0."""


def run(
    command: Sequence[str | Path],
    *,
    extra: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 600,
    fails: bool = False,
) -> str:
    """Runs a program and returns all it said, on both streams."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        env=environment(extra),
        cwd=cwd,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        errors="replace",
    )
    if done.returncode != 0 and not fails:
        raise CommandFailed(f"{' '.join(words)}\nended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def answers(command: Sequence[str | Path], timeout: float = 20) -> bool:
    """Whether a program runs and ends well."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env=environment(),
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
