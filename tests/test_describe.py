"""OSCQuery: the addresses of a show as a tree over HTTP, by a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import psutil
import pytest
from output_poses import listener, port_of

from live.cli.direct import described
from live.cli.outputs import make_output
from live.control.osc import open_control
from live.describe import HEARD, SENT, Address, answer, host_info, namespace
from live.errors import Unusable
from live.show import Show

ROOT = namespace([Address("/live/pose", "iif", SENT), Address("/live/intensity", "f", HEARD, "size", 0.0, 2.0)])


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def fetch(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
        return reply.status, json.loads(reply.read() or b"null")


def test_each_address_is_a_node_with_its_path_types_and_range():
    node = ROOT["CONTENTS"]["live"]["CONTENTS"]["intensity"]
    assert node == {"FULL_PATH": "/live/intensity", "TYPE": "f", "ACCESS": 2, "DESCRIPTION": "size",
                    "RANGE": [{"MIN": 0.0, "MAX": 2.0}]}  # fmt: skip


@pytest.mark.parametrize(
    ("target", "status"),
    [("/", 200), ("/live", 200), ("/live/pose?TYPE", 200), ("/live/pose?RANGE", 204), ("/live/none", 404),
     ("/live/pose?NONSENSE", 400), ("/?HOST_INFO", 200), ("/%00/../x", 404)],
)  # fmt: skip
def test_requests_are_answered_as_the_proposal_says(target, status):
    assert answer(ROOT, {}, target)[0] == status


def test_one_attribute_is_given_alone():
    assert answer(ROOT, {}, "/live/pose?TYPE") == (200, {"TYPE": "iif"})


def test_the_host_tells_where_orders_are_heard():
    assert host_info("live", "127.0.0.1", 9011)["OSC_PORT"] == 9011
    assert "OSC_PORT" not in host_info("live", "", 0)


def test_a_running_show_is_described():
    web, orders = free_port(), free_port(socket.SOCK_DGRAM)
    with listener() as sock:
        outputs = [make_output(f"osc://127.0.0.1:{port_of(sock)}?flat=1"), make_output("vmc://127.0.0.1:39555")]
        for output in outputs:
            output.open(1, paced=True)
        control = open_control(f"127.0.0.1:{orders}")
        with described(Show(oscquery=f"127.0.0.1:{web}"), outputs, [control]):
            assert fetch(web, "/?HOST_INFO")[1]["OSC_PORT"] == orders
            live = fetch(web, "/live")[1]["CONTENTS"]
            assert live["pose"]["TYPE"] == "iiififff" + "f" * 91
            assert live["0"]["CONTENTS"]["leftHand"]["CONTENTS"]["position"]["TYPE"] == "fff"
            assert live["tempo"]["CONTENTS"]["lock"]["RANGE"] == [{"MIN": 20, "MAX": 400}]
            assert fetch(web, "/VMC/Ext/Bone/Pos?TYPE")[1] == {"TYPE": "sfffffff"}
            with pytest.raises(urllib.error.HTTPError):
                fetch(web, "/nothing")
        control.close()
        for output in outputs:
            output.close()
    with pytest.raises(OSError):
        fetch(web, "/")


@pytest.mark.parametrize("before", ["", ":"])
def test_a_port_alone_is_served_to_this_machine_only(before):
    where = free_port()
    with described(Show(oscquery=f"{before}{where}"), [], []):
        bound = {c.laddr.ip for c in psutil.net_connections("tcp") if c.laddr.port == where and c.status == "LISTEN"}
        assert bound == {"127.0.0.1"} and fetch(where, "/")[0] == 200


def test_a_port_that_is_taken_is_refused_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unusable, match=r"cannot be served: [^\n]+$"), described(Show(oscquery=where), [], []):
            pass


@pytest.mark.parametrize("where", ["on", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", ":x", "0"])
def test_a_place_that_is_none_is_refused(where):
    with pytest.raises(Unusable, match="write a port"), described(Show(oscquery=where), [], []):
        pass


def test_it_needs_the_standard_library_alone():
    code = "import sys, live.describe; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()
    assert not {"numpy", "pydantic", "typer"} & set(loaded)
