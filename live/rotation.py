"""Rotations as pure functions over the last axis: quaternions x y z w, 6-D (first two matrix columns), matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
IDENTITY = np.array([0.0, 0.0, 0.0, 1.0], np.float32)
_ROUND = np.array([0, 1, 2, 0, 1])
"""x y z x y: of a vector written so, `[..., 1:4]` and `[..., 2:5]` are what a cross product is made of."""
_BOTH_ROUND = np.concatenate([_ROUND, 3 + _ROUND])


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product: rotate by `b`, then by `a`. [..., 4]"""
    av, aw, bv, bw = a[..., :3], a[..., 3:], b[..., :3], b[..., 3:]
    out = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b))
    out[..., :3] = aw * bv + bw * av + cross(av, bv)
    out[..., 3] = aw[..., 0] * bw[..., 0] - np.vecdot(av, bv)
    return out


def conjugate(q: Array) -> Array:
    """The inverse of a unit quaternion."""
    return np.asarray(q * np.array([-1, -1, -1, 1], q.dtype))


def cross(a: Array, b: Array) -> Array:
    """`np.cross` over the last axis of 3-vectors, without its overhead of 30 microseconds."""
    return _cross(a.take(_ROUND, -1), b.take(_ROUND, -1))


def _cross(a: Array, b: Array) -> Array:
    """Of vectors written as x y z x y."""
    return np.asarray(a[..., 1:4] * b[..., 2:5] - a[..., 2:5] * b[..., 1:4])


def rotate(q: Array, v: Array) -> Array:
    """Vectors `v` [..., 3] rotated by unit quaternions `q` [..., 4]."""
    t = 2.0 * cross(q[..., :3], v)
    return np.asarray(v + q[..., 3:] * t + cross(q[..., :3], t))


def normalise(q: Array) -> Array:
    """Unit quaternions; one that is zero or not finite becomes the identity."""
    n = np.sqrt(np.vecdot(q, q))[..., None]
    if n.min() > 1e-6 and n.max() < np.inf:  # False for NaN too
        return np.asarray(q / n)
    good = np.isfinite(n) & (n > 1e-6)
    return np.where(good, q / np.where(good, n, 1.0), IDENTITY).astype(q.dtype)


def nlerp(a: Array, b: Array, weight: Array | float) -> Array:
    """From `a` to `b` the short way, normalised. `weight` broadcasts against [..., 1]."""
    sign = np.where(np.vecdot(a, b)[..., None] < 0, -1.0, 1.0)
    return normalise(a + weight * (sign * b - a)).astype(a.dtype)


def power(q: Array, exponent: float, most: float) -> Array:
    """`q` applied `exponent` times, by the short way; no farther than `most` radians unless `q` itself is."""
    size = np.sqrt(np.vecdot(q[..., :3], q[..., :3]))
    angle = 2.0 * np.arctan2(size, np.abs(q[..., 3]))
    wanted = np.minimum(exponent * angle, np.maximum(angle, most))
    out = np.empty_like(q)
    sign = np.where(q[..., 3] < 0, -1.0, 1.0)
    out[..., :3] = q[..., :3] * (sign * np.sin(wanted / 2) / np.maximum(size, 1e-9))[..., None]
    out[..., 3] = np.cos(wanted / 2)
    return normalise(out)


def yaw(angle: Array) -> Array:
    """Rotation about +Y by `angle` [...] radians."""
    out = np.zeros((*np.shape(angle), 4), np.result_type(angle, np.float32))
    out[..., 1], out[..., 3] = np.sin(np.asarray(angle) / 2), np.cos(np.asarray(angle) / 2)
    return out


def turn(angle: Array, q: Array) -> Array:
    """`multiply(yaw(angle), q)`, cheaper: angle [...], q [..., 4]. As (x, z) and (y, w) turn like places on a plane."""
    planes = q.take(_PLANES, -1).view(np.complex64 if q.dtype == np.float32 else np.complex128)
    turned = planes * np.exp(-0.5j * angle).astype(planes.dtype)[..., None]
    return np.asarray(turned.view(q.dtype).take(_PLANES, -1))


