"""Training speed compared with other frameworks on the same work: ``python tests/benchmarks/training.py [--json]``.

The work is to gather a batch, forward, backward, and update (SGD with momentum, float32). digitpad and those of
PyTorch, JAX and scikit-learn that are installed take turns in one process, for several rounds: an epoch of 60,000
digits for dense networks, 50 steps of 128 for a convolutional one (10 in JAX, which takes a second per step). It prints
medians as soon as a network is done, and digitpad's time as a share of each framework's, with OPENBLAS_CORETYPE unset,
and also as set if the environment sets it. ``--products`` times each matrix product instead.
"""

import argparse
import contextlib
import functools
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

LENET: list[int | str] = ["5x5x32", "pool", "5x5x64", "pool", 128]
NETWORKS: dict[str, tuple[list[int | str], int, int]] = {
    "784-256-128-10, batch 128": ([256, 128], 128, 60_000),
    "784-64-10, batch 128": ([64], 128, 60_000),
    "784-500-300-100-10, batch 60": ([500, 300, 100], 60, 60_000),
    "LeNet-like, batch 128": (LENET, 128, 50 * 128),
}
"""Hidden layers, batch size, and number of training digits in a round."""

RATE, MOMENTUM = 0.01, 0.9

Work = Callable[[], None]


