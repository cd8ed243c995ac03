"""What a run of the scaling test says: one line a check, one line at the end."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable


class Failed(Exception):
    """A check that does not hold; the text says what was seen."""


class Skipped(Exception):
    """A check that this machine can't make; the text says why."""


class Report:
    """Counts checks, and prints them as they end."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.passed = 0
        self.failed: list[str] = []
        self.skipped: list[str] = []

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    def check(self, sentence: str, proof: Callable[[], str | None]) -> bool:
        """Runs one check; what it returns is said in brackets behind its sentence."""
        try:
            seen = proof()
        except Skipped as reason:
            self.skipped.append(str(reason))
            self.say(f"skip  {sentence}: {reason}")
            return False
        except Failed as reason:
            self.failed.append(sentence)
            self.say(f"FAIL  {sentence}: {reason}")
            return False
        except Exception:  # noqa: BLE001  (a check that breaks is a check that failed)
            self.failed.append(sentence)
            self.say(f"FAIL  {sentence}: {traceback.format_exc()}")
            return False
        self.passed += 1
        self.say(f"ok    {sentence}" + (f" ({seen})" if seen else ""))
        return True

    def end(self) -> int:
        """The last lines, and the number to exit with."""
        for reason in sorted(set(self.skipped)):
            print(f"skipped: {reason}")
        for sentence in self.failed:
            print(f"failed: {sentence}")
        print(
            f"scaling: {self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped",
        )
        good = not self.failed and self.passed > 0
        print("SCALING TEST PASSED" if good else "SCALING TEST FAILED", flush=True)
        return 0 if good else 1


def wait_until(what: str, holds: Callable[[], object], timeout: float, pause: float = 0.1) -> float:
    """Polls until something holds; how long that took. There is no fixed sleep anywhere."""
    began = time.monotonic()
    last: object = None
    while True:
        last = holds()
        took = time.monotonic() - began
        if last is True:
            return took
        if took > timeout:
            raise Failed(f"{what}: not within {timeout:.0f} s; last seen: {last}")
        time.sleep(pause)
