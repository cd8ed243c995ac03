"""Runs commands and keeps what they cost.

Contestants of one group run in turns, tool and reference in the same loop, and the one that begins
changes from round to round: what else the machine does, and what one leaves in the caches, hits all
of them alike. So the ratios of one group mean something; times of two groups are not compared.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

SYNC_CALLS = ("fsync", "fdatasync", "syncfs", "sync", "sync_file_range")
# A share of all cores above which a run is noted as begun on a busy machine.
BUSY_SHARE = 0.2
QUIET_WINDOW_SECONDS = 0.1
ERROR_LINES_SHOWN = 15


class Failure(Exception):
    """Something that was to be measured did not work."""


def nothing() -> None:
    """The default for what a contestant needs before and after."""


@dataclass
class Step:
    """A command, and the name of what is done when it has ended."""

    name: str
    command: list[str]


@dataclass
class Contestant:
    """Commands that are measured one after the other; each is counted with those before it."""

    steps: list[Step]
    directory: Path
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = nothing
    check: Callable[[], None] = nothing

    @staticmethod
    def of(name: str, command: list[str], directory: Path, **rest) -> Contestant:
        return Contestant([Step(name, command)], directory, **rest)


@dataclass
class Sample:
    """The cost of one run."""

    wall: float = 0.0
    user: float = 0.0
    system: float = 0.0
    peak_bytes: int = 0
    busy_before: float = 0.0

    def then(self, other: Sample) -> Sample:
        return Sample(
            self.wall + other.wall,
            self.user + other.user,
            self.system + other.system,
            max(self.peak_bytes, other.peak_bytes),
            self.busy_before,
        )


@dataclass
class Series:
    """The same thing, several times."""

    tree: str
    group: str
    name: str
    command: str
    samples: list[Sample] = field(default_factory=list)
    # Calls by name, of one run of its own; None where they were not counted.
    syncs: dict[str, int] | None = None

    @property
    def wall(self) -> float:
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def fastest(self) -> float:
        return min(sample.wall for sample in self.samples)

    @property
    def slowest(self) -> float:
        return max(sample.wall for sample in self.samples)

    @property
    def processor(self) -> float:
        return statistics.median(sample.user + sample.system for sample in self.samples)

    @property
    def peak_bytes(self) -> int:
        return max(sample.peak_bytes for sample in self.samples)

    @property
    def sync_count(self) -> int | None:
        return None if self.syncs is None else sum(self.syncs.values())


class Meter:
    """Measures, and collects all series of a run."""

    def __init__(self, disk: Path, environment: dict[str, str], quiet_seconds: float) -> None:
        self.disk = disk
        self.environment = environment
        self.quiet_seconds = quiet_seconds
        self.series: list[Series] = []
        self.tracer = tracer()
        self._errors = disk / "errors"
        self._counts = disk / "counts"

    def rounds(
        self,
        tree: str,
        group: str,
        contestants: list[Contestant],
        repeats: int,
        warm_up: bool = False,
        before_round: Callable[[], None] = nothing,
    ) -> None:
        """Lets them take turns `repeats` times, and once more to count their sync calls."""
        print(f"{tree}: {group}, {repeats} rounds", file=sys.stderr)
        found = {
            id(step): Series(tree, group, step.name, self._shown(contestant, step))
            for contestant in contestants
            for step in contestant.steps
        }
        if warm_up:
            before_round()
            for contestant in contestants:
                self._turn(contestant)
        for number in range(repeats):
            before_round()
            start = number % len(contestants)
            for contestant in contestants[start:] + contestants[:start]:
                for step, sample in self._turn(contestant):
                    found[id(step)].samples.append(sample)
        if self.tracer:
            before_round()
            for contestant in contestants:
                self._counted_turn(contestant, found)
        self.series.extend(found.values())

    def find(self, tree: str, group: str, name: str) -> Series | None:
        wanted = (tree, group, name)
        for series in self.series:
            if (series.tree, series.group, series.name) == wanted:
                return series
        return None

    def run(self, command: list[str], directory: Path) -> Sample:
        """Runs one command that is not compared with anything."""
        return self._run(command, directory, self.environment)

    def notes(self) -> list[str]:
        samples = [sample for series in self.series for sample in series.samples]
        busy = sum(sample.busy_before > BUSY_SHARE for sample in samples)
        notes = []
        if busy:
            notes.append(f"{busy} of {len(samples)} runs began while the machine was busy otherwise")
        if not self.tracer:
            notes.append("sync calls are not counted: strace is missing, or may not trace here")
        return notes

    def _turn(self, contestant: Contestant) -> list[tuple[Step, Sample]]:
        contestant.prepare()
        total = Sample(busy_before=self._settle())
        samples = []
        environment = self.environment | contestant.environment
        for step in contestant.steps:
            total = total.then(self._run(step.command, contestant.directory, environment))
            samples.append((step, total))
        contestant.check()
        return samples

    def _counted_turn(self, contestant: Contestant, found: dict[int, Series]) -> None:
        contestant.prepare()
        environment = self.environment | contestant.environment
        total: dict[str, int] = {}
        for step in contestant.steps:
            traced = [self.tracer or "strace", "-f", "-qq", "-c", "--seccomp-bpf",
                      "-e", "trace=" + ",".join(SYNC_CALLS), "-o", str(self._counts)]
            self._run(traced + step.command, contestant.directory, environment)
            for call, count in counted(self._counts.read_text()).items():
                total[call] = total.get(call, 0) + count
            found[id(step)].syncs = dict(total)
        contestant.check()

    def _run(self, command: list[str], directory: Path, environment: dict[str, str]) -> Sample:
        with self._errors.open("wb") as errors:
            began = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                # With all that it starts, so that nothing of it is left when we are stopped.
                start_new_session=True,
            )
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise Failure(self._complaint(command, directory, process.returncode))
        return Sample(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024)

    def _complaint(self, command: list[str], directory: Path, code: int) -> str:
        lines = self._errors.read_text(errors="replace").splitlines()[-ERROR_LINES_SHOWN:]
        return "\n".join([f"{shorten(command)} in {directory} ended with {code}", *lines])

    def _settle(self) -> float:
        """Writes back what earlier runs left, then waits a little for a quiet machine (deleting
        100,000 files goes on in the background). Answers how busy it still is."""
        self._run(["sync", "-f", str(self.disk)], self.disk, self.environment)
        deadline = time.monotonic() + self.quiet_seconds
        while (busy := busy_share()) > BUSY_SHARE and time.monotonic() < deadline:
            pass
        return busy

    def _shown(self, contestant: Contestant, step: Step) -> str:
        variables = [f"{name}={value}" for name, value in contestant.environment.items()]
        done = contestant.steps[: contestant.steps.index(step) + 1]
        text = " && ".join(" ".join([*variables, shorten(each.command)]) for each in done)
        return text.replace(str(self.disk), "$DISK")


def tracer() -> str | None:
    """strace, if this system lets it work."""
    found = shutil.which("strace")
    if not found:
        return None
    tried = subprocess.run([found, "-qq", "-c", "-o", os.devnull, "true"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return found if tried.returncode == 0 else None


def shorten(command: list[str]) -> str:
    """A command for people: of 200 files the first is enough."""
    shown = command if len(command) <= 20 else [*command[:4], "..."]
    return shlex.join([Path(shown[0]).name, *shown[1:]])


def counted(summary: str) -> dict[str, int]:
    """The calls in a summary of `strace -c`: share, seconds, each, calls, (errors,) name."""
    counts = {}
    for line in summary.splitlines():
        words = line.split()
        if len(words) >= 5 and words[-1] in SYNC_CALLS:
            counts[words[-1]] = int(words[3])
    return counts


def busy_share() -> float:
    """The share of all cores that was in use during a short look."""
    before = processor_times()
    time.sleep(QUIET_WINDOW_SECONDS)
    after = processor_times()
    total = sum(after) - sum(before)
    # Idle, and idle because a disk is waited for, are the fourth and fifth.
    idle = sum(after[3:5]) - sum(before[3:5])
    return 1 - idle / total if total else 0.0


def processor_times() -> list[int]:
    with open("/proc/stat") as stat:
        return [int(word) for word in stat.readline().split()[1:9]]