def main() -> None:
    """Run all rounds in a new process for each environment; the hidden option ``--here`` runs them in this one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", metavar="TEXT", help="only the networks whose names contain this text")
    parser.add_argument(
        "--against", default="PyTorch,JAX,scikit-learn", help="frameworks to compare with (default: %(default)s)"
    )
    parser.add_argument("--products", action="store_true", help="measure the speed of each matrix product instead")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        works = _products() if options.products else _all(options.rounds, options.only, options.against)
        for name, figures in works:
            print(json.dumps([name, figures]), flush=True)
        return
    results: dict[str, dict[str, dict[str, float]]] = {}
    environments = {"unset": {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}}
    if "OPENBLAS_CORETYPE" in os.environ:
        environments[os.environ["OPENBLAS_CORETYPE"]] = dict(os.environ)
    for kind, environment in environments.items():
        command = [sys.executable, __file__, "--here", "--rounds", str(options.rounds), "--only", options.only]
        command += ["--against", options.against]
        command += ["--products"] * options.products
        results[kind] = {}
        if not options.json:
            print(f"OPENBLAS_CORETYPE {kind}", flush=True)
        with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                name, figures = json.loads(line)
                results[kind][name] = figures
                if not options.json:
                    _tell(name, figures, products=options.products)
        if process.returncode:
            sys.exit(process.returncode)
    if options.json:
        print(json.dumps(results))


def _tell(name: str, figures: dict[str, float], *, products: bool) -> None:
    print(f"  {name}")
    n_steps = -(-NETWORKS[name][2] // NETWORKS[name][1])
    for label, figure in figures.items():
        if products:
            print(f"    {label:40s} {figure:6.1f} GFLOP/s", flush=True)
        else:
            ratio = figures["digitpad"] / figure
            step = figure / n_steps * 1e3
            print(f"    {label:24s} {figure:.3f} s  {step:6.2f} ms per step   {ratio:.2f}", flush=True)


def _all(rounds: int, only: str, against: str) -> Iterator[tuple[str, dict[str, float]]]:
    for name, network in NETWORKS.items():
        if only in name:
            print(f"training {name}", file=sys.stderr)
            yield name, _compare(*network, rounds, against)


def _compare(hidden: list[int | str], batch_size: int, n_images: int, rounds: int, against: str) -> dict[str, float]:
    """Return the median seconds per round of each installed framework; they take turns, to share the same noise."""
    makers: dict[str, tuple[str, Callable[..., Work]]] = {
        "digitpad": ("numpy", _digitpad),
        "PyTorch": ("torch", _torch),
        "JAX": ("jax", _jax),
    }
    if hidden == LENET:
        makers["PyTorch, channels last"] = ("torch", functools.partial(_torch, channels_last=True))
    else:
        makers["scikit-learn"] = ("sklearn", _sklearn)
    n_slow = n_images // 5 if hidden == LENET else n_images  # JAX's convolutions take a second per step
    works = {
        name: make(hidden, batch_size, n_slow if name == "JAX" else n_images)
        for name, (module, make) in makers.items()
        if importlib.util.find_spec(module) and (name == "digitpad" or name.partition(",")[0] in against.split(","))
    }
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()  # compiles, allocates, fills caches
    for number in range(1, rounds + 1):
        print(f"  round {number} of {rounds}", file=sys.stderr)
        for name, work in works.items():
            begin = time.perf_counter()
            work()
            share = n_slow / n_images if name == "JAX" else 1
            seconds[name].append((time.perf_counter() - begin) / share)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _products() -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each network with the GFLOP/s of each matrix product of a step: the median of 30 repetitions."""
    import numpy as np

    rng = np.random.default_rng(1)

    def rate(left: Any, right: Any) -> float:
        times = []
        out = np.matmul(left, right)
        for _ in range(30):
            begin = time.perf_counter()
            np.matmul(left, right, out=out)
            times.append(time.perf_counter() - begin)
        return 2 * left.shape[0] * left.shape[1] * right.shape[1] / statistics.median(times) / 1e9

    def layer_rates(rows: int, n_in: int, n_out: int) -> dict[str, float]:
        x, w, dy = (rng.random(shape, np.float32) for shape in ((rows, n_in), (n_in, n_out), (rows, n_out)))
        shape = f"{rows} × {n_in} × {n_out}"
        return {
            f"x W        {shape}": rate(x, w),
            f"xᵀ dy      {shape}": rate(x.T, dy),
            f"dy Wᵀ      {shape}": rate(dy, w.T),
        }

    for name, (hidden, batch, _) in NETWORKS.items():
        print(f"multiplying the matrices of {name}", file=sys.stderr)
        if hidden == LENET:  # as the convolutions gather their windows, for one of two threads, which has half a batch
            layers = [
                (24 * 64 * 24, 25, 32),
                (2 * 64 * 8, 160, 64),
                (8 * 64 * 8, 160, 64),
                (64, 1024, 128),
                (64, 128, 10),
            ]
        else:
            sizes = [784, *map(int, hidden), 10]
            layers = [(batch, n_in, n_out) for n_in, n_out in zip(sizes, sizes[1:], strict=False)]
        with _blas_for(hidden):
            yield name, {key: value for layer in layers for key, value in layer_rates(*layer).items()}


def _blas_for(hidden: list[int | str]) -> contextlib.AbstractContextManager[None]:
    """Limit BLAS to one thread for networks whose batches are split among threads, as training does."""
    from digitpad.system import blas_threads

    return blas_threads.one_thread() if hidden == LENET else contextlib.nullcontext()


def _data(n_images: int) -> Any:
    import numpy as np

    from digitpad.datasets.dataset import Digits, mnist

    data = mnist()
    return Digits(
        np.concatenate([data.training.images, data.validation.images])[:n_images],
        np.concatenate([data.training.labels, data.validation.labels])[:n_images],
    )


def _floats(n_images: int) -> Any:
    import numpy as np

    digits = _data(n_images)
    return digits.images.reshape(-1, 784).astype(np.float32) / 255, digits.labels.astype(np.int64)


