"""A state that stays on its device behind a step that is a function of values all the same.

A device has two slots; a tick reads one and writes the other. What a step returns is a `Resident`: a state that is
known by its slot, and copied to the host when somebody reads it, or when the slot is needed while somebody still holds
it. So a tick may be run twice (rehearsed), from any state, in any order; only the usual order, each tick from the state
of the one before, costs no copy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from weakref import ref

from live.contracts import Backend
from live.types import Float32, Inputs, State


class Slots(ABC):
    """Two states on a device. Whatever fails raises, and then nothing on the device can be relied on."""

    names: tuple[str, ...]
    """Of the state's tensors."""

    @abstractmethod
    def run(self, source: int, inputs: Inputs) -> Float32:
        """A tick from the state in slot `source`; the next one is in the other slot. Raw poses, an array of its own."""

    @abstractmethod
    def upload(self, slot: int, state: State) -> None: ...

    @abstractmethod
    def fetch(self, slot: int) -> dict[str, Float32]:
        """The state in a slot, as arrays of their own."""

    @abstractmethod
    def copy(self, slot: int) -> Callable[[], dict[str, Float32] | None]:
        """Begin to copy the state in a slot, without waiting; what is returned gives the arrays once they are there."""

    @abstractmethod
    def close(self) -> None: ...


class Resident(Mapping[str, Float32]):
    """See the module's docstring."""

    def __init__(self, names: tuple[str, ...], fetch: Callable[[], dict[str, Float32]]) -> None:
        self._names, self._fetch = names, fetch
        self._here: dict[str, Float32] | None = None

    def here(self) -> dict[str, Float32]:
        """All tensors, on the host."""
        if self._here is None:
            self._here = self._fetch()
        return self._here

    def __getitem__(self, name: str) -> Float32:
        return self.here()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class OnDevice(Backend):
    """Steps of states in slots."""

    def __init__(self, name: str, device: str, slots: Slots) -> None:
        self.name, self.device, self._slots = name, device, slots
        self._held: list[Callable[[], Resident | None]] = [lambda: None, lambda: None]

    def step(self, inputs: Inputs, state: State) -> tuple[Float32, State]:
        if (source := self._slot_of(state)) is None:
            source = 0
            self._release(source)
            self._slots.upload(source, state)
        self._release(1 - source)
        poses = self._slots.run(source, inputs)
        return poses, self._hold(1 - source)

    def copied(self, state: State) -> Callable[[], State | None]:
        slot = self._slot_of(state)
        return (lambda: state) if slot is None else self._slots.copy(slot)

    def close(self) -> None:
        for slot in (0, 1):
            self._release(slot)
        self._slots.close()

    def _slot_of(self, state: State) -> int | None:
        return next((slot for slot in (0, 1) if self._held[slot]() is state), None)

    def _hold(self, slot: int) -> Resident:
        resident = Resident(self._slots.names, lambda: self._slots.fetch(slot))
        self._held[slot] = ref(resident)
        return resident

    def _release(self, slot: int) -> None:
        if (resident := self._held[slot]()) is not None:
            resident.here()
        self._held[slot] = lambda: None
