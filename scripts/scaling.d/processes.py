"""Replicas as processes of this machine, behind a real HAProxy with a real database.

For machines on which no Docker Engine can run, and for what needs no container: the same promise, the
same checks, deploy/haproxy.cfg with the addresses of processes in the place of Docker's DNS.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from commands import CommandFailed, environment, run
from fleet import Fleet, Replica
from report import Failed, wait_until
from versions import VERSIONS, environment_of, write_files

PLACES = 8


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def programs_of_postgres() -> Path | None:
    """Debian keeps them out of the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def somebody() -> int:
    """Who the processes are: not root, to whom every folder is open and PostgreSQL says no."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()


class Process(Replica):
    """`sysndd serve` on two ports of its own."""

    def __init__(self, place: int, log: Path, started: subprocess.Popen[bytes], ports: tuple[int, int]) -> None:
        self.place, self._log, self.started, self._ports = place, log, started, ports
        self.name = f"{place}/{started.pid}"

    @property
    def operations(self) -> str:
        return f"http://127.0.0.1:{self._ports[1]}"

    @property
    def public(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    def lines(self) -> list[str]:
        return self._log.read_text(errors="replace").splitlines()

    def signal(self, name: str) -> None:
        self.started.send_signal(signal.Signals[f"SIG{name}"])
        if name == "KILL":
            self.started.wait()

    def runs(self) -> bool:
        return self.started.poll() is None


class Processes(Fleet):
    """Processes, a database in a folder, and HAProxy."""

    kind = "processes"

    def __init__(self, root: Path, binary: Path, engine: str) -> None:
        self.engine = engine
        self.owner = somebody()
        self._folder = Path(tempfile.mkdtemp(prefix="sysndd-scaling."))
        self._folder.chmod(0o755)
        self._binary = self._folder / "sysndd"
        shutil.copy(binary, self._binary)
        self._binary.chmod(0o755)
        for version in VERSIONS:
            write_files(root, version, self._folder / "versions" / version)
        self.data = self._made("data")
        self._running: list[Process] = []
        self._places = {place: (free_port(), free_port()) for place in range(1, PLACES + 1)}
        self._servers: list[subprocess.Popen[bytes]] = []
        self._starts = 0
        try:
            self._url = self._postgres() if engine == "postgres" else f"sqlite:{self.data / 'sysndd.db'}"
            self._proxy = self._haproxy(root / "deploy/haproxy.cfg")
        except BaseException:
            self.end()
            raise

    def _made(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        os.chown(folder, self.owner, -1)
        return folder

    def _spawn(self, command: list[str], log: Path, extra: dict[str, str]) -> subprocess.Popen[bytes]:
        as_whom = {"user": self.owner, "extra_groups": []} if os.geteuid() == 0 else {}
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                env=environment(extra),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **as_whom,  # type: ignore[arg-type]
            )

    def _postgres(self) -> str:
        programs = programs_of_postgres()
        if programs is None:
            raise CommandFailed("postgresql is not installed")
        cluster, sockets, log = self._made("cluster"), self._made("sockets"), self._folder / "postgres.log"
        self._port = free_port()
        initdb = [programs / "initdb", "-D", cluster, "-U", "sysndd", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"]
        if self._spawn([str(word) for word in initdb], log, {}).wait() != 0:
            raise CommandFailed(f"initdb: {log.read_text()[-2000:]}")
        server = [programs / "postgres", "-D", cluster, "-p", str(self._port), "-h", "127.0.0.1", "-k", sockets]
        self._servers.append(self._spawn([str(word) for word in server], log, {}))
        self._psql = [str(programs / "psql"), "-h", "127.0.0.1", "-p", str(self._port), "-U", "sysndd"]

        def answers() -> object:
            return run([*self._psql, "-d", "postgres", "-Atc", "SELECT 1"], fails=True).strip() == "1"

        wait_until("PostgreSQL answers", answers, 30)
        run([*self._psql, "-d", "postgres", "-c", "CREATE DATABASE sysndd"])
        return f"postgres://sysndd@127.0.0.1:{self._port}/sysndd"

    def _haproxy(self, config: Path) -> tuple[str, int]:
        port = free_port()
        text = config.read_text()
        servers = "\n".join(
            f"    server replica{place} 127.0.0.1:{public} check port {operations}"
            for place, (public, operations) in self._places.items()
        )
        changes = [
            (r"(?ms)^resolvers docker\n.*?\n\n", ""),
            (r"(?m)^    bind :8080$", f"    bind 127.0.0.1:{port}"),
            (r" check port 7778| init-addr none resolvers docker resolve-prefer ipv4", ""),
            (r"(?m)^    server-template .*$", servers),
        ]
        for pattern, replacement in changes:
            text, found = re.subn(pattern, replacement, text)
            if not found:
                raise Failed(f"deploy/haproxy.cfg no longer has {pattern}: change scripts/scaling.d/processes.py too")
        file = self._folder / "haproxy.cfg"
        file.write_text(text)
        command = ["haproxy", "-db", "-f", str(file)]
        self._servers.append(self._spawn(command, self._folder / "haproxy.log", {}))
        return "127.0.0.1", port

    def _start_one(self, place: int, version: str) -> Process:
        self._starts += 1
        log = self._folder / f"replica-{place}-{self._starts}.log"
        ports = self._places[place]
        settings = environment_of(version, str(self._folder / "versions" / version)) | {
            "SYSNDD_DATA_DIRECTORY": str(self.data),
            "SYSNDD_DATABASE_URL": self._url,
            "SYSNDD_PUBLIC_ADDRESS": f"127.0.0.1:{ports[0]}",
            "SYSNDD_OPERATIONS_ADDRESS": f"127.0.0.1:{ports[1]}",
            "SYSNDD_LOG_FORMAT": "json",
        }
        started = self._spawn([str(self._binary), "serve"], log, settings)
        return Process(place, log, started, ports)

    def start(self, count: int, version: str = "now") -> None:
        self._running = [self._start_one(place, version) for place in range(1, count + 1)]

    def stop(self) -> None:
        for each in self._running:
            each.started.send_signal(signal.SIGTERM)
        for each in self._running:
            each.started.wait(60)
        self._running = []

    def end(self) -> None:
        everything = [each.started for each in self._running] + list(reversed(self._servers))
        for each in everything:
            if each.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    each.send_signal(signal.SIGCONT)
                    # For PostgreSQL: don't wait for those who are still connected.
                    each.send_signal(signal.SIGINT if each in self._servers else signal.SIGKILL)
            try:
                each.wait(20)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def replicas(self) -> list[Replica]:
        return [each for each in self._running if each.runs()]

    def sql(self, text: str) -> list[list[str]]:
        if self.engine == "postgres":
            said = run([*self._psql, "-d", "sysndd", "-AtF", "\t", "-c", text])
            return [line.split("\t") for line in said.splitlines()]
        with contextlib.closing(sqlite3.connect(f"file:{self.data / 'sysndd.db'}?mode=ro", uri=True)) as database:
            return [[str(value) for value in row] for row in database.execute(text)]

    def address(self) -> tuple[str, int]:
        return self._proxy

    def roll(self, version: str) -> str:
        """What deploy/roll does, for processes."""
        said = []
        for index, old in enumerate(list(self._running)):
            began = time.monotonic()
            old.started.send_signal(signal.SIGTERM)
            code = old.started.wait(45)
            if code != 0:
                raise Failed(f"a replica that was asked to stop ended with {code}: {old.lines()[-3:]}")
            new = self._running[index] = self._start_one(old.place, version)
            wait_until("the new replica is ready", new.is_ready, 60)
            said.append(f"{old.name} became {new.name} in {time.monotonic() - began:.1f} s")
        return "\n".join(said)
