"""What training makes small."""

import numpy as np

from digitpad.nn.arrays import Floats, Ints, Scratch


def softmax(logits: Floats, out: Floats | None = None) -> Floats:
    """Probabilities exp(logits) / sum(exp(logits)) of each row; shape (n_samples, n_classes).

    Each row's largest logit is subtracted first: the quotient stays the same and exp cannot overflow.
    """
    probabilities: Floats = np.subtract(logits, logits.max(axis=1, keepdims=True), out=out)
    np.exp(probabilities, out=probabilities)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities


class CrossEntropy:
    """Mean cross-entropy of softmax(logits) against class labels, and its gradient."""

    def __init__(self) -> None:
        self._scratch: Scratch | None = None

    def __call__(self, logits: Floats, labels: Ints) -> tuple[float, Floats]:
        """The loss, and its gradient with respect to the logits.

        Parameters
        ----------
        logits : ndarray of shape (n_samples, n_classes)
        labels : ndarray of shape (n_samples,), values in 0..n_classes-1

        Returns
        -------
        loss : float
            -mean(log p), p being the probability that each sample gives to its label.
        gradient : ndarray of shape (n_samples, n_classes)
            (softmax - one_hot) / n_samples, so that later layers never divide again: for one sample the loss is
            log(sum(exp z)) - z_label, whose derivative by z_j is softmax_j - [j = label]. Overwritten by the next call.
        """
        if self._scratch is None:
            self._scratch = Scratch(logits.dtype)
        n_samples = len(logits)
        rows = np.arange(n_samples)
        gradient = softmax(logits, out=self._scratch("gradient", logits.shape))
        # The smallest normal number stands in for a probability that underflowed, so that the loss stays finite.
        likelihoods = np.maximum(gradient[rows, labels], np.finfo(logits.dtype).tiny)
        loss = -float(np.log(likelihoods).mean())
        gradient[rows, labels] -= 1
        gradient /= n_samples
        return loss, gradient
