"""The 35 features, all causal: frame k is made of the samples before 800 (k + 1) and of nothing later.

Samples are made finite (NaN and infinity become 0), clipped to [-1, 1] and high-passed at 20 Hz (so DC is inaudible);
then, per frame of 800 samples at 48 kHz:

| Feature | Unit and range | In silence, unvoiced sound or before the first beat |
|---|---|---|
| loudness | 1 + dBFS(RMS) / 60, in [0, 1] | 0 in silence (below -60 dBFS) |
| onset_envelope | mean rise of ln(1 + 1000 magnitude) over the bins of a 2048-point spectrum, in [0, 4] | 0 |
| onset | 1 in the frame where aubio's onset detector fires, else 0 | 0 |
| pitch | log2(f0 / 1 Hz), f0 of aubio's yinfast in 40..2000 Hz: 5.3 to 11 | log2(220) = 7.78 (voicing tells) |
| voicing | yinfast confidence, [0, 1]; below 0.3 counts as unvoiced | 0 |
| centroid | centre of the magnitude spectrum, kHz, [0, 24] | 0 in silence |
| mfcc_1..12 | aubio's MFCC (40 Slaney mel filters, log base 10, orthonormal DCT) without the 0th | 0 in silence |
| chroma_1..12 | C to B, magnitudes of a 4096-point spectrum between 55 and 2000 Hz folded, largest = 1 | 0 in silence |
| beat_sin, beat_cos | sine and cosine of 2 pi beat phase, times the tracker's confidence | 0 |
| bar_sin, bar_cos | the same of the bar phase, times the confidence in the downbeat | 0 |
| tempo | log2(bpm / 120), clipped to [-2, 2] | 0 |

Pitch, voicing and chroma are renewed with every second frame (30 Hz, frames 1, 3, 5, ...) and held in between; they
are of the sound up to 80 samples before its end, so that little is left to do when it is whole.

Latency: a frame is known when its last sample is. A spectrum looks back 2048 samples (43 ms), its centre of mass lies
21 ms back; aubio confirms an onset one frame after its peak.
"""

from __future__ import annotations

import math

import aubio
import numpy as np

from live.contracts import FEATURE_NAMES, BeatTracker
from live.hops import Hops, cleaned
from live.types import HOP, SAMPLE_RATE, BeatState, FeatureFrame, Float32

WINDOW, TONAL_WINDOW = 2048, 4096
GRAIN = 80
"""Samples handed to the beat tracker at a time; whole frames and whole 10 ms are multiples of it."""
SILENCE_RMS = 1e-3
FAINTEST = np.float32(1e-37)
"""Least level of a mel band."""
UNVOICED_PITCH = math.log2(220.0)
COUNT = len(FEATURE_NAMES)
BEAT_SLICE = slice(COUNT - 5, COUNT)
TONE = np.r_[3:5, 18:30]
"""Pitch, voicing and chroma."""


def beat_features(beat: BeatState) -> Float32:
    """`beat_sin, beat_cos, bar_sin, bar_cos, tempo` [5] of a beat state."""
    a, b = 2.0 * math.pi * beat.phase, 2.0 * math.pi * beat.bar_phase
    tempo = min(max(math.log2(beat.bpm / 120.0), -2.0), 2.0) if beat.bpm > 0.0 else 0.0
    c, d = beat.confidence, beat.bar_confidence
    return np.array([c * math.sin(a), c * math.cos(a), d * math.sin(b), d * math.cos(b), tempo], np.float32)


def pool(frames: Float32) -> Float32:
    """One generator input [..., 35] from the frames of a tick [..., n, 35]: the newest, with the strongest onset."""
    out = frames[..., -1, :].copy()
    out[..., 1:3] = frames[..., 1:3].max(-2)
    return out


def silence() -> Float32:
    """[35]: the values of silence with no beat known."""
    values = np.zeros(COUNT, np.float32)
    values[FEATURE_NAMES.index("pitch")] = UNVOICED_PITCH
    return values


def _hann(size: int) -> Float32:
    return np.hanning(size + 1)[:-1].astype(np.float32)


def _mel_bank() -> Float32:
    """[40, bins]: aubio's Slaney filters, as far as the highest reaches."""
    bank = aubio.filterbank(40, WINDOW)
    bank.set_mel_coeffs_slaney(SAMPLE_RATE)
    filters = np.asarray(bank.get_coeffs())
    return np.ascontiguousarray(filters[:, : int(np.flatnonzero(filters.any(0))[-1]) + 1])


def _cepstrum() -> Float32:
    """[12, 40]: aubio's orthonormal DCT without the 0th."""
    transform = aubio.dct(40)
    return np.ascontiguousarray(np.stack([transform(one).copy() for one in np.eye(40, dtype=np.float32)], 1)[1:13])


TONAL_BINS = slice(math.ceil(55.0 * TONAL_WINDOW / SAMPLE_RATE), int(2000.0 * TONAL_WINDOW / SAMPLE_RATE) + 1)


def _chroma_fold() -> Float32:
    """[12, bins]: which pitch class each of the `TONAL_BINS` belongs to."""
    hertz = np.arange(TONAL_BINS.start, TONAL_BINS.stop) * SAMPLE_RATE / TONAL_WINDOW
    pitch_class = np.round(12.0 * np.log2(hertz / 440.0)).astype(int) + 9
    return np.asarray(pitch_class % 12 == np.arange(12)[:, None], np.float32)


