"""Music in, dance out, while it plays."""

__version__ = "0.1.0"
