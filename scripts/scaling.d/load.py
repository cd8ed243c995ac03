"""People who use the site while it is rolled: they read, and they do things that must happen once."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
import uuid

# Not /api/health/ready: that is about one replica, and one that goes says so before it does.
READS = ["/api/health/", "/api/version/", "/api/entity/?page_size=2", "/"]
COUNT = "/api/test/count"


class Load:
    """Some threads, each with one connection that is kept, as a browser or a script keeps one."""

    def __init__(self, host: str, port: int, paths: list[str], readers: int = 4, writers: int = 3) -> None:
        self.host, self.port, self.paths = host, port, paths
        self.reads = 0
        self.done: list[str] = []
        self.failures: list[str] = []
        self._guard = threading.Lock()
        self._end = threading.Event()
        works = [self._read] * readers + [self._write] * writers
        self._threads = [threading.Thread(target=work, args=(number,)) for number, work in enumerate(works)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def progress(self) -> tuple[int, int]:
        with self._guard:
            return self.reads, len(self.done)

    def _failed(self, what: str) -> None:
        with self._guard:
            self.failures.append(f"{time.strftime('%H:%M:%S')} {what}")

    def _read(self, number: int) -> None:
        turn = number
        connection = None
        while not self._end.wait(0.03):
            turn += 1
            path = self.paths[turn % len(self.paths)]
            connection, status = self._ask(connection, "GET", path)
            if status is not None and status < 400:
                with self._guard:
                    self.reads += 1

    def _write(self, _: int) -> None:
        connection = None
        while not self._end.wait(0.03):
            key = str(uuid.uuid4())
            connection, status = self._ask(connection, "POST", f"{COUNT}?key={key}")
            if status is not None and status < 400:
                with self._guard:
                    self.done.append(key)

    def _ask(
        self,
        connection: http.client.HTTPConnection | None,
        method: str,
        path: str,
    ) -> tuple[http.client.HTTPConnection | None, int | None]:
        """One request; nothing is tried twice here, so what fails was seen by a person."""
        try:
            if connection is None:
                connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._failed(f"{method} {path}: {type(error).__name__}: {error}")
            if connection is not None:
                with contextlib.suppress(OSError):
                    connection.close()
            return None, None
        if answer.status >= 400:
            self._failed(f"{method} {path}: {answer.status} {body[:200]!r}")
        if answer.will_close:
            connection.close()
            connection = None
        return connection, answer.status
