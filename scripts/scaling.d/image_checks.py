"""What the image and compose.yml promise, seen on real containers."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from commands import run
from containers import OWNER, Containers, image
from report import Failed, Report

LABELS = ["title", "version", "revision", "created", "licenses", "documentation"]


def files_of(name: str) -> list[str]:
    """The paths in an image."""
    identity = run(["docker", "create", name]).strip()
    try:
        names = run(["sh", "-c", f"docker export {identity} | tar -t"])
    finally:
        run(["docker", "rm", "-v", identity])
    return names.splitlines()


def about_the_image(report: Report) -> None:
    """The image by itself."""
    inspected = json.loads(run(["docker", "image", "inspect", image("plain")]))[0]
    config = inspected["Config"]

    def small() -> str:
        names = files_of(image("plain"))
        programs = [name for name in names if re.search(r"(^|/)(bin|sbin|lib|lib64)/.", name)]
        wanted = ["sysndd", "etc/ssl/certs/ca-certificates.crt", "usr/share/zoneinfo/Europe/Berlin", "app/data/"]
        missing = [name for name in wanted if name not in names]
        if programs or missing:
            raise Failed(f"not expected: {programs[:5]}; missing: {missing}")
        return f"{inspected['Size'] / 1e6:.0f} MB"

    def stated() -> str:
        labels = config["Labels"] or {}
        missing = [label for label in LABELS if not labels.get(f"org.opencontainers.image.{label}")]
        if missing or config["User"] != "1000:1000":
            raise Failed(f"missing labels {missing}, user {config['User']!r}")
        if config.get("Healthcheck", {}).get("Test") != ["CMD", "/sysndd", "health"]:
            raise Failed(f"the health check is {config.get('Healthcheck')}")
        return f"user {config['User']}"

    report.check("the image has the program, certificates, time zones, and nothing else", small)
    report.check("it says what it is, runs as 1000:1000 and is checked by `sysndd health`", stated)


def about_compose(fleet: Containers, report: Report) -> None:
    """The compose file as Compose reads it, and the containers that came of it."""

    def valid() -> str:
        fleet.compose("config", "--quiet")
        text = Path(fleet.deploy, "compose.yml").read_text()
        found = [word for word in ("container_name:", "start_interval:", "version:") if re.search(rf"(?m)^\s*{word}", text)]
        if found or re.search(r"(?m)^name:", text):
            raise Failed(f"not understood by both versions of Compose: {found or 'name:'}")
        return "no container_name, name, start_interval, version"

    def held() -> str:
        for each in fleet.containers():
            host = json.loads(run(["docker", "inspect", "--format", "{{json .HostConfig}}", each.identity]))
            seen = {
                "read-only root": host["ReadonlyRootfs"],
                "memory": host["Memory"] == 256 * 1024 * 1024,
                "processors": host["NanoCpus"] == 1_000_000_000,
                "processes": host["PidsLimit"] == 100,
                "capabilities": host["CapDrop"] == ["ALL"],
                "privileges": "no-new-privileges:true" in host["SecurityOpt"],
                "restart": host["RestartPolicy"]["Name"] == "unless-stopped",
                "log rotation": host["LogConfig"]["Config"] == {"max-size": "50m", "max-file": "5"},
            }
            lacking = [name for name, good in seen.items() if not good]
            if lacking:
                raise Failed(f"{each.name} lacks {lacking}")
        return "memory 256 MiB, 1 processor, 100 processes, read-only, no capability"

    report.check("compose.yml is valid, for both versions of Compose", valid)
    report.check("each replica has its limits", held)
    report.check("a replica needs less than 100 MB", lambda: replicas_use_little(fleet))
    report.check("each is healthy by its own HEALTHCHECK", lambda: f"after {fleet.wait_healthy(4, 60):.1f} s")


def unwritable_data(fleet: Containers) -> str:
    """The message that saves an evening: which directory, whose it is, who we are, what to type."""
    fleet.compose("up", "-d", "postgres")
    os.chown(fleet.data, 0, 0)
    fleet.data.chmod(0o755)
    said = fleet.one_off("api", "serve")
    wanted = ["/app/data", "belongs to user 0", f"this process is user {OWNER}", f"chown -R {OWNER}:{OWNER} /app/data"]
    missing = [text for text in wanted if text not in said]
    if missing:
        raise Failed(f"{missing} is not in: {said[-800:]}")
    return "directory, owner, our uid, command"


def replicas_use_little(fleet: Containers) -> str:
    """Memory that the kernel counts for each, with four of them ready."""
    seen = {}
    for each in fleet.containers():
        said = run(["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", each.identity])
        number, unit = re.match(r"([\d.]+)([KMG])iB", said).groups()  # type: ignore[union-attr]
        seen[each.name] = float(number) * {"K": 1 / 1024, "M": 1, "G": 1024}[unit]
    most = max(seen.values())
    if most >= 100:
        raise Failed(f"a replica uses {most:.0f} MiB")
    return f"{most:.0f} MiB at most"
