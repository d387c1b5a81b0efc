"""Settings, progress and result of an adaptation: frozen dataclasses that are safe to pass between threads."""

from dataclasses import dataclass

from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.weights.native_format import Weights


@dataclass(frozen=True)
class AdaptationSettings:
    """Settings of an adaptation, chosen on the errors of ten writers.

    Attributes
    ----------
    n_steps : int
        Steps of Adam; the learning rate falls to 0 by half a cosine.
    n_own, n_rehearsal : int
        Images per step.
    rehearsal_weight : float
        Weight of the rehearsal images' loss; that of the own digits is 1.
    n_copies : int
        Distorted copies of each own digit; fewer if there are many digits.
    n_mnist, n_pen, n_validation : int
        MNIST training digits and generated digits for rehearsal, and MNIST validation digits.
    max_drop : float
        Largest accepted loss of accuracy on the validation digits.
    max_divergence : float
        Largest accepted mean divergence of the answers for the validation digits, in nats. For the 20 development
        writers with the most errors, errors on their other digits fall by 37 %, from 82 to 52, and the accuracy on
        MNIST by 0.05 points at most. Twice the limit gives 41 % and 0.06 points (``tests/benchmarks/adapt.py``).
    """

    n_steps: int = 300
    learning_rate: float = 0.003
    n_own: int = 32
    n_rehearsal: int = 320
    rehearsal_weight: float = 20.0
    n_copies: int = 12
    n_mnist: int = 6000
    n_pen: int = 2000
    n_validation: int = 4000
    max_drop: float = 0.001
    max_divergence: float = 0.002
    seed: int = 1


@dataclass(frozen=True)
class AdaptationProgress:
    """Progress of one stage of an adaptation.

    Attributes
    ----------
    stage : str
        What is being done, for the user.
    done, total : int
        Parts of this stage, such as images or steps.
    share : float
        Share of the whole adaptation that is done, 0 to 1.
    loss : float or None
        Loss of the step on own digits.
    own_accuracy, mnist_accuracy : float or None
        Accuracy on the held-out own digits, and on MNIST validation digits, now and then while training.
    training_share : float
        Share of all training steps that is done, 0 to 1.
    """

    stage: str
    done: int
    total: int
    share: float
    loss: float | None = None
    own_accuracy: float | None = None
    mnist_accuracy: float | None = None
    training_share: float = 0.0


@dataclass(frozen=True)
class AdaptationScores:
    """Accuracy on held-out own digits, None without any, and on the MNIST test set; and how many were held out."""

    own_accuracy: float | None
    mnist_accuracy: float
    n_own: int


@dataclass(frozen=True, eq=False)
class AdaptationResult:
    """Adapted network, with scores.

    Attributes
    ----------
    weights : Weights
        The network, adapted to all own digits.
    base : Weights
        The network before.
    before, after : AdaptationScores
        ``after.own_accuracy`` is that of a network that was adapted without the held-out digits.
    now_read, no_longer_read : tuple of OwnDigit
        Own digits that only the new network, or only the old one, reads correctly.
    """

    weights: Weights
    base: Weights
    before: AdaptationScores
    after: AdaptationScores
    now_read: tuple[OwnDigit, ...]
    no_longer_read: tuple[OwnDigit, ...]
