"""A line over ssh whose delay is chosen, and on which bytes and changes of direction are counted."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import threading
import time
from collections import deque
from pathlib import Path

from measure import Failure

HOST = "server.example"


class Relay(threading.Thread):
    """Passes connections on, each byte so and so much later; counts bytes and changes of direction."""

    def __init__(self, port: int, delay: float) -> None:
        super().__init__(daemon=True)
        self.target, self.delay = port, delay
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.reset()
        self.start()

    def reset(self) -> None:
        self.up = self.down = self.turns = 0
        self.last = ""

    def run(self) -> None:
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.target))
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.carry, args=(client, server, "up"), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, "down"), daemon=True).start()

    def carry(self, source: socket.socket, target: socket.socket, way: str) -> None:
        waiting: deque[tuple[float, bytes]] = deque()
        size, ended = 0, False
        while not ended or waiting:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                data = waiting.popleft()[1]
                size -= len(data)
                try:
                    target.sendall(data)
                except OSError:
                    return
            pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            if ended or size > 64 << 20:
                time.sleep(pause or 0)
                continue
            if not select.select([source], [], [], pause)[0]:
                continue
            try:
                data = source.recv(256 << 10)
            except OSError:
                data = b""
            if not data:
                ended = True
                continue
            if way == "up":
                self.up += len(data)
                if self.last != "up":
                    self.turns += 1
            else:
                self.down += len(data)
            self.last = way
            if self.delay == 0:
                try:
                    target.sendall(data)
                except OSError:
                    return
            else:
                waiting.append((time.monotonic() + self.delay, data))
                size += len(data)
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Server:
    """An SSH server of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("host", "key"):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)])
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        shutil.copy(folder / "key.pub", folder / "authorized")
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nPermitRootLogin yes\n")
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "log")])
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)
        self.stop()
        raise Failure("sshd does not listen")

    def config(self, port: int) -> Path:
        path = self.folder / f"ssh_config-{port}"
        path.write_text(
            f"Host *\nHostName 127.0.0.1\nPort {port}\nUser {os.environ.get('USER') or 'root'}\n"
            f"IdentityFile {self.folder}/key\nIdentitiesOnly yes\nUserKnownHostsFile /dev/null\n"
            "StrictHostKeyChecking no\nLogLevel ERROR\nBatchMode yes\nControlMaster no\n")
        return path

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def run(command: list[str], where: Path | None = None, environment: dict[str, str] | None = None) -> float:
    begun = time.monotonic()
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    took = time.monotonic() - begun
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return took
