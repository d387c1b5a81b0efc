"""The formulas of "How the network works", run against the code that they describe."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.nn.arrays import Floats, Scratch
from digitpad.nn.layers import GELU, AddChannel, Conv2d, Layer, LeakyReLU, Linear, MaxPool2d, ReLU, Sigmoid, Tanh
from digitpad.nn.losses import CrossEntropy, add_penalty_gradients, softmax
from digitpad.nn.network import Network
from digitpad.nn.optimizers import SGD, Adam
from digitpad.teaching.help_library import HELP

_TEXT = (HELP / "how-the-network-works.md").read_text("utf-8")
FORMULAS = dict(re.findall(r"```formula (\w+)\n(.+?)\n```", _TEXT))
_NAMES = ("exp", "log", "sum", "maximum", "where", "sqrt", "tanh", "abs", "max", "pi")


def formula(name: str, **values: Any) -> Any:
    """Evaluate a formula of the page."""
    return eval(FORMULAS[name], {"__builtins__": {}}, {key: getattr(np, key) for key in _NAMES} | values)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def close(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "layer", "values"),
    [
        ("relu", ReLU(), {}),
        ("leaky_relu", LeakyReLU(0.2), {"alpha": 0.2}),
        ("sigmoid", Sigmoid(), {}),
        ("tanh", Tanh(), {}),
        ("gelu", GELU(), {}),
    ],
)
def test_activations(name: str, layer: Layer, values: dict[str, float], rng: np.random.Generator) -> None:
    """Each formula gives what its layer gives."""
    x = rng.normal(size=(5, 4))
    layer.bind({}, {}, Scratch(x.dtype))
    close(layer.forward(x.copy(), training=False), formula(name, x=x, **values))


def test_dense_layer_and_its_gradients(rng: np.random.Generator) -> None:
    """Forward and backward, with the gradients of weights, biases and inputs."""
    network = Network([Linear(3)], (4,), np.float64)
    network.initialize(rng)
    layer = network.layers[0]
    network.parameters[:] = rng.normal(size=network.parameters.size)
    x, d = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    W, b = (layer.parameters[key] for key in ("weight", "bias"))  # noqa: N806
    close(layer.forward(x, training=True), formula("linear", x=x, W=W, b=b))
    layer.write_gradients(d.copy())
    close(layer.gradients["weight"], formula("weight_gradient", x=x, d=d))
    close(layer.gradients["bias"], formula("bias_gradient", d=d))
    close(layer.input_gradient(d.copy()), formula("input_gradient", d=d, W=W))


def test_relu_gradient(rng: np.random.Generator) -> None:
    """It passes where the output was above zero."""
    x, d = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    layer = ReLU()
    layer.bind({}, {}, Scratch(x.dtype))
    layer.forward(x.copy(), training=True)
    close(layer.input_gradient(d.copy()), formula("relu_gradient", x=x, d=d))


def test_softmax_and_loss(rng: np.random.Generator) -> None:
    """Softmax, cross-entropy with smoothed labels, and the gradient by the logits."""
    z, label, s, n = rng.normal(size=10), 3, 0.1, 10
    p = formula("softmax", z=z)
    close(softmax(z[None])[0], p)
    t = formula("label_smoothing", y=np.eye(10)[label], s=s, n=n)
    loss, gradient = CrossEntropy(s)(z[None], np.array([label], np.uint8))
    close(loss, formula("cross_entropy", t=t, p=p))
    close(gradient[0], formula("logit_gradient", p=p, t=t))


def test_penalty(rng: np.random.Generator) -> None:
    """Its numerical gradient is what training adds."""
    W, l1, l2, step = rng.normal(size=6), 0.03, 0.2, 1e-6  # noqa: N806
    gradients: Floats = np.zeros(6)
    add_penalty_gradients(gradients, W, [slice(None)], l1, l2, Scratch(W.dtype))

    def penalty(weights: Floats) -> float:
        return float(formula("penalty", W=weights, l1=l1, l2=l2))

    numerical = [(penalty(W + step * row) - penalty(W - step * row)) / (2 * step) for row in np.eye(6)]
    np.testing.assert_allclose(gradients, numerical, rtol=1e-6)


def test_steps_of_the_optimisers(rng: np.random.Generator) -> None:
    """SGD, momentum and Adam, over three steps."""
    start, rate = rng.normal(size=5), 0.1
    slopes = rng.normal(size=(3, 5))
    w = start.copy()
    SGD().step(w, slopes[0].copy(), rate)
    close(w, formula("sgd", w=start, rate=rate, g=slopes[0]))
    w, expected, v, optimizer = start.copy(), start, np.zeros(5), SGD(momentum=0.9)
    for g in slopes:
        optimizer.step(w, g.copy(), rate)
        v = formula("momentum_velocity", momentum=0.9, v=v, g=g)
        expected = formula("momentum", w=expected, rate=rate, v=v)
    close(w, expected)
    w, expected, m, s, adam = start.copy(), start, np.zeros(5), np.zeros(5), Adam()
    for k, g in enumerate(slopes, start=1):
        adam.step(w, g.copy(), rate)
        m, s = formula("adam_mean", m=m, g=g), formula("adam_square", s=s, g=g)
        expected = formula("adam", w=expected, rate=rate, m=m, s=s, k=k)
    close(w, expected)


def test_convolution_and_pooling(rng: np.random.Generator) -> None:
    """The window in one corner, and one block."""
    network = Network([AddChannel(), Conv2d(1, 3)], (5, 5), np.float64)
    network.parameters[:] = rng.normal(size=network.parameters.size)
    layer = network.layers[1]
    image = rng.normal(size=(5, 5))
    K, b = layer.parameters["weight"].reshape(3, 3), layer.parameters["bias"][0]  # noqa: N806
    close(np.ravel(network.forward(image[None].copy()))[0], formula("convolution", window=image[:3, :3], K=K, b=b))
    pooled = Network([AddChannel(), MaxPool2d(2)], (5, 5), np.float64).forward(image[None].copy())
    close(np.ravel(pooled)[0], formula("pooling", window=image[:2, :2]))


def test_every_formula_is_checked() -> None:
    """By a test in this module: its name stands there."""
    code = Path(__file__).read_text("utf-8")
    assert [name for name in FORMULAS if f'"{name}"' not in code] == []
    assert len(FORMULAS) > 20
