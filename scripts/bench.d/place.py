"""Where it is measured: the program, the tools beside it, and a file system that goes away again."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Failure, Meter

# Command and Debian package.
TOOLS = {"mkfs.xfs": "xfsprogs", "rsync": "rsync", "b3sum": "b3sum", "git": "git", "strace": "strace"}
# Below this the trees do not stay in the cache, and a disk is measured instead of programs.
MEMORY_BYTES_MIN = 8 << 30
UNMOUNT_ATTEMPTS = 25
FLOOR_RUNS = 9
# What would make a user's own settings part of the measurement.
FOREIGN_VARIABLES = ("DSG_", "GIT_", "RAYON_", "RSYNC_", "XDG_")

os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"


def build(root: Path) -> Path:
    """Builds dsg as it is released; answers where cargo put it."""
    print("building dsg", file=sys.stderr)
    command = ["cargo", "build", "--locked", "--release", "-p", "dsg-cli",
               "--message-format=json-render-diagnostics"]
    try:
        built = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise Failure("there is no cargo to build dsg with") from None
    if built.returncode != 0:
        raise Failure("dsg could not be built")
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "dsg":
            return Path(message["executable"])
    raise Failure("cargo built no program named dsg")


def tools() -> dict[str, str]:
    """What there is of the tools; as root the others are installed first."""
    missing = [name for name in TOOLS if not shutil.which(name)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        install([TOOLS[name] for name in missing])
    return {name: path for name in TOOLS if (path := shutil.which(name))}


def install(packages: list[str]) -> None:
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    print("installing " + " ".join(packages), file=sys.stderr)
    subprocess.run([*apt, "update", "-qq"], env=environment, stdout=sys.stderr, check=False)
    # One at a time: what this release does not have must not keep the others away.
    for package in packages:
        command = [*apt, "install", "-y", "-qq", "--no-install-recommends", package]
        subprocess.run(command, env=environment, stdout=sys.stderr, check=False)


class Place:
    """A temporary folder, as root with an XFS of its own in it. Nothing of it is left at the end."""

    def __init__(self, disk_bytes: int, found: dict[str, str]) -> None:
        self.disk_bytes = disk_bytes
        self.tools = found
        self.notes = [f"not measured beside {name}: it is not installed"
                      for name in TOOLS if name not in found and name != "mkfs.xfs"]
        self.directory = Path()
        self.environment: dict[str, str] = {}
        self.file_system = ""
        self._folder = Path()
        self._image = Path()

    def __enter__(self) -> Place:
        # Not /tmp, which is memory on many machines.
        parent = Path(os.environ.get("TMPDIR", "/var/tmp"))
        free = shutil.disk_usage(parent).free
        if free < self.disk_bytes * 1.1:
            raise Failure(f"{parent} has {free >> 20} MiB left, {self.disk_bytes >> 20} MiB and some more "
                          "are needed: say where with TMPDIR")
        self._folder = Path(tempfile.mkdtemp(prefix="dsg-bench-", dir=parent))
        self._image = self._folder / "disk.img"
        self.directory = self._folder / "disk"
        try:
            self.directory.mkdir()
            self._make_disk()
            self.file_system = file_system(self.directory)
            self.environment = self._environment()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def _make_disk(self) -> None:
        why = self._mount_xfs()
        if why:
            self._image.unlink(missing_ok=True)
            self.notes.append(f"measured on the file system of {self._folder.parent}, "
                              f"{file_system(self._folder)}, without an XFS of its own: {why}")
        if available_memory() < MEMORY_BYTES_MIN:
            self.notes.append("there is less memory free than the trees and their copies take: "
                              "the cache is not warm everywhere")

    def _mount_xfs(self) -> str | None:
        """Answers why not, if it did not work."""
        if os.geteuid() != 0:
            return "only root can mount one"
        if "mkfs.xfs" not in self.tools:
            return "there is no mkfs.xfs"
        # With its blocks, or the first to write to each would also pay for finding them below.
        if not quietly("fallocate", "-l", str(self.disk_bytes), str(self._image)):
            with self._image.open("wb") as image:
                image.truncate(self.disk_bytes)
        if not quietly("mkfs.xfs", "-q", "-f", "-m", "reflink=1", str(self._image)):
            return "mkfs.xfs failed"
        if not quietly("mount", "-o", "loop", str(self._image), str(self.directory)):
            return "this system does not let us mount it"
        return None

    def _environment(self) -> dict[str, str]:
        home = self.directory / "home"
        home.mkdir()
        (home / "dsg.yml").write_text("user_name: Bench\nuser_id: bench@example.org\n")
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(FOREIGN_VARIABLES)}
        return environment | {
            "HOME": str(home),
            "DSG_CONFIG_HOME": str(home),
            "LC_ALL": "C",
            "TZ": "UTC",
            "NO_COLOR": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def _remove(self) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        for _ in range(UNMOUNT_ATTEMPTS):
            if not self.directory.is_mount() or quietly("umount", str(self.directory)):
                break
            time.sleep(0.2)
        else:
            quietly("umount", "--lazy", str(self.directory))
        # A mount that was cut off can leave its loop device.
        for line in output("losetup", "-j", str(self._image)).splitlines():
            quietly("losetup", "-d", line.split(":")[0])
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._folder.exists():
            print(f"bench: {self._folder} could not be removed", file=sys.stderr)

    @property
    def is_xfs(self) -> bool:
        return self.file_system == "xfs"

    def can_reflink(self) -> bool:
        source, target = self.directory / "reflink-a", self.directory / "reflink-b"
        source.write_bytes(b"x" * 4096)
        can = quietly("cp", "--reflink=always", str(source), str(target))
        source.unlink()
        target.unlink(missing_ok=True)
        return can


def commit(root: Path) -> str:
    """What was built, as git calls it."""
    name = output("git", "-C", str(root), "rev-parse", "--short", "HEAD")
    changed = output("git", "-C", str(root), "status", "--porcelain", "--untracked-files=no")
    return (name or "unknown commit") + (" with changes" if changed else "")


def machine(program: Path, here: Place) -> dict[str, object]:
    """What was measured, with what, on what."""
    model = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "dsg": first_line(str(program), "--version"),
        "processor": model[0] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "file_system": here.file_system,
        "below_it": file_system(here.directory.parent),
        "tools": {name: first_line(name, "--version") for name in
                  ("find", "git", "rsync", "cp", "b3sum", "strace") if shutil.which(name)},
        "load_before": os.getloadavg()[0],
    }


def floor(here: Place, meter: Meter) -> dict[str, float]:
    """What a program costs that does nothing: it is part of every time and every peak, of dsg as of
    the others. The peak is that of this process, so it is asked for at the end."""
    samples = [meter.run(["true"], here.directory) for _ in range(FLOOR_RUNS)]
    return {
        "floor_seconds": statistics.median(sample.wall for sample in samples),
        "floor_bytes": max(sample.peak_bytes for sample in samples),
    }


def file_system(directory: Path) -> str:
    return output("stat", "-f", "-c", "%T", str(directory))


def available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def quietly(*command: str) -> bool:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def first_line(*command: str) -> str:
    return (output(*command).splitlines() or ["unknown"])[0]
