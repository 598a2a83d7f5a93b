"""What a show sends and hears over OSC, served over HTTP as OSCQuery describes it, by a process of its own.

    python -m live.describe HOST PORT      reads the namespace as one line of JSON, then serves until its input ends

https://github.com/Vidvox/OSCQueryProposal: `GET /live/intensity` gives a node, `?HOST_INFO` the host, `?TYPE` and its
like one attribute (204 where the node has none). Standard library only, so that it starts at once.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

Node = dict[str, Any]
ATTRIBUTES = ("FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "RANGE", "DESCRIPTION", "VALUE")
SENT, HEARD = 1, 2
"""OSCQuery's `ACCESS`: can be read, can be written."""


class Address(NamedTuple):
    """An OSC address: its type tags, `SENT` or `HEARD`, and what it means; `least` < `most` where there is a range."""

    path: str
    types: str
    access: int
    meaning: str = ""
    least: float = 0.0
    most: float = 0.0


def namespace(addresses: Iterable[Address]) -> Node:
    """The tree of nodes over `addresses`."""
    root: Node = {"FULL_PATH": "/", "ACCESS": 0, "CONTENTS": {}}
    for address in addresses:
        node, path = root, ""
        for part in address.path.strip("/").split("/"):
            path += f"/{part}"
            node = node.setdefault("CONTENTS", {}).setdefault(part, {"FULL_PATH": path, "ACCESS": 0})
        node |= {"TYPE": address.types, "ACCESS": node["ACCESS"] | address.access}
        if address.meaning:
            node["DESCRIPTION"] = address.meaning
        if address.least < address.most:
            node["RANGE"] = [{"MIN": address.least, "MAX": address.most}]
    return root


def host_info(name: str, osc_host: str, osc_port: int) -> Node:
    """Where orders are heard; port 0 where they are not."""
    extensions = dict.fromkeys(("ACCESS", "RANGE", "DESCRIPTION"), True)
    info: Node = {"NAME": name, "EXTENSIONS": extensions, "OSC_TRANSPORT": "UDP"}
    return info | ({"OSC_IP": osc_host, "OSC_PORT": osc_port} if osc_port else {})


def answer(root: Node, info: Node, target: str) -> tuple[int, Node | None]:
    """HTTP status and body for a request's target."""
    parts = urlsplit(target)
    if parts.query == "HOST_INFO":
        return 200, info
    node = root
    for part in filter(None, unquote(parts.path).split("/")):
        if part not in node.get("CONTENTS", {}):
            return 404, None
        node = node["CONTENTS"][part]
    if not parts.query:
        return 200, node
    if parts.query not in ATTRIBUTES:
        return 400, None
    return (200, {parts.query: node[parts.query]}) if parts.query in node else (204, None)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)
        self.root: Node = {}
        self.info: Node = {}


class Handler(BaseHTTPRequestHandler):
    """Answers GET."""

    timeout = 5.0
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        status, body = answer(self.server.root, self.server.info, self.path)
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main(host: str, port: str) -> int:
    """Tell `ok`, or what is wrong, as a line; then serve until standard input ends."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    try:
        server = Server(host, int(port))
    except (OSError, OverflowError) as error:
        print(getattr(error, "strerror", None) or error, flush=True)
        return 2
    told = json.loads(sys.stdin.readline() or "[{}, {}]")
    server.root, server.info = told
    print("ok", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # whoever still holds a connection open is not waited for
