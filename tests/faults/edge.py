"""The Sparkplug edge node of the fault runs: what it says depends on all it said before, and so does what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from plant.site import Binding
from tests.support import sparkplug as sp
from tests.support.sparkplug import EdgeNode

TYPE = "ahu"
"""Equipment of this type speaks through the node, each a device of it."""

REBORN_EVERY = 60
"""Steps after which the node is born again with other aliases, as after a change of its configuration."""

_GROUP, _NODE = "faults", "edge"


def bindings(device: str, points: Mapping[str, float]) -> tuple[Binding, ...]:
    """Every point of the device by its metric of the same name."""
    topic = f"spBv1.0/{_GROUP}/+/{_NODE}/{device}"
    return tuple(Binding(topic, point, key=point, decoder="sparkplug_b") for point in points)


Utterance = tuple[str, int, Mapping[str, float], tuple[str, bytes]]
"""Equipment (empty: the node itself), its time, what it measured, and the message."""


class Speaker:
    """One edge node with its devices; between two births only aliases and bytes, so that a lost or doubled message,
    or a forgotten birth, shows in every value after it.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self._steps = dict.fromkeys(devices, 0)
        self._node = EdgeNode(_GROUP, _NODE, {"": {}} | {device: {} for device in devices})

    def say(self, device: str, ts: int, points: Mapping[str, float]) -> Iterator[Utterance]:
        """What goes out at `ts`: data, or a birth with the same values; the node's own comes before its devices'."""
        step, self._steps[device] = self._steps[device], self._steps[device] + 1
        born = step % REBORN_EVERY == 0
        if born and device == next(iter(self._steps)):
            yield "", ts, {}, self._node.birth(ts, "")
        if born:
            first = 100 * list(self._steps).index(device)
            turned = enumerate(points.items(), step // REBORN_EVERY)
            metrics = {name: (first + number % len(points), sp.DOUBLE, value, None) for number, (name, value) in turned}
            self._node.points[device].update(metrics)
        message = self._node.birth(ts, device) if born else self._node.data(ts, device, **points)
        yield device, ts, points, message
