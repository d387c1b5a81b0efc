"""How fast training is beside the frameworks, on the same work: ``python tests/benchmarks/training.py [--json]``.

An epoch over 60 000 digits: gather a batch, forward, backward, update (SGD with momentum, float32), for digitpad and
for those of PyTorch, JAX and scikit-learn that are installed, in turns in one process, several rounds; medians, and the
share of each one's time that digitpad takes; with OPENBLAS_CORETYPE unset, and where the environment sets it, as set.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

NETWORKS: dict[str, tuple[list[int], int]] = {
    "784-256-128-10, batch 128": ([256, 128], 128),
    "784-64-10, batch 128": ([64], 128),
    "784-500-300-100-10, batch 60": ([500, 300, 100], 60),
}
RATE, MOMENTUM = 0.01, 0.9

Epoch = Callable[[], None]


def main() -> None:
    """Run the rounds, or (in a process of its own) those with the environment as it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps({name: _compare(*network, options.rounds) for name, network in NETWORKS.items()}))
        return
    results = {}
    environments = {"unset": {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}}
    if "OPENBLAS_CORETYPE" in os.environ:
        environments[os.environ["OPENBLAS_CORETYPE"]] = dict(os.environ)
    for kind, environment in environments.items():
        command = [sys.executable, __file__, "--here", "--rounds", str(options.rounds)]
        output = subprocess.run(
            command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        results[kind] = json.loads(output)
    if options.json:
        print(json.dumps(results))
        return
    for kind, networks in results.items():
        print(f"OPENBLAS_CORETYPE {kind}")
        for name, seconds in networks.items():
            own = seconds["digitpad"]
            print(f"  {name}")
            for who, median in seconds.items():
                print(f"    {who:14s} {median:.3f} s   digitpad takes {own / median:.2f} of it")


def _compare(hidden: list[int], batch_size: int, rounds: int) -> dict[str, float]:
    """Median seconds an epoch for each that can be imported; the rounds take turns, so that all see the same noise."""
    makers = {"digitpad": _digitpad, "PyTorch": _torch, "JAX": _jax, "scikit-learn": _sklearn}
    modules = {"PyTorch": "torch", "JAX": "jax", "scikit-learn": "sklearn"}
    epochs = {
        who: make(hidden, batch_size)
        for who, make in makers.items()
        if who not in modules or importlib.util.find_spec(modules[who])
    }
    seconds: dict[str, list[float]] = {who: [] for who in epochs}
    for epoch in epochs.values():
        epoch()  # compiles, allocates, fills caches
    for _ in range(rounds):
        for who, epoch in epochs.items():
            begin = time.perf_counter()
            epoch()
            seconds[who].append(time.perf_counter() - begin)
    return {who: statistics.median(times) for who, times in seconds.items()}


def _data() -> Any:
    import numpy as np

    from digitpad.datasets.dataset import Digits, mnist

    data = mnist()
    return Digits(
        np.concatenate([data.training.images, data.validation.images]),
        np.concatenate([data.training.labels, data.validation.labels]),
    )


def _floats() -> Any:
    import numpy as np

    digits = _data()
    return digits.images.reshape(-1, 784).astype(np.float32) / 255, digits.labels.astype(np.int64)


def _digitpad(hidden: list[int], batch_size: int) -> Epoch:
    import numpy as np

    from digitpad.datasets.batches import Batches
    from digitpad.nn.losses import CrossEntropy
    from digitpad.nn.network import Network, dense
    from digitpad.nn.optimizers import SGD

    rng = np.random.default_rng(1)
    network, loss, optimizer = Network(dense(hidden)), CrossEntropy(), SGD(MOMENTUM)
    network.initialize(rng)
    batches = Batches(_data(), batch_size, rng)

    def epoch() -> None:
        for images, labels in batches.one_pass():
            _, dlogits = loss(network.forward(images, training=True), labels)
            network.backward(dlogits)
            optimizer.step(network.parameters, network.gradients, RATE)

    return epoch


def _torch(hidden: list[int], batch_size: int) -> Epoch:
    import torch

    images, labels = (torch.from_numpy(array) for array in _floats())
    sizes = [784, *hidden, 10]
    layers: list[Any] = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    loss = torch.nn.CrossEntropyLoss()

    def epoch() -> None:
        for chosen in torch.randperm(len(labels)).split(batch_size):
            optimizer.zero_grad()
            loss(network(images[chosen]), labels[chosen]).backward()
            optimizer.step()

    return epoch


def _jax(hidden: list[int], batch_size: int) -> Epoch:
    import jax
    import jax.numpy as jnp
    import numpy as np

    images, labels = (jnp.asarray(array) for array in _floats())
    rng = np.random.default_rng(1)
    sizes = [784, *hidden, 10]
    weights = [
        (jnp.asarray(rng.normal(0, (2 / n_in) ** 0.5, (n_in, n_out)).astype(np.float32)), jnp.zeros(n_out))
        for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    state = [(weights, jax.tree.map(jnp.zeros_like, weights))]
    n_batches = len(labels) // batch_size

    def loss(weights: Any, x: Any, y: Any) -> Any:
        for weight, bias in weights[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        logits = x @ weights[-1][0] + weights[-1][1]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))

    def step(carry: Any, chosen: Any) -> Any:
        weights, velocity = carry
        gradients = jax.grad(loss)(weights, images[chosen], labels[chosen])
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradients)
        return (jax.tree.map(lambda w, v: w - RATE * v, weights, velocity), velocity), None

    whole_epoch = jax.jit(lambda carry, order: jax.lax.scan(step, carry, order)[0])

    def epoch() -> None:
        order = jnp.asarray(rng.permutation(len(labels))[: n_batches * batch_size].reshape(n_batches, batch_size))
        state[0] = jax.block_until_ready(whole_epoch(state[0], order))

    return epoch


def _sklearn(hidden: list[int], batch_size: int) -> Epoch:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    images, labels = _floats()
    network = MLPClassifier(
        tuple(hidden),
        solver="sgd",
        alpha=0,
        batch_size=batch_size,
        learning_rate_init=RATE,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        max_iter=1,
    )

    def epoch() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is what is asked for
            network.fit(images, labels)

    return epoch


if __name__ == "__main__":
    main()
