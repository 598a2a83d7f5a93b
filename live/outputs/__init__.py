"""Somewhere that poses go: each module here is one output, found by the scheme of its URI.

A plug-in has `open_output(uri)`, which parses the URI and touches nothing. Modules with a leading underscore are shared
inside this room: `_uri` (strict parsing), `_guard` (no bad number leaves), `_packet` (OSC templates), `_udp` (sending).
"""
