"""What draws the dancers: each in a process of its own, fed through shared memory, so that it never makes a tick late."""
