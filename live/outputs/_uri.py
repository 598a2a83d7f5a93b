"""Output URIs, parsed strictly: what is not understood raises `BadTarget` in one line."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from live.errors import BadTarget
from live.placement import OPTIONS

Options = dict[str, str]


def host_and_port(uri: str, default_port: int, options: Sequence[str] = ()) -> tuple[str, int, Options]:
    """`scheme://host[:port][?option=value]`; port 1..65535, IPv6 in brackets. The host is not looked up yet."""
    example = f"write {uri.partition(':')[0]}://127.0.0.1:{default_port}"
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadTarget(f"output '{uri}': {error}: {example}") from None
    if not host:
        raise BadTarget(f"output '{uri}' names no host: {example}")
    if port == 0:
        raise BadTarget(f"output '{uri}': port must be 1..65535: {example}")
    if parts.path not in ("", "/") or parts.fragment or parts.username is not None:
        raise BadTarget(f"output '{uri}' has more than a host and a port: {example}")
    return host, port or default_port, _options(uri, parts.query, options)


def several(uri: str, default_port: int, options: Sequence[str] = ()) -> tuple[list[tuple[str, int]], Options]:
    """`scheme://host[:port][,host[:port]...][?option=value]`: the same to several hosts, each (host, port). A host that
    names no port has the next one's."""
    scheme, slashes, rest = uri.partition("://")
    hosts, mark, query = rest.partition("?")
    parts = [f"{scheme}{slashes}{host}{mark}{query}" for host in hosts.split(",")]
    found, port, given = list[tuple[str, int]](), default_port, Options()
    for part in reversed(parts):
        host, port, given = host_and_port(part, port, options)
        found.insert(0, (host, port))
    return found, given


def file_path(uri: str, options: Sequence[str] = ()) -> tuple[str, Options]:
    """`scheme:PATH[?option=value]`; the path is taken as written, so that Windows drives and spaces pass."""
    scheme, _, rest = uri.partition(":")
    path, _, query = rest.partition("?")
    if not path:
        raise BadTarget(f"output '{uri}' names no file: write {scheme}:PATH")
    return path, _options(uri, query, options)


def alone(uri: str, options: Sequence[str] = ()) -> Options:
    """`scheme:[?option=value]`, which names no place."""
    scheme, _, rest = uri.partition(":")
    place, _, query = rest.partition("?")
    if place:
        raise BadTarget(f"output '{uri}' names a place: write {scheme}: or {scheme}:?option=value")
    return _options(uri, query, options)


def nothing(uri: str) -> None:
    """`scheme:` and no more."""
    scheme, _, rest = uri.partition(":")
    if rest:
        raise BadTarget(f"output '{uri}' takes nothing after the colon: write {scheme}:")


def switch(uri: str, options: Options, name: str) -> bool:
    """Option `name` as 0 or 1; off where it is not given."""
    value = options.get(name, "0")
    if value not in ("0", "1"):
        raise BadTarget(f"output '{uri}': {name} is '{value}': write {name}=0 or {name}=1")
    return value == "1"


def choice(uri: str, options: Options, name: str, valid: Sequence[str]) -> str:
    """Option `name` as one of `valid`; the first where it is not given."""
    value = options.get(name, valid[0])
    if value not in valid:
        raise BadTarget(f"output '{uri}': {name} is '{value}': choose one of {', '.join(valid)}")
    return value


def number(uri: str, options: Options, name: str, default: float, lowest: float, highest: float) -> float:
    """Option `name` as a number within its range."""
    text = options.get(name, f"{default}")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not lowest <= value <= highest:
        raise BadTarget(
            f"output '{uri}': {name} is '{text}': write {name}={default:g}, within {lowest:g} to {highest:g}"
        )
    return value


def count(uri: str, options: Options, name: str, highest: int) -> int:
    """Option `name` as a whole number from 0; 0 where it is not given."""
    value = number(uri, options, name, 0, 0, highest)
    if value != int(value):
        raise BadTarget(f"output '{uri}': {name} is '{options[name]}': write a whole number")
    return int(value)


def _options(uri: str, query: str, valid: Sequence[str]) -> Options:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise BadTarget(f"output '{uri}': '?{query}' is not of the form ?option=value") from None
    names = [name for name, _ in pairs]
    for name in names:
        if name not in valid:
            raise BadTarget(f"output '{uri}': unknown option '{name}': valid are {', '.join((*valid, *OPTIONS))}")
        if names.count(name) > 1:
            raise BadTarget(f"output '{uri}': {name} is given twice: leave one out")
    return dict(pairs)