_PLANES = np.array([0, 2, 1, 3])


def turn_matrix(angle: Array, m: Array) -> Array:
    """Rotation matrices `m` [..., 3, 3] turned about +Y by `angle` [...]."""
    turned = (m[..., 0, :] + 1j * m[..., 2, :]) * np.exp(-1j * angle)[..., None]
    out = m.copy()
    out[..., 0, :], out[..., 2, :] = turned.real, turned.imag
    return out


def from_matrix(m: Array) -> Array:
    """Unit quaternions of rotation matrices [..., 3, 3], each by its largest component (Shepperd, 1978).

    The rows of the symmetric matrix 4 q q^T are linear in `m`, so one product gives all, and the row with the largest
    diagonal is q times a number that is not small.
    """
    outer = m.reshape(-1, 9) @ _OUTER
    outer += _OUTER_ONE
    best = outer[:, ::5].argmax(-1)
    rows = outer.reshape(-1, 4, 4)[np.arange(len(outer)), best]
    return normalise(rows.reshape(*m.shape[:-2], 4)).astype(m.dtype, copy=False)


def _outer_product_map() -> tuple[Array, Array]:
    """[9, 16] and [16]: 4 q q^T = m . map + ones on the diagonal, for q = x y z w."""
    rows, sign = np.zeros((4, 4, 3, 3)), np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]])
    for i in range(4):
        rows[i, i, range(3), range(3)] = sign[i]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        rows[i, j, i, j] = rows[i, j, j, i] = rows[j, i, i, j] = rows[j, i, j, i] = 1
    for k, (i, j) in enumerate(((2, 1), (0, 2), (1, 0))):
        rows[k, 3, i, j] = rows[3, k, i, j] = 1
        rows[k, 3, j, i] = rows[3, k, j, i] = -1
    return np.ascontiguousarray(rows.reshape(16, 9).T, np.float32), np.eye(4, dtype=np.float32).reshape(16)


_OUTER, _OUTER_ONE = _outer_product_map()


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


def six_to_matrix(six: Array) -> Array:
    """Rotation matrices [..., 3, 3] from 6-D by Gram-Schmidt; degenerate or non-finite input gives the identity."""
    columns = six.take(_BOTH_ROUND, -1)
    x = columns[..., :5] / _size(six[..., :3])
    z = _cross(x, columns[..., 5:])
    z /= _size(z)
    y = _cross(z.take(_ROUND, -1), x)
    m = np.empty((*six.shape[:-1], 3, 3), six.dtype)
    m[..., 0], m[..., 1], m[..., 2] = x[..., :3], y, z
    off = np.abs(np.vecdot(y, y) - 1.0)  # 0 only where x and z are unit and at right angles
    if not off.max() < 1e-5:  # true of NaN too
        m[~(off < 1e-5)] = np.eye(3, dtype=m.dtype)
    return m


def _size(v: Array) -> Array:
    """[..., 1], not quite 0."""
    return np.asarray(np.maximum(np.sqrt(np.vecdot(v, v)), 1e-8)[..., None])


def from_six(six: Array) -> Array:
    """Unit quaternions from 6-D, see `six_to_matrix`."""
    return from_matrix(six_to_matrix(six))


def heading(q: Array) -> Array:
    """Angle about +Y [...] of the direction in which `q` turns +Z."""
    forward = rotate(q, np.array([0, 0, 1], q.dtype))
    return np.arctan2(forward[..., 0], forward[..., 2])


def between(a: Array, b: Array) -> Array:
    """The shortest rotation [..., 4] that turns direction `a` to direction `b` (unit vectors [..., 3])."""
    q = np.concatenate([cross(a, b), 1.0 + np.vecdot(a, b)[..., None]], -1)
    return normalise(q)
