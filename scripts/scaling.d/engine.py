"""A Docker Engine: the one that is there, else one of our own for as long as the test runs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from commands import answers, environment, run


class NoEngine(Exception):
    """No Docker Engine can run here; the text says why."""


class Engine:
    """`with Engine() as engine`: Docker's programs reach it by DOCKER_HOST."""

    def __init__(self) -> None:
        self._daemon: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._forwarding = ""
        self._policy = "ACCEPT"
        self._others_rules = False

    def __enter__(self) -> Engine:
        if not shutil.which("docker", path=environment()["PATH"]):
            raise NoEngine("no docker command is installed")
        if answers(["docker", "info"]):
            return self
        if os.geteuid() != 0:
            raise NoEngine("docker info fails, and only root can start an engine")
        if not shutil.which("dockerd", path=environment()["PATH"]):
            raise NoEngine("docker info fails, and no dockerd is installed")
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="sysndd-engine."))
        self._forwarding = Path("/proc/sys/net/ipv4/ip_forward").read_text()
        rules = run(["iptables", "-S"], fails=True)
        self._policy = "DROP" if "-P FORWARD DROP" in rules else "ACCEPT"
        self._others_rules = "DOCKER" in rules
        socket = folder / "docker.sock"
        log = folder / "log"
        # What is made below a folder of ours is found again at the end. There is no bridge that
        # networks would share: compose makes its own.
        command = [
            "dockerd", "--data-root", folder / "data", "--exec-root", folder / "run",
            "--pidfile", folder / "pid", "--host", f"unix://{socket}", "--bridge", "none",
        ]
        with log.open("wb") as output:
            self._daemon = subprocess.Popen(
                [str(word) for word in command],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        os.environ["DOCKER_HOST"] = f"unix://{socket}"
        end = time.monotonic() + 60
        while not answers(["docker", "info"]):
            if self._daemon.poll() is not None or time.monotonic() > end:
                lines = log.read_text(errors="replace").splitlines()[-5:]
                raise NoEngine("dockerd does not start: " + " | ".join(lines))
            time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        if self._folder is None:
            return
        if self._daemon and self._daemon.poll() is None:
            self._daemon.send_signal(signal.SIGTERM)
            try:
                self._daemon.wait(60)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
        os.environ.pop("DOCKER_HOST", None)
        self._forget_rules()
        with contextlib.suppress(OSError):
            Path("/proc/sys/net/ipv4/ip_forward").write_text(self._forwarding)
        for mount in reversed(mounts_below(self._folder)):
            run(["umount", "--lazy", mount], fails=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _forget_rules(self) -> None:
        """Takes the chains away that the daemon leaves behind, and the jumps to them; not those that
        were there before it, of an engine that we can't reach."""
        if self._others_rules:
            return
        for table in ("filter", "nat"):
            rules = run(["iptables", "-t", table, "-S"], fails=True).splitlines()
            ours = [rule for rule in rules if "DOCKER" in rule]
            for rule in ours:
                if rule.startswith("-A"):
                    run(["iptables", "-t", table, "-D", *rule.split()[1:]], fails=True)
            for rule in ours:
                if rule.startswith("-N"):
                    run(["iptables", "-t", table, "-X", rule.split()[1]], fails=True)
        run(["iptables", "-P", "FORWARD", self._policy], fails=True)


def mounts_below(folder: Path) -> list[str]:
    """Mount points below a folder, outer ones first."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [point for point in points if point.startswith(f"{folder}/")]
