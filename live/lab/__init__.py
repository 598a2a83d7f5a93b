"""The latency laboratory: measuring time. It may look into every room but `cli`."""
