"""Where orders come from: each module here is one way of giving them.

A plug-in has `open_control(argument)`, which gives a `live.contracts.Control`. Reading never waits.
"""
