"""Run by the Python of MediaPipe's own environment (`live.train.pose_tool`), which knows nothing of this package.

    python mediapipe_worker.py CLIP OUT.npz

Writes image [T, 33, 3] (pixels, and visibility), world [T, 33, 3] metres about the hips (x right, y down, z away from
the camera), rate; rows of NaN where nobody was found. Tells its progress as `frame of frames` lines.
"""

from __future__ import annotations

import sys

import cv2
import mediapipe
import numpy as np

LANDMARKS = 33


def main(clip: str, out: str) -> None:
    video = cv2.VideoCapture(clip)
    rate, frames = video.get(cv2.CAP_PROP_FPS), int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    image, world = [], []
    with mediapipe.solutions.pose.Pose(model_complexity=1, smooth_landmarks=True) as pose:
        while True:
            more, picture = video.read()
            if not more:
                break
            seen = pose.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            image.append(rows(seen.pose_landmarks, "visibility") * (picture.shape[1], picture.shape[0], 1))
            world.append(rows(seen.pose_world_landmarks, "z"))
            print(f"{len(image)} of {frames}", flush=True)
    if not image:
        sys.exit("no frame could be decoded")
    np.savez(out, image=np.float32(image), world=np.float32(world), rate=np.float32(rate))


def rows(landmarks: object, third: str) -> np.ndarray:
    """[33, 3] x, y and `third` of one person, NaN where there is none."""
    if landmarks is None:
        return np.full((LANDMARKS, 3), np.nan)
    return np.array([[p.x, p.y, getattr(p, third)] for p in landmarks.landmark])  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
