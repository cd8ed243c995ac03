"""Replicas, whatever they run in: what the checks may do with them and ask of them."""

from __future__ import annotations

import abc
import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What a server said; status 0 is that nobody answered."""

    status: int
    body: Any
    headers: dict[str, str]


def ask(url: str, method: str = "GET", timeout: float = 5) -> Answer:
    """One request; the body is parsed if it is JSON."""
    request = urllib.request.Request(url, method=method, headers={"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            status, raw, headers = answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        status, raw, headers = error.code, error.read(), error.headers
    except OSError:
        return Answer(0, None, {})
    text = raw.decode(errors="replace")
    try:
        body: Any = json.loads(text)
    except ValueError:
        body = text
    return Answer(status, body, {name.lower(): value for name, value in headers.items()})


class Message(NamedTuple):
    """A line of a replica's log: seconds since 1970, and the text of it."""

    at: float
    text: str


class Replica(abc.ABC):
    """One running `sysndd serve`."""

    name: str

    @property
    @abc.abstractmethod
    def operations(self) -> str:
        """Where its health is, `http://address:port`."""

    @property
    @abc.abstractmethod
    def public(self) -> str:
        """Where its site is, without the proxy between."""

    @abc.abstractmethod
    def lines(self) -> list[str]:
        """All it printed."""

    @abc.abstractmethod
    def signal(self, name: str) -> None:
        """Sends it a signal: KILL, STOP, CONT."""

    @abc.abstractmethod
    def runs(self) -> bool:
        """Whether the process is there."""

    def messages(self) -> list[Message]:
        """Its log. Lines that are not JSON are not of the log."""
        found = []
        for line in self.lines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                found.append(Message(seconds(event), text_of(event)))
        return found

    def said(self, pattern: str) -> list[Message]:
        """The messages that have it."""
        return [message for message in self.messages() if re.search(pattern, message.text)]

    def is_ready(self) -> bool:
        """Whether a proxy would send it requests."""
        return ask(f"{self.operations}/readyz").status == 200

    def startup(self) -> dict[str, Any]:
        """How it started, as the published health answer says."""
        answer = ask(f"{self.public}/api/health/ready")
        if not isinstance(answer.body, dict):
            return {"status": answer.status, "body": answer.body}
        found = answer.body.get("migrations", {}).get("startup")
        return found if isinstance(found, dict) else {"body": answer.body}


class Fleet(abc.ABC):
    """A database, replicas and a proxy, made for one check and gone after it."""

    kind: str
    data: Path
    owner: int

    @abc.abstractmethod
    def start(self, count: int, version: str = "now") -> None:
        """Starts that many replicas at once."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Stops the replicas; database and data stay."""

    @abc.abstractmethod
    def end(self) -> None:
        """Stops everything and forgets it."""

    @abc.abstractmethod
    def replicas(self) -> list[Replica]:
        """Those that run."""

    @abc.abstractmethod
    def sql(self, text: str) -> list[list[str]]:
        """Asks the database."""

    @abc.abstractmethod
    def address(self) -> tuple[str, int]:
        """Where the proxy is."""

    @abc.abstractmethod
    def roll(self, version: str) -> str:
        """Replaces the replicas one by one, while people use the site."""


def seconds(event: dict[str, Any]) -> float:
    """The time of a line, from RFC 3339."""
    from datetime import datetime

    stamp = str(event.get("ts") or event.get("timestamp") or event.get("time") or "")
    # Python 3.9 knows neither Z nor more than six digits.
    stamp = re.sub(r"\.(\d{1,6})\d*", lambda found: "." + found[1].ljust(6, "0"), stamp.replace("Z", "+00:00"))
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return 0.0


def text_of(event: dict[str, Any]) -> str:
    """The message of a line."""
    fields = event.get("fields")
    nested = fields.get("message") if isinstance(fields, dict) else None
    return str(event.get("msg") or event.get("message") or nested or "")
