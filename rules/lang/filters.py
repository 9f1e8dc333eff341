"""The first-order filter: exponentially weighted instants, exact in int64 and the same wherever one begins."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rules.lang.fixed import Ints, rounded_division
from rules.lang.nodes import Block, Num, NumNode
from rules.lang.windowed import look_back

REACH = 8
"""The filter looks back 8 τ; what lies before has e^-8 = 0.03 % of the weight."""

_ONE = 2**20
"""Weight of the newest instant."""


@lru_cache(maxsize=256)
def weights(tau_ms: int, step_ms: int) -> tuple[int, ...]:
    """round(2^20 · exp(−i · step / τ)) for i = 0 (the newest) … 8 τ / step − 1, in whole numbers.

    Worked out in decimals of 40 digits, so every machine has the same weights.
    """
    with localcontext() as context:
        context.prec = 40
        return tuple(
            int((_ONE * (Decimal(-i * step_ms) / tau_ms).exp()).to_integral_value(ROUND_HALF_UP))
            for i in range(REACH * tau_ms // step_ms)
        )


class Ewma(NumNode):
    """`ewma(x, τ)`: Σ w_i x_i / Σ w_i over the known instants of the last 8 τ, rounded to the resolution of x.

    Unknown while the known instants have less than `percent` of all the weight.
    """

    def __init__(self, key: str, part: NumNode, weight: tuple[int, ...], percent: int) -> None:
        super().__init__(key, (part,), part.shape)
        self.part = part
        self.oldest_first: Ints = np.array(weight[::-1], np.int64)
        self.need = -(-sum(weight) * percent // 100)

    def compute(self, block: Block) -> Num:
        width = len(self.oldest_first)
        value, known = look_back(block, self.key, self.part.num(block), width - 1)
        top = sliding_window_view(value, width, axis=1) @ self.oldest_first
        under = sliding_window_view(known.astype(np.int64), width, axis=1) @ self.oldest_first
        enough = under >= self.need
        return Num(np.where(enough, rounded_division(top, np.maximum(under, 1)), 0), enough)
