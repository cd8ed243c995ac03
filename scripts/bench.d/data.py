"""Trees to measure on, the same for the same seed, and changes to them.

The contents are random, so that nobody gains by compressing. Contents are made in pieces and paths
only when asked for: what this process ever had in memory counts as peak of each that it starts.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

FILES_PER_DIRECTORY = 100
PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Tree:
    """Files of one size, by number."""

    directory: Path
    count: int
    file_bytes: int
    place: Callable[[int], str]

    def path(self, number: int) -> Path:
        return self.directory / self.place(number)

    def every(self, step: int) -> list[Path]:
        return [self.path(number) for number in range(0, self.count, step)]

    def make(self, seed: int) -> None:
        contents = random.Random(seed)
        parent = None
        for number in range(self.count):
            path = self.path(number)
            if path.parent != parent:
                parent = path.parent
                parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for start in range(0, self.file_bytes, PIECE_BYTES):
                    file.write(contents.randbytes(min(PIECE_BYTES, self.file_bytes - start)))


def small(directory: Path, count: int) -> Tree:
    """Many small files, a hundred in each directory."""

    def place(number: int) -> str:
        return f"d{number // FILES_PER_DIRECTORY:04}/f{number % FILES_PER_DIRECTORY:03}.csv"

    return Tree(directory, count, 1024, place)


def big(directory: Path, count: int) -> Tree:
    """A few large files."""
    return Tree(directory, count, 10 << 20, lambda number: f"b{number:03}.dat")


def wide(directory: Path, count: int) -> Tree:
    """Tiny files, all in one directory."""
    return Tree(directory, count, 16, lambda number: f"w{number:06}.csv")


def append_byte(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def count_files(directory: Path) -> int:
    count = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                count += count_files(Path(entry.path))
            else:
                count += 1
    return count


class Rewriter:
    """Gives files new contents of the same size, again and again."""

    def __init__(self, paths: list[Path], file_bytes: int, seed: int) -> None:
        self.paths = paths
        self.file_bytes = file_bytes
        # Other contents than the tree was made with.
        self._contents = random.Random(seed + 1)
        self._second = int(time.time())

    def __call__(self) -> None:
        # rsync compares times by the second: a second change within one would be none to it.
        while int(time.time()) <= self._second:
            time.sleep(0.05)
        for path in self.paths:
            path.write_bytes(self._contents.randbytes(self.file_bytes))
        self._second = int(time.time())
