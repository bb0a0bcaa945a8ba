"""A real S3 server for tests: SeaweedFS, which comes as a Python package with one binary."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

KEY, SECRET = "greenroom-tests", "a-secret-of-the-tests"
START_SECONDS = 60.0


@dataclass
class ObjectServer:
    """The server and its address; it can be killed and started again with what it kept."""

    folder: Path
    ports: list[int] = field(default_factory=lambda: _free_ports(8))
    process: "subprocess.Popen[bytes] | None" = None

    def url(self, prefix: str = "models") -> str:
        """What goes into GREENROOM_MODELS_URL."""
        options = urlencode({"endpoint": f"http://127.0.0.1:{self.ports[0]}", "region": "us-east-1"})
        return f"s3://{KEY}:{SECRET}@greenroom/{prefix}?{options}"

    def start(self) -> None:
        """Start it and wait until it takes an object."""
        self._write_keys()
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(self._command(), stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self._works():
            assert self.process.poll() is None and time.monotonic() < deadline, "the server does not start"
            time.sleep(0.1)

    def kill(self) -> None:
        """End it without warning; a stop in order takes it half a minute."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
        # It names its sockets after its ports, always in this folder, and leaves them when it is killed.
        for port in self.ports:
            for left in [*Path("/tmp").glob(f"seaweedfs-*-{port}.sock")]:
                left.unlink(missing_ok=True)

    def _command(self) -> list[str]:
        s3, s3_rpc, filer, filer_rpc, master, master_rpc, volume, volume_rpc = self.ports
        words = {
            "dir": self.folder / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.port": master,
            "master.port.grpc": master_rpc,
            "master.volumeSizeLimitMB": 64,
            "volume.port": volume,
            "volume.port.grpc": volume_rpc,
            "volume.max": 20,
            "filer.port": filer,
            "filer.port.grpc": filer_rpc,
            "s3.port": s3,
            "s3.port.grpc": s3_rpc,
            "s3.config": self.folder / "s3.json",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
        }
        options = [f"-{name}={value}" for name, value in words.items()]
        return [_binary(), "server", "-filer", "-s3", *options]

    def _write_keys(self) -> None:
        (self.folder / "data").mkdir(exist_ok=True)
        who = {
            "name": "tests",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin"],
        }
        (self.folder / "s3.json").write_text(json.dumps({"identities": [who]}))

    def _works(self) -> bool:
        from obstore import put
        from obstore.exceptions import BaseError

        try:
            put(client(self.url("started")), "yes", b"yes")
        except BaseError:
            return False
        return True


def client(url: str) -> object:
    """A plain client of the bucket, to look and to meddle behind the service's back."""
    from moderation.model_store import ObjectStore

    return ObjectStore(url, Path(os.devnull))._client


@contextlib.contextmanager
def running_object_server(folder: Path) -> Iterator[ObjectServer]:
    """A server that is up, and gone at the end of the block."""
    server = ObjectServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def binary_is_there() -> bool:
    """Whether the package with the server is installed; it is made for Linux and some Macs."""
    return Path(_binary()).exists()


def _binary() -> str:
    return shutil.which("weed", path=str(Path(sys.executable).parent)) or os.devnull + "/weed"


def _free_ports(count: int) -> list[int]:
    """Ports free now, all different; below 55,000, for the server adds 10,000 where it is told none."""
    found: list[int] = []
    held: list[socket.socket] = []
    while len(found) < count:
        probe = socket.socket()
        held.append(probe)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        if port < 55_000:
            found.append(port)
    for probe in held:
        probe.close()
    return found