def _digitpad(hidden: list[int | str], batch_size: int, n_images: int) -> Work:
    import numpy as np

    from digitpad.datasets.batches import Batches
    from digitpad.datasets.sorted_pixels import SortedPixels
    from digitpad.nn.feedforward import feedforward
    from digitpad.nn.network import Network
    from digitpad.nn.optimizers import SGD
    from digitpad.nn.parallel import DataParallel
    from digitpad.system import blas_threads

    rng = np.random.default_rng(1)
    network, optimizer = Network(feedforward(hidden)), SGD(MOMENTUM)
    n_threads = blas_threads.thread_count() if hidden == LENET else 1
    parallel = DataParallel(network, n_threads)
    parallel.initialize(rng)
    digits = _data(n_images)
    batches = Batches(digits, batch_size, rng)
    if hidden != LENET:  # as the trainer does
        batches.sorted_pixels = SortedPixels(digits.images)

    def work() -> None:
        with _blas_for(hidden):
            for images, labels in batches.one_pass():
                parallel.learn(images, labels)
                optimizer.step(network.parameters, network.gradients, RATE)

    return work


def _torch(hidden: list[int | str], batch_size: int, n_images: int, *, channels_last: bool = False) -> Work:
    import torch

    images, labels = (torch.from_numpy(array) for array in _floats(n_images))
    layers: list[Any] = []
    if hidden == LENET:
        layers += [torch.nn.Unflatten(1, (1, 28, 28))]
        for n_in, n_out in ((1, 32), (32, 64)):
            layers += [torch.nn.Conv2d(n_in, n_out, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        layers.append(torch.nn.Flatten())
        sizes = [1024, 128, 10]
    else:
        sizes = [784, *map(int, hidden), 10]
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    loss = torch.nn.CrossEntropyLoss()

    def work() -> None:
        for batch in torch.randperm(len(labels)).split(batch_size):
            optimizer.zero_grad()
            loss(network(images[batch]), labels[batch]).backward()
            optimizer.step()

    return work


def _jax(hidden: list[int | str], batch_size: int, n_images: int) -> Work:
    import jax
    import jax.numpy as jnp
    import numpy as np

    images, labels = (jnp.asarray(array) for array in _floats(n_images))
    rng = np.random.default_rng(1)
    convolutions = [(5, 5, 1, 32), (5, 5, 32, 64)] if hidden == LENET else []
    sizes = [1024, 128, 10] if hidden == LENET else [784, *map(int, hidden), 10]
    shapes = [*convolutions, *zip(sizes[:-1], sizes[1:], strict=True)]
    weights = [
        (jnp.asarray(rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape).astype(np.float32)), jnp.zeros(shape[-1]))
        for shape in shapes
    ]
    state = [(weights, jax.tree.map(jnp.zeros_like, weights))]
    n_batches = len(labels) // batch_size

    def loss(weights: Any, x: Any, y: Any) -> Any:
        if convolutions:
            x = x.reshape(-1, 28, 28, 1)
        for weight, bias in weights[: len(convolutions)]:
            x = jax.lax.conv_general_dilated(x, weight, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = jax.lax.reduce_window(jax.nn.relu(x + bias), -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        x = x.reshape(len(x), -1)
        for weight, bias in weights[len(convolutions) : -1]:
            x = jax.nn.relu(x @ weight + bias)
        logits = x @ weights[-1][0] + weights[-1][1]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))

    def step(carry: Any, batch: Any) -> Any:
        weights, velocity = carry
        gradients = jax.grad(loss)(weights, images[batch], labels[batch])
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradients)
        return (jax.tree.map(lambda w, v: w - RATE * v, weights, velocity), velocity), None

    epoch = jax.jit(lambda carry, order: jax.lax.scan(step, carry, order)[0])

    def work() -> None:
        order = jnp.asarray(rng.permutation(len(labels))[: n_batches * batch_size].reshape(n_batches, batch_size))
        state[0] = jax.block_until_ready(epoch(state[0], order))

    return work


def _sklearn(hidden: list[int | str], batch_size: int, n_images: int) -> Work:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    images, labels = _floats(n_images)
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

    def work() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is intended
            network.fit(images, labels)

    return work


if __name__ == "__main__":
    main()
