"""What the measurements say: rows with targets, tables, JSON.

The reasons for the targets are in docs/performance.md.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from data import Tree
from measure import Meter, Series

MEMORY_BASE_BYTES = 60_000_000
MEMORY_BYTES_PER_ENTRY = 200
ONE_CHANGE_SECONDS = 0.030
ONE_CHANGE_SYNCS = 10
HASHING_SPEED = 0.9


@dataclass
class Row:
    """One thing that was measured, beside a reference or against a limit."""

    tree: str
    what: str
    ours: str
    reference: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def cells(self) -> list[str]:
        met = {True: "yes", False: "NO", None: ""}[self.met]
        return [self.tree, self.what, self.ours, self.reference, self.ratio, self.target, met]


HEADINGS = ["tree", "what", "dsg", "reference", "ratio", "target", "met"]
NUMBERS = {2, 4, 5}


@dataclass(frozen=True)
class Comparison:
    """Our time beside that of a reference, from the same rounds."""

    tree: str
    what: str
    group: str
    ours: str
    reference: str
    ratio_max: float | None = None


COMPARISONS = [
    Comparison("small", "status", "status", "dsg status", "find", 0.65),
    Comparison("small", "status, one thread", "status", "dsg status, one thread", "find", 1.1),
    Comparison("small", "status", "status", "dsg status", "git status"),
    Comparison("small", "sync, nothing to do", "sync", "dsg sync, nothing to do", "find", 0.75),
    Comparison("small", "first sync, durable", "first sync", "dsg init", "rsync -a + sync -f", 0.75),
    Comparison("small", "first sync, durable", "first sync", "dsg init", "rsync -a", 1.1),
    Comparison("small", "first sync, durable", "first sync", "dsg init", "cp -a + sync -f"),
    Comparison("small", "first sync, durable", "first sync", "dsg init", "cp -a"),
    Comparison("small", "sync, 1 % changed", "1 % changed", "dsg sync, 1 % changed", "rsync -a + sync -f"),
    Comparison("small", "sync, 1 % changed", "1 % changed", "dsg sync, 1 % changed", "rsync -a"),
    Comparison("small", "clone", "clone", "dsg clone", "rsync -a + sync -f"),
    Comparison("small", "clone", "clone", "dsg clone", "rsync -a"),
    Comparison("small", "clone", "clone", "dsg clone", "cp -a + sync -f"),
    Comparison("small", "clone", "clone", "dsg clone", "cp -a"),
    Comparison("big", "first sync, durable", "first sync", "dsg init", "cp -a --reflink=never + sync -f"),
    Comparison("big", "first sync, durable", "first sync", "dsg init", "cp -a --reflink=never"),
    Comparison("big", "first sync, durable", "first sync", "dsg init", "cp -a --reflink=always + sync -f"),
    Comparison("big", "first sync, durable", "first sync", "dsg init", "cp -a --reflink=always"),
    Comparison("wide", "status", "status", "dsg status", "find"),
    Comparison("wide", "sync, nothing to do", "sync", "dsg sync, nothing to do", "find"),
]

# Commands whose memory has a limit: tree, group, name.
LIMITED_MEMORY = [
    ("small", "first sync", "dsg init"),
    ("small", "status", "dsg status"),
    ("small", "sync", "dsg sync, nothing to do"),
    ("big", "first sync", "dsg init"),
    ("wide", "first sync", "dsg init"),
    ("wide", "status", "dsg status"),
    ("wide", "sync", "dsg sync, nothing to do"),
]


def rows(meter: Meter, trees: dict[str, Tree]) -> list[Row]:
    """Everything that was measured and has something to stand beside, tree by tree."""
    found = [row for comparison in COMPARISONS if (row := compared(meter, comparison))]
    for tree in ("small", "wide"):
        found += one_change(meter, tree)
    if "big" in trees:
        found += hashing(meter, trees["big"])
    for tree, group, name in LIMITED_MEMORY:
        series = meter.find(tree, group, name)
        if series:
            found.append(memory(series, trees[tree].count))
    order = list(trees)
    return sorted(found, key=lambda row: order.index(row.tree))


def compared(meter: Meter, comparison: Comparison) -> Row | None:
    ours = meter.find(comparison.tree, comparison.group, comparison.ours)
    reference = meter.find(comparison.tree, comparison.group, comparison.reference)
    if not ours or not reference:
        return None
    ratio = ours.wall / reference.wall
    row = Row(comparison.tree, comparison.what, seconds(ours.wall),
              f"{seconds(reference.wall)} {reference.name}", times(ratio))
    if comparison.ratio_max is not None:
        row.target = f"≤ {times(comparison.ratio_max)}"
        row.met = ratio <= comparison.ratio_max
    return row


def one_change(meter: Meter, tree: str) -> list[Row]:
    """A difference, not a ratio: what it costs in addition must not grow with the tree."""
    quiet = meter.find(tree, "sync", "dsg sync, nothing to do")
    changed = meter.find(tree, "sync", "dsg sync, one file changed")
    if not quiet or not changed:
        return []
    more = changed.wall - quiet.wall
    found = [Row(tree, "sync, one file changed", seconds(changed.wall),
                 f"{seconds(quiet.wall)} nothing to do", f"{more * 1000:+.0f} ms",
                 f"≤ +{ONE_CHANGE_SECONDS * 1000:.0f} ms", more <= ONE_CHANGE_SECONDS)]
    if changed.sync_count is not None:
        found.append(Row(tree, "sync calls of it", str(changed.sync_count), target=f"≤ {ONE_CHANGE_SYNCS}",
                         met=changed.sync_count <= ONE_CHANGE_SYNCS))
    return found


def hashing(meter: Meter, tree: Tree) -> list[Row]:
    ours = meter.find("big", "hashing", "dsg status without index")
    reference = meter.find("big", "hashing", "b3sum")
    if not ours or not reference:
        return []
    speed, other = (tree.count * tree.file_bytes / series.wall for series in (ours, reference))
    ratio = speed / other
    return [Row("big", "hashing, speed", f"{speed / 1e9:.2f} GB/s", f"{other / 1e9:.2f} GB/s b3sum",
                times(ratio), f"≥ {times(HASHING_SPEED)}", ratio >= HASHING_SPEED)]


def memory(series: Series, entries: int) -> Row:
    limit = MEMORY_BASE_BYTES + MEMORY_BYTES_PER_ENTRY * entries
    return Row(series.tree, f"peak memory, {series.name}", megabytes(series.peak_bytes),
               target=f"≤ {megabytes(limit)}", met=series.peak_bytes <= limit)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def megabytes(value: float) -> str:
    return f"{value / 1e6:.0f} MB"


def times(value: float) -> str:
    return f"{value:.2f} ×"


@dataclass
class Result:
    """A whole run."""

    machine: dict[str, object]
    notes: list[str]
    rows: list[Row]
    series: list[Series]
    quick: bool

    def all_notes(self) -> list[str]:
        quick = ["quick run: a twentieth of the data, so that starting a program weighs too much; "
                 "neither ratios nor targets mean anything"]
        return (quick if self.quick else []) + self.notes

    def about(self) -> str:
        machine = self.machine
        gibibytes = int(machine["memory_bytes"]) / (1 << 30)
        return (f"{machine['date']}, {machine['dsg']} ({machine['commit']}), {machine['cores']} cores of "
                f"{machine['processor']}, {gibibytes:.0f} GiB, Linux {machine['kernel']}, "
                f"{machine['file_system']} above {machine['below_it']}")

    def details(self) -> tuple[list[str], list[list[str]]]:
        headings = ["tree", "group", "measured", "median", "from - to", "processor", "peak memory", "syncs"]
        lines = []
        for series in self.series:
            count = series.sync_count
            lines.append([series.tree, series.group, series.name, seconds(series.wall),
                          f"{seconds(series.fastest)} - {seconds(series.slowest)}", seconds(series.processor),
                          megabytes(series.peak_bytes), "" if count is None else str(count)])
        return headings, lines

    def floor(self) -> str:
        wall = float(self.machine["floor_seconds"]) * 1000
        return (f"Starting a program that does nothing: {wall:.1f} ms, "
                f"{megabytes(int(self.machine['floor_bytes']))}; it is part of every time and peak.")

    def plain(self) -> str:
        headings, details = self.details()
        parts = [self.about(), *(f"note: {note}" for note in self.all_notes()), "",
                 aligned(HEADINGS, [row.cells() for row in self.rows], NUMBERS), "",
                 aligned(headings, details, set(range(3, 8))), "", self.floor()]
        return "\n".join(parts)

    def markdown(self) -> str:
        headings, details = self.details()
        parts = [self.about() + ".", *(f"Note: {note}." for note in self.all_notes()),
                 piped(HEADINGS, [row.cells() for row in self.rows], NUMBERS),
                 piped(headings, details, set(range(3, 8))), self.floor()]
        return "\n\n".join(parts)

    def raw(self) -> dict[str, object]:
        return {
            "format": 1,
            "quick": self.quick,
            "machine": self.machine,
            "notes": self.all_notes(),
            "rows": [dataclasses.asdict(row) for row in self.rows],
            "series": [dataclasses.asdict(series) | {"wall_median": series.wall} for series in self.series],
        }


def aligned(headings: list[str], lines: list[list[str]], right: set[int]) -> str:
    table = [headings, *lines]
    widths = [max(len(line[column]) for line in table) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.rjust(width) if column in right else cell.ljust(width)
                  for column, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in table
    )


def piped(headings: list[str], lines: list[list[str]], right: set[int]) -> str:
    rule = ["---:" if column in right else "---" for column in range(len(headings))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [headings, rule, *lines])
