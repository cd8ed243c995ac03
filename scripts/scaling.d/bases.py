"""The images that compose.yml names: pulled where that is possible, else made from Debian's packages.

A made one does what compose.yml relies on and no more: the settings POSTGRES_*, the folder
/var/lib/postgresql/data; HAProxy's configuration in /usr/local/etc/haproxy. It has a name of its own,
so that it is never taken for the one that it stands in for.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from commands import CommandFailed, answers, run
from report import Report

RELEASE = "bookworm"
BASE = f"sysndd-scaling/debian:{RELEASE}"


class Images(NamedTuple):
    """The images to put into compose.yml's settings."""

    postgres: str
    haproxy: str


POSTGRES = f"""
FROM {BASE}
RUN apt-get update -qq \\
 && apt-get install -y -qq --no-install-recommends postgresql >/dev/null 2>&1 \\
 && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/*
RUN ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/ 2>/dev/null || true
COPY start /usr/local/bin/start
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["/usr/local/bin/start"]
"""

POSTGRES_START = """#!/bin/bash
set -euo pipefail
data=/var/lib/postgresql/data
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
mkdir -p "$data" /var/run/postgresql
chown postgres:postgres "$data" /var/run/postgresql
chmod 700 "$data"
if [ ! -s "$data/PG_VERSION" ]; then
    password=$(mktemp)
    chown postgres "$password"
    as_postgres cat "$POSTGRES_PASSWORD_FILE" > "$password"
    as_postgres initdb --pgdata "$data" --username "$POSTGRES_USER" --pwfile "$password" \\
        --auth-local trust --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8
    rm "$password"
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    as_postgres pg_ctl --pgdata "$data" --wait -o "-c listen_addresses=''" start
    as_postgres createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
    as_postgres pg_ctl --pgdata "$data" --wait --mode fast stop
fi
exec setpriv --reuid postgres --regid postgres --init-groups postgres -D "$data" -c "listen_addresses=*"
"""

HAPROXY = f"""
FROM {BASE}
RUN apt-get update -qq \\
 && apt-get install -y -qq --no-install-recommends haproxy >/dev/null 2>&1 \\
 && rm -rf /var/lib/apt/lists/*
USER haproxy
STOPSIGNAL SIGUSR1
ENTRYPOINT ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
"""


def images(cache: Path, report: Report) -> Images:
    """Both images, present on the engine."""
    pulled = Images("postgres:15", "haproxy:2.6")
    if all(present(name) for name in pulled):
        return pulled
    report.say("making the images of PostgreSQL and HAProxy from Debian's packages: none can be pulled")
    base(cache)
    return Images(
        build("postgres", POSTGRES, {"start": POSTGRES_START}),
        build("haproxy", HAPROXY, {}),
    )


def present(name: str) -> bool:
    """Whether an image is there, or can be had."""
    return answers(["docker", "image", "inspect", name]) or answers(["docker", "pull", "--quiet", name], 120)


def build(what: str, dockerfile: str, files: dict[str, str]) -> str:
    """Builds an image from texts, and names it by them; the network is the host's, so that apt
    reaches its mirrors."""
    texts = "".join([dockerfile, *files.values()])
    name = f"sysndd-scaling/{what}:{hashlib.sha256(texts.encode()).hexdigest()[:12]}"
    if answers(["docker", "image", "inspect", name]):
        return name
    with tempfile.TemporaryDirectory() as folder:
        for file, text in (files | {"Dockerfile": dockerfile}).items():
            path = Path(folder, file)
            path.write_text(text.lstrip("\n"))
            path.chmod(0o755)
        run(["docker", "build", "--network", "host", "--tag", name, folder])
    return name


def base(cache: Path) -> None:
    """A minimal Debian, kept as an archive between runs."""
    if answers(["docker", "image", "inspect", BASE]):
        return
    archive = cache / f"{RELEASE}.tar"
    if not archive.exists():
        bootstrap(archive)
    run(["docker", "import", archive, BASE])


def bootstrap(archive: Path) -> None:
    """Debian from the mirror that apt itself is set up with."""
    if not shutil.which("debootstrap", path="/usr/sbin:/sbin"):
        raise CommandFailed("images can't be pulled, and debootstrap is not installed")
    archive.parent.mkdir(parents=True, exist_ok=True)
    mirror = []
    with contextlib.suppress(CommandFailed):
        wanted = ["Created-By: Packages", f"Codename: {RELEASE}", "Component: main"]
        sites = run(["apt-get", "indextargets", "--format", "$(SITE)", *wanted]).split()
        mirror = sites[:1]
    with tempfile.TemporaryDirectory(prefix="sysndd-debian.") as folder:
        root = Path(folder, "root")
        run(["debootstrap", "--variant=minbase", RELEASE, root, *mirror], timeout=1200)
        with contextlib.suppress(OSError):
            shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        partial = archive.with_suffix(".partial")
        run(["tar", "-C", root, "-cf", partial, "."])
        partial.rename(archive)
