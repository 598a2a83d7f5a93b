"""The batches of a training run. A round's batch follows from seed, round and device alone, so runs resume exactly."""

from __future__ import annotations

from typing import NamedTuple

import lightning
import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from live.errors import Unusable
from live.train.config import TrainConfig
from live.train.dataset import Batch, Windows

VALIDATION = 7
"""Seed of the windows that are validated: the same every time."""


class Round(NamedTuple):
    """A batch as tensors in physical units (shapes in `Batch`), and which round's it is."""

    number: Tensor
    features: Tensor
    poses: Tensor
    before: Tensor
    style: Tensor


class Rounds(Dataset[tuple]):
    """Item r is the batch of round r of device `rank`."""

    def __init__(self, windows: Windows, size: int, seed: int, rank: int = 0) -> None:
        self._windows, self._size, self._seed, self._rank = windows, size, seed, rank

    def __getitem__(self, number: int) -> tuple:
        rng = np.random.default_rng([self._seed, number, self._rank])
        return Round(np.int64(number), *self._windows.batch(rng, self._size))


class Dances(lightning.LightningDataModule):
    """Prepared dances, split by take into those to train, validate and test with.

    An epoch is `config.every` rounds, from the one that the run has come to.
    """

    def __init__(self, arrays: dict[str, np.ndarray], config: TrainConfig, workers: int = 0) -> None:
        super().__init__()
        self.config, self._workers = config, workers
        self.styles = [str(name) for name in arrays["styles"]]
        self.takes = split([str(name) for name in arrays["takes"]], config)
        self.windows = {
            part: Windows(arrays, config.ticks, takes, config.augment, config.mirror, config.even)
            for part, takes in self.takes.items()
            if len(takes)
        }

    def sample(self) -> Batch:
        """A large batch, to normalise with."""
        return self.windows["train"].batch(np.random.default_rng(0), 400)

    def train_dataloader(self) -> DataLoader:
        assert self.trainer is not None
        size, world = self.config.batch, self.trainer.world_size
        if size % world:
            raise Unusable(f"a batch of {size} cannot be shared by {world} devices; change `batch` or --devices")
        done = self.trainer.lightning_module.rounds_done
        numbers = range(done, min(done + self.config.every, self.config.rounds))
        rounds = Rounds(self.windows["train"], size // world, self.config.seed, self.trainer.global_rank)
        return self._loader(rounds, numbers)

    def val_dataloader(self) -> DataLoader | list:
        if "valid" not in self.windows:
            return []
        return self._loader(Rounds(self.windows["valid"], self.config.batch, VALIDATION), range(2))

    def _loader(self, rounds: Rounds, numbers: range) -> DataLoader:
        return DataLoader(rounds, batch_size=None, sampler=numbers, num_workers=self._workers)


def split(names: list[str], config: TrainConfig) -> dict[str, np.ndarray]:
    """Indices of the takes of each part. The share to validate with is drawn by the seed."""
    test = [names.index(name) for name in config.test_takes if name in names]
    valid = [names.index(name) for name in config.valid_takes if name in names]
    rest = np.setdiff1d(np.arange(len(names)), test + valid)
    drawn = np.random.default_rng(config.seed).permutation(rest)[: round(config.valid_share * len(rest))]
    return {
        "train": np.setdiff1d(rest, drawn),
        "valid": np.sort(np.concatenate([valid, drawn]).astype(int)),
        "test": np.array(test, int),
    }
