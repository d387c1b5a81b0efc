"""Time to accuracy: ``python tests/benchmarks/time_to_accuracy.py [RECIPE …] [--seeds N] [--json]``.

Prints the seconds from the call to train until 97, 98, 99 and 99.4 % of MNIST's validation digits are read right: for
recipes of digitpad, and for the same networks in those of PyTorch, JAX and scikit-learn that are installed. Each scores
the validation set after every epoch, and that time counts, as does compilation; imports and loading the data do not.
PyTorch and JAX use the recipe's batch size, label smoothing, augmentation and peak learning rate with Adam and
one-cycle; scikit-learn, which has no schedule for Adam, its defaults. A row is printed when all seeds are done: the
median, or a dash if most of them did not reach the accuracy in the recipe's epochs. All use every core; run it on an
idle machine.
"""

import argparse
import functools
import importlib
import importlib.util
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from digitpad.datasets.dataset import mnist
from digitpad.training.events import EpochDone
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import all_recipes
from digitpad.training.trainer import Trainer

TARGETS = (0.97, 0.98, 0.99, 0.994)

Run = Callable[[Recipe, int], Iterator[float]]
"""Function that trains a recipe's network from a seed, and yields its validation accuracy after each epoch."""


def main() -> None:
    """Run all contenders on all recipes, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=["fast"], metavar="RECIPE")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="number of trainings (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only contenders whose names contain this text")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results: dict[str, dict[str, list[float | None]]] = {}
    for name in options.recipes:
        recipe = all_recipes().by_name[name]
        results[name] = {}
        if not options.json:
            print(f"{name}: {recipe.summary}\n{'':14}", *(f"{target:9.1%}" for target in TARGETS), flush=True)
        for contender, (module, run) in CONTENDERS.items():
            if options.only not in contender:
                continue
            problem = _problem(recipe, contender, module)
            if problem:
                print(f"{contender}: {problem}", file=sys.stderr)
                continue
            importlib.import_module(module)  # takes seconds, which do not count
            _floats()
            trials = [_seconds(contender, run, recipe, seed) for seed in range(1, options.seeds + 1)]
            medians = [statistics.median(times) for times in zip(*trials, strict=True)]
            results[name][contender] = [None if math.isinf(median) else median for median in medians]
            if not options.json:
                cells = ("        –" if math.isinf(median) else f"{median:7.1f} s" for median in medians)
                print(f"{contender:14}", *cells, flush=True)
    if options.json:
        print(json.dumps(results))


def _problem(recipe: Recipe, contender: str, module: str) -> str:
    """Return why a contender is left out, or an empty text."""
    convolutional = any(isinstance(word, str) for word in recipe.network.hidden)
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        return "is not installed"
    if convolutional and contender == "scikit-learn":
        return "has no convolutions"
    if convolutional and contender == "JAX":
        return "left out, its convolutions take a second per step"
    if recipe.network.activation != "relu" or recipe.network.padding != "valid" or "dropout" in recipe.network.hidden:
        return f"{recipe.name} has settings that this benchmark does not translate" if contender != "digitpad" else ""
    return ""


def _seconds(contender: str, run: Run, recipe: Recipe, seed: int) -> list[float]:
    """Return the seconds until each target is reached; infinity if it is not."""
    seconds = [math.inf] * len(TARGETS)
    best, begin = 0.0, time.perf_counter()
    for epoch, accuracy in enumerate(run(recipe, seed), start=1):
        elapsed, best = time.perf_counter() - begin, max(best, accuracy)
        seconds = [
            min(was, elapsed if best >= target else math.inf) for was, target in zip(seconds, TARGETS, strict=True)
        ]
        print(
            f"\r{contender}, seed {seed}: epoch {epoch}, {accuracy:.2%}, {elapsed:.1f} s ",
            end="",
            file=sys.stderr,
            flush=True,
        )
    print(file=sys.stderr)
    return seconds


def _digitpad(recipe: Recipe, seed: int) -> Iterator[float]:
    trainer = Trainer(recipe.with_values({"training.seed": seed}), mnist())
    for record in trainer.train():
        if isinstance(record, EpochDone) and record.epoch:
            yield record.validation.accuracy


@functools.cache
def _floats() -> tuple[Any, Any, Any, Any]:
    """Return images (n, 784) of 0..1 and labels, for training and for validation."""
    data = mnist()
    parts = [
        (part.images.reshape(-1, 784).astype(np.float32) / 255, part.labels.astype(np.int64))
        for part in (data.training, data.validation)
    ]
    return (*parts[0], *parts[1])


def _torch(recipe: Recipe, seed: int) -> Iterator[float]:
    import torch

    torch.manual_seed(seed)
    x, y, x_validation, y_validation = map(torch.from_numpy, _floats())
    network = _torch_network(recipe)
    part, n_batches = recipe.training, -(-len(y) // recipe.training.batch_size)
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.optimizer.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.optimizer.learning_rate, epochs=part.epochs, steps_per_epoch=n_batches
    )
    loss = torch.nn.CrossEntropyLoss(label_smoothing=recipe.loss.label_smoothing)
    for _ in range(part.epochs):
        network.train()
        for batch in torch.randperm(len(y)).split(part.batch_size):
            optimizer.zero_grad()
            loss(network(_torch_augmented(recipe, x[batch])), y[batch]).backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            correct = sum(
                int((network(images).argmax(1) == labels).sum())
                for images, labels in zip(x_validation.split(1000), y_validation.split(1000), strict=True)
            )
        yield correct / len(y_validation)


def _torch_network(recipe: Recipe) -> Any:
    import torch

    settings = recipe.network
    layers: list[Any] = [torch.nn.Unflatten(1, (1, 28, 28))]
    side, channels, n_inputs = 28, 1, 0
    for word in settings.hidden:
        if word == "pool":
            layers.append(torch.nn.MaxPool2d(2))
            side //= 2
            continue
        if isinstance(word, str):
            kernel, _, n_outputs = map(int, word.split("x"))
            layers.append(torch.nn.Conv2d(channels, n_outputs, kernel))
            layers += [torch.nn.BatchNorm2d(n_outputs)] * settings.batch_norm
            side, channels = side - kernel + 1, n_outputs
        else:
            if not n_inputs:
                layers.append(torch.nn.Flatten())
            layers.append(torch.nn.Linear(n_inputs or side**2 * channels, word))
            layers += [torch.nn.BatchNorm1d(word)] * settings.batch_norm
            n_inputs = word
        layers.append(torch.nn.ReLU())
        if isinstance(word, int) and settings.dropout:
            layers.append(torch.nn.Dropout(settings.dropout))
    network = torch.nn.Sequential(*layers, torch.nn.Linear(n_inputs, 10))
    return network.to(memory_format=torch.channels_last)


def _torch_augmented(recipe: Recipe, x: Any) -> Any:
    """Return rows of pixels with the rotation, shift, scale and shear of the recipe."""
    import torch

    amounts = recipe.augmentation
    if not amounts:
        return x
    angle, scale, shear = (
        (2 * torch.rand(len(x)) - 1) * most for most in (math.radians(amounts.rotate_deg), amounts.scale, amounts.shear)
    )
    theta = torch.empty(len(x), 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = (1 - scale) * torch.cos(angle), shear - torch.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = torch.sin(angle), (1 - scale) * torch.cos(angle)
    theta[:, :, 2] = (2 * torch.rand(len(x), 2) - 1) * amounts.shift_px / 14
    grid = torch.nn.functional.affine_grid(theta, [len(x), 1, 28, 28], align_corners=False)
    images = torch.nn.functional.grid_sample(x.reshape(-1, 1, 28, 28), grid, align_corners=False)
    return images.flatten(1)


def _jax(recipe: Recipe, seed: int) -> Iterator[float]:
    import jax
    import jax.numpy as jnp

    x, y, x_validation, y_validation = map(jnp.asarray, _floats())
    rng, part = np.random.default_rng(seed), recipe.training
    sizes = [784, *map(int, recipe.network.hidden), 10]
    weights = [
        (jnp.asarray(rng.normal(0, (2 / n_in) ** 0.5, (n_in, n_out)).astype(np.float32)), jnp.zeros(n_out))
        for n_in, n_out in zip(sizes, sizes[1:], strict=False)
    ]
    n_batches = len(y) // part.batch_size
    smoothing = recipe.loss.label_smoothing
    peak, n_steps = recipe.optimizer.learning_rate, part.epochs * n_batches

    def logits_of(weights: Any, x: Any) -> Any:
        for weight, bias in weights[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        return x @ weights[-1][0] + weights[-1][1]

    def loss(weights: Any, x: Any, y: Any) -> Any:
        logs = jax.nn.log_softmax(logits_of(weights, x))
        targets = smoothing / 10 + (1 - smoothing) * jax.nn.one_hot(y, 10)
        return -jnp.mean(jnp.sum(targets * logs, axis=1))

    def rate(t: Any) -> Any:
        """Return the one-cycle rate of PyTorch's defaults: a cosine up from 1/25 over 30 % of the steps, then down."""
        rise = 0.3 * n_steps
        up = peak / 25 + (peak - peak / 25) * (1 - jnp.cos(jnp.pi * t / rise)) / 2
        return jnp.where(t < rise, up, peak * (1 + jnp.cos(jnp.pi * (t - rise) / (n_steps - rise))) / 2)

    def step(carry: Any, batch: Any) -> Any:
        weights, mean, square, t = carry
        gradients = jax.grad(loss)(weights, x[batch], y[batch])
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
        square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradients)
        size, root = rate(t) / (1 - 0.9 ** (t + 1)), jnp.sqrt(1 - 0.999 ** (t + 1))
        weights = jax.tree.map(lambda w, m, s: w - size * m / (jnp.sqrt(s) / root + 1e-8), weights, mean, square)
        return (weights, mean, square, t + 1), None

    epoch = jax.jit(lambda carry, order: jax.lax.scan(step, carry, order)[0])
    accuracy = jax.jit(lambda weights: jnp.mean(logits_of(weights, x_validation).argmax(1) == y_validation))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    carry = (weights, zeros, zeros, 0.0)
    for _ in range(part.epochs):
        order = rng.permutation(len(y))[: n_batches * part.batch_size].reshape(n_batches, part.batch_size)
        carry = epoch(carry, jnp.asarray(order))
        yield float(accuracy(carry[0]))


def _sklearn(recipe: Recipe, seed: int) -> Iterator[float]:
    from sklearn.neural_network import MLPClassifier

    x, y, x_validation, y_validation = _floats()
    network = MLPClassifier(recipe.network.hidden, batch_size=recipe.training.batch_size, random_state=seed)
    for _ in range(recipe.training.epochs):
        network.partial_fit(x, y, classes=list(range(10)))
        yield float((network.predict(x_validation) == y_validation).mean())


CONTENDERS: dict[str, tuple[str, Run]] = {
    "digitpad": ("numpy", _digitpad),
    "PyTorch": ("torch", _torch),
    "JAX": ("jax", _jax),
    "scikit-learn": ("sklearn.neural_network", _sklearn),
}
"""Module that must be installed, and training function, by name."""

if __name__ == "__main__":
    main()
