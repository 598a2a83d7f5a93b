"""Photoreal frames: a pose becomes a picture of somebody (Pix2PixHD; `live/train/renderer.py` is how it learns)."""
