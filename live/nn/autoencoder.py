"""The seed paper's audio autoencoder: what the encoder remembers of a tick must tell what was heard in it.

Its encoder is the generator's own (eq. 13), so that what it learns serves the dance.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from live.nn.sizes import GeneratorConfig


class AudioDecoder(nn.Module):
    """Eq. 14: encoder states [B, T, 2E] -> normalised features [B, T, 35]."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.hidden = nn.Conv1d(config.memory, config.encoder, config.kernel, padding=config.kernel // 2)
        self.out = nn.Conv1d(config.encoder, config.features, 1)

    def forward(self, memory: Tensor) -> Tensor:
        return self.out(F.relu(self.hidden(memory.transpose(1, 2)))).transpose(1, 2)


def reconstruction(decoder: AudioDecoder, memory: Tensor, features: Tensor) -> Tensor:
    """Eq. 15: squared error of the features [B, T, 35] told by the encoder's states of the same ticks [B, T, 2E]."""
    return F.mse_loss(decoder(memory), features)
