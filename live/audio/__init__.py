"""Where sound comes from. Each module is one source: `open_source(argument, clock) -> AudioSource`."""
