"""Loss functions, regularisers and gradient clipping."""

import math
from collections.abc import Iterable

import numpy as np

from digitpad.nn.arrays import Floats, Ints, Scratch

NONE = 255
"""Label of a sample that belongs to no class; its target is a uniform distribution (Hendrycks et al., 2019)."""


def softmax(logits: Floats, out: Floats | None = None) -> Floats:
    """Return the probabilities exp(logits) / sum(exp(logits)) of each row; shape (n_samples, n_classes).

    The largest logit of each row is subtracted first, which does not change the quotient, and exp cannot overflow.
    """
    with np.errstate(over="ignore"):  # a difference that overflows is -inf, and its exp is 0 as well
        probabilities: Floats = np.subtract(logits, logits.max(axis=1, keepdims=True), out=out)
    np.exp(probabilities, out=probabilities)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities


class CrossEntropy:
    """Mean cross-entropy between softmax(logits) and class labels, with its gradient.

    Parameters
    ----------
    label_smoothing : float
        Share of each target that is spread evenly over all classes (Szegedy et al., 2016). A network that need not
        reach a probability of 1 is less overconfident, and often more accurate.

    Raises
    ------
    ValueError
        If ``label_smoothing`` is not in 0 to below 1.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label smoothing must be 0 to below 1, not {label_smoothing}")
        self._smoothing = label_smoothing
        self._scratch: Scratch | None = None
        self._targets: Floats = np.empty((0, 0))

    def __call__(self, logits: Floats, labels: Ints) -> tuple[float, Floats]:
        """Return the loss and its gradient with respect to the logits.

        Parameters
        ----------
        logits : ndarray of shape (n_samples, n_classes)
        labels : ndarray of shape (n_samples,), values in 0..n_classes-1, or `NONE`; never negative

        Returns
        -------
        loss : float
            -mean(Σ t_j log p_j) with p = softmax(logits). The target is t_j = (1 - s) · [j = label] + s / n_classes for
            the label smoothing s, or 1 / n_classes for a sample of no class. It is computed with
            log p_j = z_j - log Σ exp z, which stays finite where a probability underflows.
        gradient : ndarray of shape (n_samples, n_classes)
            (p - t) / n_samples, so that other layers need not divide by n_samples. For a single sample, the loss is
            log(Σ exp z) - Σ t_j z_j, and its derivative by z_j is p_j - t_j. The next call overwrites this array.

        Raises
        ------
        IndexError
            If a label is larger than that of the last class, and is not `NONE`.
        """
        scratch = self._scratch = self._scratch or Scratch(logits.dtype)
        n_samples, n_classes = logits.shape
        if self._targets.shape[1] != n_classes:
            self._targets = self._label_targets(n_classes).astype(logits.dtype)
        # For such short rows, a product with ones is the fastest sum, and a maximum of columns is the fastest maximum.
        columns = scratch("columns", (n_classes, n_samples))
        columns[...] = logits.T
        largest = np.maximum.reduce(columns, axis=0, out=scratch("largest", (n_samples,)))
        centred = np.subtract(logits, largest[:, None], out=scratch("centred", logits.shape))
        gradient = np.exp(centred, out=scratch("gradient", logits.shape))
        ones = scratch("ones", (n_classes, 1))
        ones.fill(1)
        total = np.matmul(gradient, ones, out=scratch("total", (n_samples, 1)))
        # mode="clip" lets `take` write to ``out`` without an intermediate buffer.
        targets = np.take(self._targets, labels, axis=0, mode="clip", out=scratch("targets", logits.shape))

        loss = -float(np.vdot(targets, centred))
        gradient /= total
        gradient -= targets
        gradient /= n_samples
        loss += float(np.add.reduce(np.log(total, out=total), axis=None))
        if math.isnan(loss) and ((labels >= n_classes) & (labels != NONE)).any():
            raise IndexError(f"label {labels[labels != NONE].max()} is out of range for {n_classes} classes")
        return loss / n_samples, gradient

    def _label_targets(self, n_classes: int) -> Floats:
        """Return one row of target probabilities for each label 0..`NONE` + 1; the rows of invalid labels are NaN."""
        targets = np.full((NONE + 2, n_classes), np.nan)
        targets[:n_classes] = self._smoothing / n_classes + (1 - self._smoothing) * np.eye(n_classes)
        targets[NONE] = 1 / n_classes
        return targets


def add_penalty_gradients(
    gradients: Floats, parameters: Floats, weights: Iterable[slice], l1: float, l2: float, scratch: Scratch
) -> None:
    """Add the gradient of L1 and L2 regularisation to ``gradients``.

    The penalty is l1 · Σ|w| + l2 / 2 · Σ w², and its gradient is l1 · sign(w) + l2 · w.

    Parameters
    ----------
    gradients, parameters : ndarray of shape (n_parameters,)
    weights : iterable of slice
        Slices of the vectors that hold weights. Biases are not regularised, as they add no complexity.
    scratch : Scratch
        Reusable memory.
    """
    for weight_slice in weights:
        w = parameters[weight_slice]
        penalty_gradient = scratch("penalty gradient", w.shape)
        for strength, slope in ((l1, np.sign), (l2, np.positive)):
            if strength:
                slope(w, out=penalty_gradient)
                penalty_gradient *= strength
                gradients[weight_slice] += penalty_gradient


def clip_by_value(gradients: Floats, limit: float) -> None:
    """Clip every gradient to -``limit``..``limit``, in place."""
    np.clip(gradients, -limit, limit, out=gradients)


def clip_by_norm(gradients: Floats, limit: float) -> float:
    """Scale the gradient to the norm ``limit`` if its norm is larger, in place, and return the original norm.

    All gradients are treated as one vector; its direction does not change (Pascanu et al., 2013).
    """
    norm = math.sqrt(float(np.dot(gradients, gradients)))
    if norm == math.inf:  # the squares overflow float32
        norm = float(np.linalg.norm(gradients.astype(np.float64)))
    if norm > limit:
        gradients *= limit / norm
    return norm
