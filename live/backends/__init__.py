"""Where a generator step runs: each module is a plug-in with `open_backend(folder, card, dancers) -> Backend`."""
