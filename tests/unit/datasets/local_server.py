"""Local server with a dataset, for download tests without a network."""

import contextlib
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from digitpad.datasets.download.sources import DatasetSource, RemoteFile
from tests.unit.datasets.idx_files import random_digits, write_folder


@dataclass
class Server:
    """Files and settings of a local server, and the requests that it received."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    ranges: bool = True
    held: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str]] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    """Request handler that serves the files of `Server`."""

    state: Server

    def do_GET(self) -> None:
        """Send a file, or the requested end of it."""
        name = self.path.lstrip("/")
        range_header = self.headers.get("Range", "")
        self.state.asked.append((name, range_header))
        if name not in self.state.files:
            self.send_error(404)
            return
        content = self.state.files[name]
        begin = int(range_header.removeprefix("bytes=").rstrip("-")) if range_header and self.state.ranges else 0
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        end = self.state.cut.pop(name, len(content))
        self.wfile.write(content[begin:end])
        if name in self.state.paused:
            self.wfile.flush()
            self.state.held.wait(60)
            self.wfile.write(content[end:])

    def log_message(self, format: str, *args: object) -> None:
        """Suppress log output."""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Write a dataset to ``folder`` and serve its files."""
    state = Server()
    write_folder(folder, random_digits(60, 1), random_digits(20, 2), zipped=True)
    state.files = {path.name: path.read_bytes() for path in folder.iterdir()}
    handler = type("Bound", (Handler,), {"state": state})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = False  # closing it waits for the threads of requests
        state.url = f"http://127.0.0.1:{running.server_port}/"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            state.held.set()
            running.shutdown()
            thread.join()


def source_of(server: Server, *bases: str, name: str = "fashion-mnist") -> DatasetSource:
    """Return a source for the files that the server has now."""
    files = tuple(
        RemoteFile(file, len(content), hashlib.sha256(content).hexdigest(), tuple(base + file for base in bases))
        for file, content in sorted(server.files.items())
    )
    return DatasetSource(name, "Some", "about", "licence", files)