HANN, TONAL_HANN = _hann(WINDOW), _hann(TONAL_WINDOW)
KILOHERTZ: Float32 = np.arange(WINDOW // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE / WINDOW / 1000.0)
MEL, CEPSTRUM, FOLD = _mel_bank(), _cepstrum(), _chroma_fold()


class Extractor:
    """`FeatureSource`: any chunking of the same samples gives the same frames, bit for bit."""

    latency = HOP / SAMPLE_RATE

    def __init__(self, tracker: BeatTracker, twin: Extractor | None = None) -> None:
        """`twin`, with a tracker of its own, is what `rehearse` practises on."""
        self._tracker, self._twin = tracker, twin
        self._grains, self._hops = Hops(GRAIN), Hops(HOP)
        self._end = 0
        self._highpass = aubio.digital_filter(3)
        self._highpass.set_biquad(*_highpass_biquad(20.0))
        self._past = np.zeros(TONAL_WINDOW, np.float32)
        self._onset = aubio.onset("hfc", WINDOW, HOP, SAMPLE_RATE)
        self._pitch = aubio.pitch("yinfast", WINDOW, 2 * HOP, SAMPLE_RATE)
        self._pitch.set_unit("Hz")
        self._tone = silence()[TONE]
        self._last_log = np.zeros(WINDOW // 2 + 1, np.float32)

    def push(self, samples: Float32) -> list[FeatureFrame]:
        """Frames that became complete with these samples [n] float32 at 48 kHz (values beyond +-1 are clipped)."""
        frames: list[FeatureFrame] = []
        for grain in self._grains.cut(cleaned(samples)):
            heard = self._highpass(grain)
            self._tracker.hear(heard)  # at once, so that little is left to do when the frame is whole
            for hop in self._hops.cut(heard):
                self._end += HOP
                frames.append(self._frame(hop))
            if self._hops.filled == HOP - GRAIN and self._end // HOP % 2:
                self._tone = self._tone_of(np.concatenate([self._past[HOP - GRAIN :], self._hops.rest]))
        return frames

    def pooled(self, frames: list[Float32]) -> Float32:
        return pool(np.asarray(frames))

    def with_beat(self, values: Float32, beat: BeatState) -> Float32:
        values = values.copy()
        values[BEAT_SLICE] = beat_features(beat)
        return values

    def silent_values(self) -> Float32:
        return silence()

    def rehearse(self) -> None:
        if self._twin is not None:
            self._twin.push(self._hops.buffer)

    def _frame(self, hop: Float32) -> FeatureFrame:
        beat = self._tracker.now()
        level = math.sqrt(float(hop @ hop) / HOP)
        self._past[:-HOP] = self._past[HOP:]
        self._past[-HOP:] = hop
        magnitudes = np.abs(np.fft.rfft(self._past[-WINDOW:] * HANN))
        values = np.zeros(COUNT, np.float32)
        values[1], values[2] = self._rise(magnitudes), float(self._onset(hop)[0] > 0.0)
        values[TONE] = self._tone
        values[0] = min(1.0, max(0.0, 1.0 + math.log10(max(level, 1e-9)) / 3.0))
        if level >= SILENCE_RMS:
            values[5] = float(magnitudes @ KILOHERTZ) / max(float(magnitudes.sum()), 1e-9)
            values[6:18] = CEPSTRUM @ np.log10(np.maximum(MEL @ magnitudes[: MEL.shape[1]], FAINTEST))
        else:
            values[1:3] = 0.0
            values[TONE] = silence()[TONE]
        values[BEAT_SLICE] = beat_features(beat)
        if not math.isfinite(float(values @ values)):
            values = np.nan_to_num(values)
        return FeatureFrame(values, self._end, min(level, 1.0), beat)

    def _rise(self, magnitudes: Float32) -> float:
        """Onset strength."""
        log = np.log1p(magnitudes * np.float32(1000.0 * 4.0 / WINDOW))
        rise = float(np.maximum(log - self._last_log, 0.0).sum()) / len(log)
        self._last_log = log
        return min(rise, 4.0)

    def _tone_of(self, past: Float32) -> Float32:
        """Pitch, voicing and chroma [14] of the samples [TONAL_WINDOW] so far."""
        chroma = FOLD @ np.abs(np.fft.rfft(past * TONAL_HANN)[TONAL_BINS])
        tone = np.empty(14, np.float32)
        tone[:2], tone[2:] = self._f0(past[-2 * HOP :]), chroma / max(float(chroma.max()), 1e-9)
        return tone

    def _f0(self, past: Float32) -> tuple[float, float]:
        hertz, voicing = float(self._pitch(past)[0]), float(self._pitch.get_confidence())
        if voicing < 0.3 or not 40.0 <= hertz <= 2000.0:
            return UNVOICED_PITCH, 0.0
        return math.log2(hertz), min(voicing, 1.0)


def _highpass_biquad(hertz: float) -> tuple[float, float, float, float, float]:
    """b0, b1, b2, a1, a2 of a second-order Butterworth high-pass (R. Bristow-Johnson's audio EQ cookbook)."""
    w = 2.0 * math.pi * hertz / SAMPLE_RATE
    alpha = math.sin(w) / math.sqrt(2.0)
    a0 = 1.0 + alpha
    half = (1.0 + math.cos(w)) / 2.0
    return half / a0, -2.0 * half / a0, half / a0, -2.0 * math.cos(w) / a0, (1.0 - alpha) / a0
