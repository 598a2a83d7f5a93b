"""Tracks of points with holes in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live.errors import BadFile
from live.types import Float32


def filled(track: Float32) -> tuple[Float32, NDArray[np.bool_]]:
    """Points [T, J, D] with NaNs interpolated linearly in time (held at the ends), and which were known [T, J].

    Raises `BadFile` when a point is never seen.
    """
    known: NDArray[np.bool_] = np.asarray(np.isfinite(track).all(2))
    if never := np.flatnonzero(~known.any(0)).tolist():
        raise BadFile(f"points {never} are never seen")
    out, time = track.copy(), np.arange(len(track))
    for j in np.flatnonzero(~known.all(0)):
        seen = known[:, j]
        for d in range(track.shape[2]):
            out[:, j, d] = np.interp(time, time[seen], track[seen, j, d])
    return out, known
