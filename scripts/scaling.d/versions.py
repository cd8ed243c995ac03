"""Versions of the program that differ in nothing but their schema and their faults.

A test build (feature `faults`) adds the migrations of a folder to its own. So version N+1 is the same
program with one file more, which says that programs of version N go on working with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

# The load of a test comes from one address.
UNLIMITED = {"SYSNDD_PUBLIC_REQUESTS_PER_SECOND": "0"}
FOLDER = "SYSNDD_FAULT_MIGRATIONS"

COUNT = """-- What POST /api/test/count counts in.

-- step: counted requests
CREATE TABLE test_count (key TEXT PRIMARY KEY, count BIGINT NOT NULL);
"""
NEXT = """-- What version N+1 adds: programs of version N don't see it.
-- compatible: {before}

-- step: a column
ALTER TABLE test_count ADD COLUMN added BIGINT NOT NULL DEFAULT 0;

-- step: an index
CREATE INDEX test_count_by_count ON test_count (count);
-- postcondition: SELECT count(*) >= 0 FROM test_count WHERE added = 0
"""


class Version(NamedTuple):
    """A version: how many of the two files it has, and what goes wrong in it."""

    files: int
    fault: str = ""


VERSIONS = {
    "now": Version(1),
    "next": Version(2),
    "holds": Version(1, "hold:5"),
    "holds-long": Version(1, "hold:20"),
}


def environment_of(version: str, folder: str) -> dict[str, str]:
    """The settings of a version whose files are in a folder."""
    fault = VERSIONS[version].fault
    return UNLIMITED | {FOLDER: folder} | ({"SYSNDD_FAULT": fault} if fault else {})


def write_files(root: Path, version: str, folder: Path) -> None:
    """Writes the files of a version; their numbers follow those of the program's own."""
    before = len(list((root / "sysndd/store/migrations").glob("*.sql")))
    texts = {
        f"{before + 1:04}_test_count.sql": COUNT,
        f"{before + 2:04}_test_next.sql": NEXT.format(before=before + 1),
    }
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for name, text in list(texts.items())[: VERSIONS[version].files]:
        file = folder / name
        file.write_text(text)
        file.chmod(0o644)
