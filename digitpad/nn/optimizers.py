"""Optimizers: each updates a flat vector of parameters from a flat vector of gradients, independently of layers.

Each keeps its state in a dict of named arrays, which a checkpoint stores so that training can resume exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from digitpad.nn.arrays import Floats, Scratch


class Optimizer(Protocol):
    """Interface of an optimizer."""

    state: dict[str, Floats]

    def step(self, parameters: Floats, gradients: Floats, learning_rate: float) -> None:
        """Update ``parameters`` in place; ``gradients`` may be overwritten. Both are flat and have the same length."""


@dataclass
class SGD:
    """Stochastic gradient descent with momentum (Polyak, 1964); the learning rate scales the velocity.

    v ← momentum · v + g;  w ← w - learning_rate · v.  With momentum 0 there is no v, and the method is plain gradient
    descent. With ``nesterov``, w ← w - learning_rate · (g + momentum · v): the gradient is taken at the look-ahead
    point (Sutskever et al., 2013, rewritten so that w is the look-ahead point).
    """

    momentum: float = 0.0
    nesterov: bool = False
    state: dict[str, Floats] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._scratch: Scratch | None = None

    def step(self, parameters: Floats, gradients: Floats, learning_rate: float) -> None:
        """Take one step downhill."""
        downhill = gradients
        if self.momentum:
            if not self.state:
                self.state = {"velocity": np.zeros_like(parameters)}
            velocity = self.state["velocity"]
            velocity *= self.momentum
            velocity += gradients
            if self.nesterov:
                if self._scratch is None:
                    self._scratch = Scratch(parameters.dtype)
                gradients += np.multiply(velocity, self.momentum, out=self._scratch("ahead", parameters.shape))
            else:
                downhill = velocity
        parameters -= np.multiply(downhill, learning_rate, out=gradients)


@dataclass
class RMSProp:
    """RMSProp (Tieleman and Hinton, 2012): each gradient is divided by the root mean square of its recent values.

    s ← rho · s + (1 - rho) · g²;  w ← w - learning_rate · g / (√s + eps).
    """

    rho: float = 0.9
    eps: float = 1e-8
    state: dict[str, Floats] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._scratch: Scratch | None = None

    def step(self, parameters: Floats, gradients: Floats, learning_rate: float) -> None:
        """Take one step downhill."""
        if self._scratch is None:
            self._scratch = Scratch(parameters.dtype)
        if not self.state:
            self.state = {"square": np.zeros_like(parameters)}
        square = self.state["square"]
        size = np.multiply(gradients, gradients, out=self._scratch("size", parameters.shape))
        size *= 1 - self.rho
        square *= self.rho
        square += size
        np.sqrt(square, out=size)
        size += self.eps
        gradients /= size
        gradients *= learning_rate
        parameters -= gradients


@dataclass
class Adam:
    """Adam (Kingma and Ba, 2015, algorithm 1): each step is scaled by the recent size of the parameter's gradients.

    m ← beta1 · m + (1 - beta1) · g;  s ← beta2 · s + (1 - beta2) · g²;  w ← w - rate · m̂ / (√ŝ + eps), where m̂ and ŝ
    are m / (1 - beta1ᵗ) and s / (1 - beta2ᵗ), which correct the bias towards 0, where m and s start.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    state: dict[str, Floats] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._scratch: Scratch | None = None

    def step(self, parameters: Floats, gradients: Floats, learning_rate: float) -> None:
        """Take one step downhill."""
        if self._scratch is None:
            self._scratch = Scratch(parameters.dtype)
        if not self.state:
            self.state = {
                "mean": np.zeros_like(parameters),
                "square": np.zeros_like(parameters),
                "t": np.zeros(()),
            }
        mean, square, t = self.state["mean"], self.state["square"], self.state["t"]
        t += 1
        step = self._scratch("step", parameters.shape)

        mean *= self.beta1
        mean += np.multiply(gradients, 1 - self.beta1, out=step)
        square *= self.beta2
        np.multiply(gradients, gradients, out=gradients)
        square += np.multiply(gradients, 1 - self.beta2, out=step)

        np.sqrt(square, out=gradients)
        # Bias correction: m̂ / (√ŝ + eps) = m · √(1 - beta2ᵗ) / (1 - beta1ᵗ) / (√s + eps · √(1 - beta2ᵗ)).
        root = float(np.sqrt(1 - self.beta2 ** float(t)))
        gradients += self.eps * root
        np.divide(mean, gradients, out=step)
        step *= learning_rate * root / (1 - self.beta1 ** float(t))
        parameters -= step


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): w ← w - rate · weight_decay · w before each step.

    If the decay were part of the loss, as L2 regularisation is, Adam would divide it by the size of the gradients, and
    it would hardly affect the weights with the largest gradients.

    Attributes
    ----------
    decayed : sequence of slice
        Slices of the parameter vector that weight decay applies to; the whole vector by default.
    """

    weight_decay: float = 0.01
    decayed: Sequence[slice] = (slice(None),)

    def step(self, parameters: Floats, gradients: Floats, learning_rate: float) -> None:
        """Take one step downhill."""
        for where in self.decayed:
            parameters[where] *= 1 - learning_rate * self.weight_decay
        super().step(parameters, gradients, learning_rate)


class EMA:
    """Exponential moving average of the parameters, which is often more accurate than the latest parameters.

    average ← decay · average + (1 - decay) · parameters, after each step (Polyak and Juditsky, 1992, in the form of
    Tarvainen and Valpola, 2017). Over the first steps the decay is (1 + t) / (10 + t), if that is less, so that the
    initial random parameters lose their influence quickly.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.state: dict[str, Floats] = {}
        self._scratch: Scratch | None = None

    def update(self, parameters: Floats) -> None:
        """Update the average with the parameters after a step."""
        if self._scratch is None:
            self._scratch = Scratch(parameters.dtype)
        if not self.state:
            self.state = {"average": parameters.copy(), "t": np.zeros(())}
        average, t = self.state["average"], self.state["t"]
        t += 1
        decay = min(self.decay, float((1 + t) / (10 + t)))
        change = np.subtract(parameters, average, out=self._scratch("change", parameters.shape))
        change *= 1 - decay
        average += change

    @property
    def average(self) -> Floats:
        """Average of the parameters, shape (n_parameters,); available after the first `update`."""
        return self.state["average"]
