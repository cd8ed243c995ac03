"""File systems of our own for repositories: XFS and btrfs in images, ZFS in a pool in a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from measure import Failure

IMAGE_BYTES = 4 << 30
ATTEMPTS = 100
TOOLS = {"xfs": "mkfs.xfs", "btrfs": "mkfs.btrfs", "zfs": "zpool"}


class Backend:
    """One file system, mounted at `mount`; what `dsg init` has to be told about it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.mount, self.image = folder / "mount", folder / "image"
        self.options: list[str] = []
        self.daemon: subprocess.Popen[bytes] | None = None
        self.pool = ""

    def lacks(self) -> str:
        """Why there can be none here; empty when there can."""
        tool = TOOLS[self.name.split()[0]]
        if os.geteuid() != 0:
            return "only root can make one"
        return "" if shutil.which(tool) else f"{tool} is not installed"

    def __enter__(self) -> Backend:
        self.mount.mkdir(parents=True)
        with self.image.open("wb") as image:
            image.truncate(IMAGE_BYTES)
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self) -> None:
        if self.name == "xfs":
            run("mkfs.xfs", "-q", "-m", "reflink=1", str(self.image))
        elif self.name == "btrfs":
            run("mkfs.btrfs", "-q", str(self.image))
        else:
            self._make_pool()
            return
        run("mount", "-o", "loop", str(self.image), str(self.mount))
        self.options = ["--type", self.name]

    def _make_pool(self) -> None:
        mode = self.name.removeprefix("zfs ")
        if not works("zpool", "list"):
            self._start_daemon()
        name = f"dsgbench{os.getpid()}"
        run("zpool", "create", "-o", "cachefile=none", "-m", str(self.mount), name, str(self.image))
        self.pool = name
        self.options = ["--type", "zfs", "--pool", name, "--mode", mode]

    def _start_daemon(self) -> None:
        program = shutil.which("zfs-fuse")
        if not program:
            raise Failure(f"{self.name}: neither ZFS nor zfs-fuse")
        for place in ("/var/run/zfs", "/var/lock/zfs"):
            Path(place).mkdir(parents=True, exist_ok=True)
        self.daemon = subprocess.Popen([program, "--no-daemon"], cwd="/", stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        insist("zpool", "list")

    def __exit__(self, *_: object) -> None:
        try:
            if self.pool:
                insist("zpool", "destroy", "-f", self.pool)
            elif self.mount.is_mount():
                insist("umount", str(self.mount))
        finally:
            if self.daemon:
                self.daemon.terminate()
                self.daemon.wait()
            self.image.unlink(missing_ok=True)


def works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Failure(f"{command[0]} is not installed") from None
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stderr.strip()}")


def insist(*command: str) -> None:
    """Runs what somebody may be in the way of for a moment."""
    for _ in range(ATTEMPTS):
        if works(*command):
            return
        time.sleep(0.1)
    run(*command)
