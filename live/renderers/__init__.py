"""What draws the dancers, each in a process of its own and fed through shared memory: drawing makes no tick late."""
