"""What is measured, per tree. The names given here are those that `report` looks for."""

from __future__ import annotations

import filecmp
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import data
from measure import Contestant, Failure, Meter, Step, nothing
from place import Place

FIND = ["find", "input", "-type", "f", "-printf", "%s %T@ %p\\n"]
CP = ["cp", "-a"]
RSYNC = ["rsync", "-a"]
QUICK_DIVISOR = 20


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    small: int
    big: int
    wide: int
    short_repeats: int
    long_repeats: int
    disk_bytes: int
    quiet_seconds: float

    @staticmethod
    def full() -> Size:
        return Size(100_000, 200, 200_000, 7, 3, 12 << 30, 3.0)

    @staticmethod
    def quick() -> Size:
        counts = [count // QUICK_DIVISOR for count in (100_000, 200, 200_000)]
        return Size(*counts, 3, 1, 2 << 30, 0.2)


class Project:
    """A project of dsg with its repository, both on the disk that is measured on."""

    def __init__(self, bench: Bench, name: str, tree: Callable[[Path, int], data.Tree], count: int) -> None:
        self.bench = bench
        self.name = name
        self.directory = bench.here.directory / name
        self.input = self.directory / "input"
        self.mountpoint = bench.here.directory / f"{name}-repositories"
        self.repository = self.mountpoint / name
        self.mountpoint.mkdir()
        self.files = tree(self.input, count)
        self.files.make(bench.seed)
        bench.trees[name] = self.files
        bench.warm(self.input)

    def init(self) -> list[str]:
        kind = "xfs" if self.bench.here.is_xfs else "posix"
        return [str(self.bench.program), "init", "--yes", "--no-interactive", "--name", self.name,
                "--mountpoint", str(self.mountpoint), "--type", kind, "--data-dirs", "input"]

    def dsg(self, name: str, *command: str, **rest) -> Contestant:
        return Contestant.of(name, [str(self.bench.program), *command], self.directory, **rest)

    def status(self, name: str = "dsg status", **rest) -> Contestant:
        return self.dsg(name, "status", "--quiet", **rest)

    def sync(self, name: str, **rest) -> Contestant:
        return self.dsg(name, "sync", "--quiet", **rest)

    def find(self) -> Contestant:
        return Contestant.of("find", FIND, self.directory)

    def forget(self) -> None:
        """As before the first sync; the input stays, and with it its place in the cache."""
        remove(self.directory / ".dsg", self.directory / ".dsgconfig.yml", self.repository)

    def remove(self) -> None:
        remove(self.directory, self.mountpoint)

    def check_repository(self, paths: list[Path]) -> None:
        check_equal(self.directory, self.repository, paths)


class Bench:
    """What every case needs."""

    def __init__(self, program: Path, here: Place, meter: Meter, size: Size, seed: int) -> None:
        self.program = program
        self.here = here
        self.meter = meter
        self.size = size
        self.seed = seed
        # What was made, by the name of the project.
        self.trees: dict[str, data.Tree] = {}

    def has(self, tool: str) -> bool:
        return tool in self.here.tools

    def warm(self, directory: Path) -> None:
        """Everything in the cache: programs are measured, not disks."""
        read = ["find", str(directory), "-type", "f", "-exec", "cat", "{}", "+"]
        self.meter.run(read, self.here.directory)

    def copy(self, command: list[str], source: Path, count: int) -> Contestant:
        """Copies a directory to a place that is new each time; counted with and without the sync
        that makes the copy survive a power cut."""
        name = " ".join(command)
        target = self.here.directory / "copy"
        trailing = "/" if command[0] == "rsync" else ""
        copying = [*command, f"{source}{trailing}", f"{target}{trailing}"]
        return Contestant(
            [Step(name, copying), Step(f"{name} + sync -f", ["sync", "-f", str(target)])],
            self.here.directory,
            prepare=lambda: remove(target),
            check=lambda: check_count(target, count),
        )

    def copies(self, commands: list[list[str]], source: Path, count: int) -> list[Contestant]:
        possible = [command for command in commands if command[0] != "rsync" or self.has("rsync")]
        return [self.copy(command, source, count) for command in possible]

    def forget_copy(self) -> None:
        remove(self.here.directory / "copy")


def small(bench: Bench) -> None:
    project = Project(bench, "small", data.small, bench.size.small)
    first_sync(bench, project, [CP, RSYNC], bench.size.long_repeats)
    status(bench, project)
    one_change(bench, project)
    many_changes(bench, project)
    clone(bench, project)
    project.remove()


def wide(bench: Bench) -> None:
    project = Project(bench, "wide", data.wide, bench.size.wide)
    first_sync(bench, project, [], 1)
    contestants = [project.status(), project.find()]
    bench.meter.rounds("wide", "status", contestants, bench.size.short_repeats, warm_up=True)
    one_change(bench, project)
    project.remove()


def big(bench: Bench) -> None:
    project = Project(bench, "big", data.big, bench.size.big)
    copies = [[*CP, "--reflink=never"]]
    if bench.here.can_reflink():
        copies.append([*CP, "--reflink=always"])
    first_sync(bench, project, copies, bench.size.long_repeats)
    hashing(bench, project)
    project.remove()


def first_sync(bench: Bench, project: Project, copies: list[list[str]], repeats: int) -> None:
    count = project.files.count

    def check() -> None:
        check_count(project.repository / "input", count)
        project.check_repository(project.files.every(max(1, count // 20)))

    ours = Contestant.of("dsg init", project.init(), project.directory, prepare=project.forget, check=check)
    contestants = [ours, *bench.copies(copies, project.input, count)]
    bench.meter.rounds(project.name, "first sync", contestants, repeats)
    bench.forget_copy()


def status(bench: Bench, project: Project) -> None:
    one_thread = {"RAYON_NUM_THREADS": "1"}
    contestants = [
        project.status(),
        project.status("dsg status, one thread", environment=one_thread),
        project.find(),
    ]
    git = bench.here.directory / "git"
    if bench.has("git"):
        command = git_status(bench, git, project)
        contestants.append(Contestant.of("git status", command, project.directory))
    bench.meter.rounds(project.name, "status", contestants, bench.size.short_repeats, warm_up=True)
    remove(git)


def git_status(bench: Bench, directory: Path, project: Project) -> list[str]:
    """Makes a git repository, outside, of the very same files; answers the command for its status."""
    git = ["git", f"--git-dir={directory}", f"--work-tree={project.directory}"]

    def run(*command: str) -> None:
        bench.meter.run([*git, *command], project.directory)

    bench.meter.run(["git", "init", "-q", "--bare", str(directory)], bench.here.directory)
    for name, value in [("core.bare", "false"), ("gc.auto", "0"), ("maintenance.auto", "false"),
                        ("user.name", "Bench"), ("user.email", "bench@example.org")]:
        run("config", name, value)
    (directory / "info" / "exclude").write_text("/.dsg*\n")
    run("add", "input")
    # Or the status would be a list of 100,000 new files.
    run("commit", "-q", "-m", "measured")
    run("update-index", "-q", "--refresh")
    return [*git, "status"]


def one_change(bench: Bench, project: Project) -> None:
    changed = project.files.path(project.files.count // 2)
    contestants = [
        project.sync("dsg sync, nothing to do"),
        project.find(),
        project.sync(
            "dsg sync, one file changed",
            prepare=lambda: data.append_byte(changed),
            check=lambda: project.check_repository([changed]),
        ),
    ]
    bench.meter.rounds(project.name, "sync", contestants, bench.size.short_repeats, warm_up=True)


def many_changes(bench: Bench, project: Project) -> None:
    changed = project.files.every(100)
    contestants = [
        project.sync("dsg sync, 1 % changed", check=lambda: project.check_repository(changed)),
    ]
    for copying in bench.copies([RSYNC], project.input, project.files.count):
        target = bench.here.directory / "copy"
        bench.meter.run(copying.steps[0].command, bench.here.directory)
        # Into the copy that is there.
        copying.prepare = nothing
        copying.check = lambda: check_equal(project.input, target, changed)
        contestants.append(copying)
    rewrite = data.Rewriter(changed, project.files.file_bytes, bench.seed)
    bench.meter.rounds(
        project.name, "1 % changed", contestants, bench.size.long_repeats, before_round=rewrite
    )
    bench.forget_copy()


def clone(bench: Bench, project: Project) -> None:
    count = project.files.count
    target = bench.here.directory / "clone"
    source = project.repository / "input"
    bench.warm(source)
    ours = Contestant.of(
        "dsg clone",
        [str(bench.program), "clone", str(project.repository), str(target)],
        bench.here.directory,
        prepare=lambda: remove(target),
        check=lambda: check_count(target / "input", count),
    )
    contestants = [ours, *bench.copies([CP, RSYNC], source, count)]
    bench.meter.rounds(project.name, "clone", contestants, bench.size.long_repeats)
    remove(target)
    bench.forget_copy()


def hashing(bench: Bench, project: Project) -> None:
    index = project.directory / ".dsg" / "index"
    # Without the index nothing is known of a file, and each is read again.
    ours = project.status("dsg status without index", prepare=lambda: index.unlink(missing_ok=True))
    contestants = [ours]
    if bench.has("b3sum"):
        command = ["b3sum", *map(str, project.files.every(1))]
        contestants.append(Contestant.of("b3sum", command, project.directory))
    bench.meter.rounds(project.name, "hashing", contestants, bench.size.short_repeats, warm_up=True)


def remove(*paths: Path) -> None:
    # `rm` is several times quicker at it than this language.
    subprocess.run(["rm", "-rf", "--", *map(str, paths)], check=True)


def check_count(directory: Path, expected: int) -> None:
    found = data.count_files(directory)
    if found != expected:
        raise Failure(f"{directory} has {found} files instead of {expected}")


def check_equal(source: Path, target: Path, paths: list[Path]) -> None:
    """Whether the target has these files of the source, byte by byte."""
    names = [str(path.relative_to(source)) for path in paths]
    _, different, missing = filecmp.cmpfiles(source, target, names, shallow=False)
    # What was compared once would count as equal if size and time are as they were then.
    filecmp.clear_cache()
    if different or missing:
        raise Failure(f"{target} has not {(different + missing)[0]} as it is in {source}")
