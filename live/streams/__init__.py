"""Ways in for another machine's dance: a protocol per module."""
