"""Where a generator step runs: each module is a plug-in.

It offers `missing() -> str`, why there can be no such backend here (empty where there can), and
`open_backend(folder, card, dancers) -> Backend`.
"""
