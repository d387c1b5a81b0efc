"""What training makes small: the loss on the data, and penalties on the weights."""

import math
from collections.abc import Iterable

import numpy as np

from digitpad.nn.arrays import Floats, Ints, Scratch

NONE = 255
"""The label of a sample of no class, of which a network should be as unsure as can be (Hendrycks et al., 2019)."""


def softmax(logits: Floats, out: Floats | None = None) -> Floats:
    """Probabilities exp(logits) / sum(exp(logits)) of each row; shape (n_samples, n_classes).

    Each row's largest logit is subtracted first: the quotient stays the same and exp cannot overflow.
    """
    probabilities: Floats = np.subtract(logits, logits.max(axis=1, keepdims=True), out=out)
    np.exp(probabilities, out=probabilities)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities


class CrossEntropy:
    """Mean cross-entropy of softmax(logits) against class labels, and its gradient.

    Parameters
    ----------
    label_smoothing : float
        The share of each label's certainty that is spread evenly over all classes (Szegedy et al., 2016): a network
        that need not reach probability 1 stays less sure of itself, and often reads better.

    Raises
    ------
    ValueError
        If the share is not 0 to below 1.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label smoothing is 0 to below 1, not {label_smoothing}")
        self._smoothing = label_smoothing
        self._scratch: Scratch | None = None
        self._targets: Floats = np.empty((0, 0))

    def __call__(self, logits: Floats, labels: Ints) -> tuple[float, Floats]:
        """The loss, and its gradient with respect to the logits.

        Parameters
        ----------
        logits : ndarray of shape (n_samples, n_classes)
        labels : ndarray of shape (n_samples,), values in 0..n_classes-1, or `NONE`; never negative

        Returns
        -------
        loss : float
            -mean(Σ t_j log p_j), p being softmax(logits), and the target t_j = (1 - s) · [j = label] + s / n_classes
            for the label smoothing s, or 1 / n_classes for what is of no class. As log p_j = z_j - log Σ exp z, nothing
            is lost where a probability underflows.
        gradient : ndarray of shape (n_samples, n_classes)
            (p - t) / n_samples, so that later layers never divide again: for one sample the loss is
            log(Σ exp z) - Σ t_j z_j, whose derivative by z_j is p_j - t_j. Overwritten by the next call.

        Raises
        ------
        IndexError
            If a label is larger than the last class, and not `NONE`.
        """
        scratch = self._scratch = self._scratch or Scratch(logits.dtype)
        n_samples, n_classes = logits.shape
        if self._targets.shape[1] != n_classes:
            self._targets = self._target_of_each_label(n_classes).astype(logits.dtype)
        # Sums over so short rows are fast as a product with ones, and the largest is found fast down columns.
        columns = scratch("columns", (n_classes, n_samples))
        columns[...] = logits.T
        largest = np.maximum.reduce(columns, axis=0, out=scratch("largest", (n_samples,)))
        centred = np.subtract(logits, largest[:, None], out=scratch("centred", logits.shape))
        gradient = np.exp(centred, out=scratch("gradient", logits.shape))
        ones = scratch("ones", (n_classes, 1))
        ones.fill(1)
        total = np.matmul(gradient, ones, out=scratch("total", (n_samples, 1)))
        # mode="clip" lets take write into ``out`` without a buffer between.
        targets = np.take(self._targets, labels, axis=0, mode="clip", out=scratch("targets", logits.shape))

        loss = -float(np.vdot(targets, centred))
        gradient /= total
        gradient -= targets
        gradient /= n_samples
        loss += float(np.add.reduce(np.log(total, out=total), axis=None))
        if math.isnan(loss) and ((labels >= n_classes) & (labels != NONE)).any():
            raise IndexError(f"labels up to {labels[labels != NONE].max()}, for {n_classes} classes")
        return loss / n_samples, gradient

    def _target_of_each_label(self, n_classes: int) -> Floats:
        """Row by row what the network should say for each label of 0..`NONE`, and beyond; NaN for what is no label."""
        targets = np.full((NONE + 2, n_classes), np.nan)
        targets[:n_classes] = self._smoothing / n_classes + (1 - self._smoothing) * np.eye(n_classes)
        targets[NONE] = 1 / n_classes
        return targets


def add_penalty_gradients(
    gradients: Floats, parameters: Floats, weights: Iterable[slice], l1: float, l2: float, scratch: Scratch
) -> None:
    """Add to ``gradients`` those of l1 · Σ|w| + l2 / 2 · Σ w², which keep weights small: l1 · sign(w) + l2 · w.

    Parameters
    ----------
    gradients, parameters : ndarray of shape (n_parameters,)
    weights : iterable of slice
        Where in the vectors the weights lie; biases are left free, as they bend nothing.
    scratch : Scratch
        Memory that is used again.
    """
    for where in weights:
        w = parameters[where]
        pull = scratch("pull", w.shape)
        for strength, slope in ((l1, np.sign), (l2, np.positive)):
            if strength:
                slope(w, out=pull)
                pull *= strength
                gradients[where] += pull


def clip_by_value(gradients: Floats, limit: float) -> None:
    """Hold every gradient within minus to plus ``limit``, in place."""
    np.clip(gradients, -limit, limit, out=gradients)


def clip_by_norm(gradients: Floats, limit: float) -> float:
    """Shorten the gradient to the length ``limit`` if it is longer, in place, and return the length it had.

    All parameters together are taken as one vector, whose direction stays (Pascanu et al., 2013).
    """
    norm = math.sqrt(float(np.dot(gradients, gradients)))
    if norm == math.inf:  # of squares that float32 cannot hold
        norm = float(np.linalg.norm(gradients.astype(np.float64)))
    if norm > limit:
        gradients *= limit / norm
    return norm
