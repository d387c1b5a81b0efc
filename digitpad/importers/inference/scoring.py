"""Scores of candidate conventions: accuracy and loss on the digits of a probe set."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digitpad.formats.progress import ProgressCallback
from digitpad.importers.inference.conventions import Candidate, ProbeSet
from digitpad.importers.inference.scalings import StoredScaler
from digitpad.importers.inference.shared_layers import SharedLayers
from digitpad.importers.layout.building import SOME_IMAGES, build_network
from digitpad.nn.losses import CrossEntropy

_FIRST, _FIRST_IF_SLOW = 25, 10  # digits that show that a candidate is far off
_FAR_OFF, _FEW = 0.4, 0.5  # difference to the best accuracy, and share of it, that show the same
_SHARED = 30  # digits for which candidates share the outputs of their first layers


class Scorer:
    """Builds candidates and scores them; ``tell`` is called before each one, and may end the search by raising.

    With ``slow``, candidates that are far off are given up after fewer digits.
    """

    def __init__(
        self, stored_scalers: Sequence[StoredScaler], probe_set: ProbeSet, tell: ProgressCallback, *, slow: bool = False
    ) -> None:
        self._stored_scalers = stored_scalers
        self._probe_set = probe_set
        self._tell = tell
        self._first = _FIRST_IF_SLOW if slow else _FIRST
        self._n_scored = 0
        self._best = 0.0
        self._shared = SharedLayers()

    def score(self, candidate: Candidate, n: int) -> Candidate:
        """Return a candidate with its scores on the first ``n`` digits, or fewer if it is far behind the best so far.

        Without digits, a candidate whose outputs are not finite gets an infinite cost.
        """
        self._tell(self._n_scored)
        self._n_scored += 1
        try:
            network = build_network(candidate, self._stored_scalers, self._probe_set)
        except ValueError:  # for example, the network is too large
            return candidate
        with np.errstate(all="ignore"):  # outputs that are not finite, and differences of finite ones, may overflow
            if n == 0:
                finite = np.isfinite(network.forward(SOME_IMAGES)).all()
                return candidate if finite else replace(candidate, cost=math.inf)
            n_correct, loss, end = 0, 0.0, 0
            enough = max(self._best - _FAR_OFF, self._best * _FEW)
            while end < n and (end == 0 or n_correct / end >= enough):
                begin, end = end, min(n, end + (network.chunk if end else min(network.chunk, self._first)))
                images = self._probe_set.images[begin:end]
                logits = network.forward(images) if end > _SHARED else self._shared.forward(network, images)
                labels = self._probe_set.labels[begin:end]
                if not np.isfinite(logits).all():
                    return replace(candidate, accuracy=0.0)
                n_correct += int((logits.argmax(axis=1) == labels).sum())
                loss += CrossEntropy()(logits, labels)[0] * len(labels)
        if end > self._first:
            self._best = max(self._best, n_correct / end)
        return replace(candidate, accuracy=n_correct / end, loss=loss / end)
