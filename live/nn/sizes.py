"""How large the generator's parts are, and what its state holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass

RHYTHM = 9
"""Numbers that `generator.rhythm` gives."""


@dataclass(frozen=True)
class GeneratorConfig:
    """Sizes. The defaults are the paper's (Tacotron 2's where the paper is silent).

    Two switches are for comparison: `bidirectional` hears the whole song ahead, and without `attend` the decoder is
    given the newest encoder state in place of what the attention picks. Three numbers count on the stage alone, not in
    training: how many times as large beat and bar are told to the decoder (`emphasis`), how many times as large its
    movement about the mean pose is given (`amplitude`), and over how many seconds that movement is smoothed, twice
    (`smoothing`; it comes later by twice that). `footing`: whether the root is moved so that planted feet stay,
    as `live.train.footing` has learnt.
    """

    features: int = 35
    channels: int = 138
    poses: int = 2
    styles: int = 2
    convolution: int = 512
    layers: int = 3
    kernel: int = 5
    encoder: int = 256
    lookahead: int = 4
    ring: int = 36
    attention: int = 128
    location_filters: int = 32
    location_kernel: int = 15
    prenet: int = 256
    decoder: int = 1024
    latent: int = 32
    bidirectional: bool = False
    attend: bool = True
    emphasis: float = 1.0
    amplitude: float = 1.0
    smoothing: float = 0.0
    footing: bool = False

    @property
    def pose(self) -> int:
        return self.poses * self.channels

    @property
    def direct(self) -> int:
        return self.encoder + RHYTHM

    @property
    def memory(self) -> int:
        return 2 * self.encoder

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def state_shapes(c: GeneratorConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape (without the dancers' axis) of each part of the state, in the order of the exported graph."""
    convolutions = {f"conv_{i}": (c.features if i == 0 else c.convolution, c.kernel - 1) for i in range(c.layers)}
    return {
        **convolutions,
        "ahead_h": (c.encoder,),
        "ahead_c": (c.encoder,),
        "recent": (c.lookahead, c.convolution),
        "past": (c.lookahead, c.encoder),
        "memory": (c.ring, c.memory),
        "keys": (c.ring, c.attention),
        "age": (1,),
        "weights": (c.ring,),
        "cumulative": (c.ring,),
        "decoder_h": (c.decoder,),
        "decoder_c": (c.decoder,),
        "pose": (c.pose,),
        **({"smoothed": (2, c.channels)} if c.smoothing else {}),
    }
