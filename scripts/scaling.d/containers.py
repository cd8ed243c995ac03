"""Replicas in containers, by deploy/compose.yml as it is: only its settings differ."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from bases import Images
from commands import answers, environment, run
from fleet import Fleet, Replica
from report import wait_until
from versions import VERSIONS, environment_of, write_files

PROJECT = "sysndd-scaling"
# Not 1000: the image must not care who it is run as.
OWNER = 4242


def image(version: str) -> str:
    return f"sysndd-scaling/sysndd:{version}"


def build_images(root: Path, binary: Path) -> None:
    """The image by deploy/image, then one for each version, on top of it."""
    run([root / "deploy/image", "--binary", binary, "--tag", image("plain")], cwd=root)
    for version in VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            write_files(root, version, Path(folder, "files"))
            lines = [f"FROM {image('plain')}", "COPY files/ /test/"]
            lines += [f"ENV {name}={value}" for name, value in environment_of(version, "/test").items()]
            Path(folder, "Dockerfile").write_text("\n".join(lines) + "\n")
            run(["docker", "build", "--tag", image(version), folder])


def forget_images() -> None:
    """Takes the images of the program away; those that they stand on are kept for the next run."""
    for version in [*VERSIONS, "plain"]:
        run(["docker", "image", "rm", "--force", image(version)], fails=True)


def compose_commands() -> list[list[str]]:
    """The Compose programs that are here: both are meant to work."""
    found = []
    if answers(["docker", "compose", "version"]):
        found.append(["docker", "compose"])
    if shutil.which("docker-compose", path=environment()["PATH"]):
        found.append(["docker-compose"])
    return found


class Container(Replica):
    """A container, reached by its own address as the proxy does."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.name = identity[:12]
        self._address = ""

    def _host(self) -> str:
        if not self._address:
            wanted = '{{range $name, $network := .NetworkSettings.Networks}}{{$name}}={{$network.IPAddress}} {{end}}'
            words = run(["docker", "inspect", "--format", wanted, self.identity]).split()
            found = dict(word.split("=", 1) for word in words)
            self._address = found.get(f"{PROJECT}_replicas", "")
        return self._address or "0.0.0.0"

    @property
    def operations(self) -> str:
        return f"http://{self._host()}:7778"

    @property
    def public(self) -> str:
        return f"http://{self._host()}:7777"

    def lines(self) -> list[str]:
        return run(["docker", "logs", self.identity], fails=True).splitlines()

    def signal(self, name: str) -> None:
        run(["docker", "kill", "--signal", name, self.identity])

    def runs(self) -> bool:
        wanted = "{{.State.Running}}"
        return run(["docker", "inspect", "--format", wanted, self.identity], fails=True).strip() == "true"

    def is_healthy(self) -> bool:
        """What the image's own HEALTHCHECK says."""
        wanted = "{{.State.Health.Status}}"
        return run(["docker", "inspect", "--format", wanted, self.identity], fails=True).strip() == "healthy"


class Containers(Fleet):
    """Containers of one project of Compose."""

    kind = "containers"
    owner = OWNER

    def __init__(self, root: Path, images: Images, compose: list[str]) -> None:
        self._compose = compose
        self._folder = Path(tempfile.mkdtemp(prefix="sysndd-scaling."))
        self._folder.chmod(0o755)
        # A copy, so that a .env of somebody's deployment is not read.
        self.deploy = self._folder / "deploy"
        self.deploy.mkdir()
        for name in ("compose.yml", "haproxy.cfg", "roll"):
            shutil.copy(root / "deploy" / name, self.deploy / name)
        self.data = self._folder / "data"
        self.data.mkdir()
        os.chown(self.data, OWNER, OWNER)
        run([root / "deploy/prepare", "--folder", self.deploy, "--uid", str(OWNER), "--gid", str(OWNER)])
        self._settings = {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "SYSNDD_IMAGE": image("now"),
            "SYSNDD_POSTGRES_IMAGE": images.postgres,
            "SYSNDD_HAPROXY_IMAGE": images.haproxy,
            "SYSNDD_UID": str(OWNER),
            "SYSNDD_GID": str(OWNER),
            "SYSNDD_DATA": str(self.data),
            "SYSNDD_ADDRESS": "127.0.0.1:0",
        }

    def compose(self, *words: str, fails: bool = False) -> str:
        command = [*self._compose, "-f", str(self.deploy / "compose.yml"), *words]
        return run(command, extra=self._settings, cwd=self.deploy, fails=fails)

    def start(self, count: int, version: str = "now") -> None:
        self._settings["SYSNDD_IMAGE"] = image(version)
        self.compose("up", "-d", "--scale", f"api={count}")

    def stop(self) -> None:
        # As a host that goes down: containers are gone, volumes stay.
        self.compose("down", "--timeout", "20")

    def end(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "2", fails=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def replicas(self) -> list[Replica]:
        return list(self.containers())

    def containers(self, *, stopped: bool = False) -> list[Container]:
        words = ["docker", "ps", "-q", "--no-trunc", *(["-a"] if stopped else [])]
        words += ["--filter", f"label=com.docker.compose.project={PROJECT}"]
        words += ["--filter", "label=com.docker.compose.service=api"]
        return [Container(identity) for identity in run(words).split()]

    def sql(self, text: str) -> list[list[str]]:
        identity = self.compose("ps", "-q", "postgres").split()[-1]
        command = ["docker", "exec", identity, "psql", "-U", "sysndd", "-d", "sysndd", "-AtF", "\t", "-c", text]
        return [line.split("\t") for line in run(command).splitlines()]

    def address(self) -> tuple[str, int]:
        identity = self.compose("ps", "-q", "proxy").split()[-1]
        ports = json.loads(run(["docker", "inspect", "--format", "{{json .NetworkSettings.Ports}}", identity]))
        binding = ports["8080/tcp"][0]
        return binding["HostIp"], int(binding["HostPort"])

    def roll(self, version: str) -> str:
        self._settings["SYSNDD_IMAGE"] = image(version)
        extra = self._settings | {"COMPOSE": " ".join(self._compose), "ROLL_TIMEOUT": "120"}
        return run([self.deploy / "roll", "--replicas", "4"], extra=extra, cwd=self.deploy)

    def wait_healthy(self, count: int, timeout: float) -> float:
        def holds() -> object:
            states = [each.is_healthy() for each in self.containers()]
            return states.count(True) == count or f"{states.count(True)} of {len(states)} healthy"

        return wait_until(f"{count} healthy containers", holds, timeout, 0.3)

    def one_off(self, *words: str) -> str:
        """A container of its own, with the settings of a replica; what it said."""
        return self.compose("run", "--rm", "--no-deps", "-T", *words, fails=True)
