"""Rotations as pure functions over the last axis: quaternions x y z w, 6-D (first two matrix columns), matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
IDENTITY = np.array([0.0, 0.0, 0.0, 1.0], np.float32)


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product: rotate by `b`, then by `a`. [..., 4]"""
    av, aw, bv, bw = a[..., :3], a[..., 3:], b[..., :3], b[..., 3:]
    out = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b))
    out[..., :3] = aw * bv + bw * av + cross(av, bv)
    out[..., 3] = aw[..., 0] * bw[..., 0] - np.einsum("...i,...i", av, bv)
    return out


def conjugate(q: Array) -> Array:
    """The inverse of a unit quaternion."""
    return q * np.array([-1, -1, -1, 1], q.dtype)


def cross(a: Array, b: Array) -> Array:
    """`np.cross` over the last axis of 3-vectors, without its overhead of 30 microseconds."""
    out = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b))
    out[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    out[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    out[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return out


def rotate(q: Array, v: Array) -> Array:
    """Vectors `v` [..., 3] rotated by unit quaternions `q` [..., 4]."""
    t = 2.0 * cross(q[..., :3], v)
    return np.asarray(v + q[..., 3:] * t + cross(q[..., :3], t))


def normalise(q: Array) -> Array:
    """Unit quaternions; one that is zero or not finite becomes the identity."""
    n = np.sqrt(np.einsum("...i,...i", q, q))[..., None]
    good = np.isfinite(n) & (n > 1e-6)
    return np.where(good, q / np.where(good, n, 1.0), IDENTITY).astype(q.dtype)


def nlerp(a: Array, b: Array, weight: Array | float) -> Array:
    """From `a` to `b` the short way, normalised. `weight` broadcasts against [..., 1]."""
    sign = np.where(np.einsum("...i,...i", a, b)[..., None] < 0, -1.0, 1.0)
    return normalise(a + weight * (sign * b - a)).astype(a.dtype)


def yaw(angle: Array) -> Array:
    """Rotation about +Y by `angle` [...] radians."""
    out = np.zeros((*np.shape(angle), 4), np.result_type(angle, np.float32))
    out[..., 1], out[..., 3] = np.sin(np.asarray(angle) / 2), np.cos(np.asarray(angle) / 2)
    return out


def from_matrix(m: Array) -> Array:
    """Unit quaternions of rotation matrices [..., 3, 3], each by its largest component (Shepperd, 1978)."""
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    four = np.stack([1 + d0 - d1 - d2, 1 - d0 + d1 - d2, 1 - d0 - d1 + d2, 1 + d0 + d1 + d2], -1)
    x_y, x_z, y_z = m[..., 1, 0] + m[..., 0, 1], m[..., 2, 0] + m[..., 0, 2], m[..., 2, 1] + m[..., 1, 2]
    w_x, w_y, w_z = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    rows = np.empty((*four.shape, 4), four.dtype)
    rows[..., 0, :] = np.stack([four[..., 0], x_y, x_z, w_x], -1)
    rows[..., 1, :] = np.stack([x_y, four[..., 1], y_z, w_y], -1)
    rows[..., 2, :] = np.stack([x_z, y_z, four[..., 2], w_z], -1)
    rows[..., 3, :] = np.stack([w_x, w_y, w_z, four[..., 3]], -1)
    best = np.take_along_axis(rows, four.argmax(-1)[..., None, None], -2)[..., 0, :]
    return normalise(best)


def to_matrix(q: Array) -> Array:
    """Rotation matrices [..., 3, 3] of unit quaternions."""
    x, y, z, w = (q[..., i] for i in range(4))
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)]
    rows += [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)]
    rows += [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]
    return np.stack(rows, -1).reshape(*q.shape[:-1], 3, 3)


def to_six(q: Array) -> Array:
    """The first two columns of the matrix [..., 6] (Zhou et al., 2019, "On the Continuity of Rotation")."""
    m = to_matrix(q)
    return np.concatenate([m[..., 0], m[..., 1]], -1)


def from_six(six: Array) -> Array:
    """Unit quaternions from 6-D by Gram-Schmidt; degenerate or non-finite input gives the identity."""
    a, b = six[..., :3], six[..., 3:]
    x = a / np.maximum(np.sqrt(np.einsum("...i,...i", a, a))[..., None], 1e-8)
    b = b - np.einsum("...i,...i", x, b)[..., None] * x
    y = b / np.maximum(np.sqrt(np.einsum("...i,...i", b, b))[..., None], 1e-8)
    m = np.stack([x, y, cross(x, y)], -1)
    bad = ~np.isfinite(m).all((-1, -2)) | (np.abs(np.einsum("...i,...i", y, y) - 1) > 1e-3)
    if bad.any():
        m = np.where(bad[..., None, None], np.eye(3, dtype=m.dtype), m)
    return from_matrix(m)


def heading(q: Array) -> Array:
    """Angle about +Y [...] of the direction in which `q` turns +Z."""
    forward = rotate(q, np.array([0, 0, 1], q.dtype))
    return np.arctan2(forward[..., 0], forward[..., 2])


def between(a: Array, b: Array) -> Array:
    """The shortest rotation [..., 4] that turns direction `a` to direction `b` (unit vectors [..., 3])."""
    dot = np.einsum("...i,...i", a, b)
    q = np.concatenate([cross(a, b), (1.0 + dot)[..., None]], -1)
    return normalise(q)
