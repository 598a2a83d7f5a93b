"""Measuring quality on recorded data: what `live bench` runs. It may look into every room but `cli`."""
