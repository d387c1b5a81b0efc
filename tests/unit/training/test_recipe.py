import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from digitpad.errors import FileError, RecipeError
from digitpad.nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSProp
from digitpad.training.recipe import MAX_PARAMETERS, NetworkSettings, Recipe, TrainingSettings
from tests.root import ROOT

WHOLE = """
name = "mine"
description = "two lines\\nof text"

[network]
hidden = ["5x5x4", "pool", 64, 32]
activation = "leaky_relu"
alpha = 0.1
dropout = 0.25
batch_norm = true
padding = "same"
initializer = "glorot_normal"

[loss]
label_smoothing = 0.1
l1 = 0.001
l2 = 0.01

[optimizer]
method = "momentum"
learning_rate = 1
momentum = 0.5
weight_decay = 0.02
schedule = "step"
decay = 0.3
step_epochs = 4
step_factor = 0.25
warmup_epochs = 2
clip_norm = 5
clip_value = 0.5

[training]
batch_size = 10
epochs = 2
patience = 3
average = 0.99
plain = 0.25
calibrate = true
seed = 7

[data]
set = "some/folder"
normalise = "never"
pen_digits = 40
non_digits = 30

[augmentation]
rotate_deg = 10
shift_px = 1.5
scale = 0.1
shear = 0.2
elastic_px = 1
thickness_px = 0.5
noise = 0.1
erase_px = 6
"""


def load(tmp_path: Path, text: str | bytes) -> Recipe:
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Recipe.load(path)


def test_every_setting_is_read(tmp_path: Path) -> None:
    """The recipe has all values of its file; an integer is accepted for a float."""
    recipe = load(tmp_path, WHOLE)
    assert recipe.to_dict() == {
        "name": "mine",
        "description": "two lines\nof text",
        "network": {
            "hidden": ("5x5x4", "pool", 64, 32),
            "activation": "leaky_relu",
            "alpha": 0.1,
            "dropout": 0.25,
            "batch_norm": True,
            "padding": "same",
            "initializer": "glorot_normal",
        },
        "loss": {"label_smoothing": 0.1, "l1": 0.001, "l2": 0.01},
        "optimizer": {
            "method": "momentum",
            "learning_rate": 1.0,
            "momentum": 0.5,
            "weight_decay": 0.02,
            "schedule": "step",
            "decay": 0.3,
            "step_epochs": 4.0,
            "step_factor": 0.25,
            "warmup_epochs": 2.0,
            "clip_norm": 5.0,
            "clip_value": 0.5,
        },
        "training": {
            "batch_size": 10,
            "epochs": 2,
            "patience": 3,
            "average": 0.99,
            "plain": 0.25,
            "calibrate": True,
            "seed": 7,
        },
        "data": {"set": "some/folder", "normalise": "never", "pen_digits": 40, "non_digits": 30},
        "augmentation": {
            "rotate_deg": 10.0,
            "shift_px": 1.5,
            "scale": 0.1,
            "shear": 0.2,
            "elastic_px": 1.0,
            "thickness_px": 0.5,
            "noise": 0.1,
            "erase_px": 6.0,
        },
    }
    assert type(recipe.optimizer.learning_rate) is float


def test_missing_settings_have_defaults(tmp_path: Path) -> None:
    """Missing settings have their defaults, and a missing name is the file's name."""
    assert load(tmp_path, "") == Recipe(name="mine")
    assert load(tmp_path, "[training]\nepochs = 3") == Recipe(name="mine", training=TrainingSettings(epochs=3))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("colour = 1", "colour"),
        ("[training]\nepoch = 3", "training.epoch"),
        ("[optimiser]\nmethod = 'sgd'", "optimiser"),
        ("[optimizer.adam]\nbeta1 = 0.9", "optimizer.adam"),
        ("training = 3", "training"),
        ("[[training]]\nepochs = 3", "training"),
        ("name = 3", "name"),
        ("description = ['text']", "description"),
        ("data.set = 3", "data.set"),
        ("training.epochs = '3'", "training.epochs"),
        ("training.epochs = 3.0", "training.epochs"),
        ("training.epochs = true", "training.epochs"),
        ("training.epochs = 2024-01-01", "training.epochs"),
        ("training.epochs = 0", "training.epochs"),
        ("training.epochs = 10_001", "training.epochs"),
        ("training.batch_size = 0", "training.batch_size"),
        ("training.batch_size = 1_000_000_000", "training.batch_size"),
        ("training.seed = -1", "training.seed"),
        ("training.seed = 4_294_967_296", "training.seed"),
        ("network.hidden = 128", "network.hidden"),
        ("network.hidden = '128'", "network.hidden"),
        ("network.hidden = [0]", "network.hidden"),
        ("network.hidden = [-5]", "network.hidden"),
        ("network.hidden = [64, true]", "network.hidden"),
        ("network.hidden = [64.0]", "network.hidden"),
        ("network.hidden = [[64]]", "network.hidden"),
        ("network.hidden = [1_000_000_000]", "network.hidden"),
        ("network.hidden = [4096, 4096]", "network.hidden"),
        (f"network.hidden = {[1] * 17}", "network.hidden"),
        ("network.hidden = ['conv']", "network.hidden"),
        ("network.hidden = [64, 'pool']", "network.hidden"),
        ("network.hidden = ['5x5x4', 'pool', 'pool', '9x9x4']", "network.hidden"),
        ("network.hidden = ['3x3x999', '3x3x999', '3x3x999']", "network.hidden"),
        ("network.batch_norm = 1", "network.batch_norm"),
        ("network.padding = 'full'", "network.padding"),
        ("network.alpha = 1", "network.alpha"),
        ("network.activation = 'softsign'", "network.activation"),
        ("network.activation = 1", "network.activation"),
        ("network.initializer = 'zeros'", "network.initializer"),
        ("optimizer.method = 'lbfgs'", "optimizer.method"),
        ("optimizer.schedule = ''", "optimizer.schedule"),
        ("optimizer.learning_rate = 0", "optimizer.learning_rate"),
        ("optimizer.learning_rate = -1", "optimizer.learning_rate"),
        ("optimizer.learning_rate = 10.1", "optimizer.learning_rate"),
        ("optimizer.learning_rate = nan", "optimizer.learning_rate"),
        ("optimizer.learning_rate = inf", "optimizer.learning_rate"),
        ("optimizer.learning_rate = true", "optimizer.learning_rate"),
        ("optimizer.learning_rate = '0.1'", "optimizer.learning_rate"),
        ("optimizer.learning_rate = 1" + "0" * 400, "optimizer.learning_rate"),
        ("loss.l1 = -0.1", "loss.l1"),
        ("loss.l2 = 2", "loss.l2"),
        ("loss.label_smoothing = 1", "loss.label_smoothing"),
        ("loss.label_smoothing = true", "loss.label_smoothing"),
        ("training.patience = -1", "training.patience"),
        ("training.average = 1", "training.average"),
        ("optimizer.weight_decay = -0.1", "optimizer.weight_decay"),
        ("optimizer.decay = -1", "optimizer.decay"),
        ("optimizer.step_epochs = 0", "optimizer.step_epochs"),
        ("optimizer.step_factor = 0", "optimizer.step_factor"),
        ("optimizer.warmup_epochs = -1", "optimizer.warmup_epochs"),
        ("optimizer.clip_norm = nan", "optimizer.clip_norm"),
        ("optimizer.clip_value = -1", "optimizer.clip_value"),
        ("optimizer.momentum = 1.0", "optimizer.momentum"),
        ("optimizer.momentum = -0.1", "optimizer.momentum"),
        ("augmentation.rotate_deg = -1", "augmentation.rotate_deg"),
        ("augmentation.shift_px = 15", "augmentation.shift_px"),
        ("augmentation.scale = 1", "augmentation.scale"),
        ("augmentation.shear = nan", "augmentation.shear"),
        ("augmentation.elastic_px = 10.5", "augmentation.elastic_px"),
        ("augmentation.elastic_px = -1", "augmentation.elastic_px"),
        ("augmentation.thickness_px = 2.1", "augmentation.thickness_px"),
        ("augmentation.thickness_px = -0.5", "augmentation.thickness_px"),
        ("augmentation.noise = 1.1", "augmentation.noise"),
        ("augmentation.noise = '0.1'", "augmentation.noise"),
        ("augmentation.erase_px = 29", "augmentation.erase_px"),
        ("augmentation.erase_px = inf", "augmentation.erase_px"),
    ],
    ids=lambda text: text[:50],
)
def test_every_error_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    """An error names the file and the setting, in one line."""
    with pytest.raises(
        FileError,
        match=f"mine.toml: {key}: (is|has|17 layers|.*( parameters|numbers|unknown layer|cannot follow|not fit))",
    ) as caught:
        load(tmp_path, text)
    assert isinstance(caught.value.__cause__, RecipeError)
    assert caught.value.__cause__.key == key
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["two\\nlines", "a\\u001bb"])
def test_odd_key_is_escaped(tmp_path: Path, key: str) -> None:
    """Line breaks and escapes in a key are escaped in the error message."""
    with pytest.raises(FileError) as caught:
        load(tmp_path, f'"{key}" = 1')
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "training epochs = 3",
        "[training",
        "a = 1\na = 2",
        b"name = '\xff'",
        "x = " + "[" * 5000,
        "training.epochs = " + "1" * 5000,
        "\0",
    ],
    ids=["words", "cut", "twice", "no text", "deep", "a number of 5000 digits", "zero byte"],
)
def test_invalid_toml_is_refused(tmp_path: Path, text: str | bytes) -> None:
    """A file that is not TOML gives a one-line error with its name."""
    with pytest.raises(FileError, match=r"mine.toml: is not TOML") as caught:
        load(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.toml", ""])
def test_missing_file_or_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Loading a missing file or a folder raises `FileError`."""
    with pytest.raises(FileError, match="cannot be read") as caught:
        Recipe.load(tmp_path / name)
    assert caught.value.path == tmp_path / name


def test_recipe_built_in_code_is_checked() -> None:
    """A recipe built in code is checked like a recipe from a file."""
    with pytest.raises(RecipeError, match=r"training.epochs: is 0; enter 1 to 10,000"):
        Recipe(training=TrainingSettings(epochs=0))
    with pytest.raises(RecipeError, match=r"network.hidden: is 5,000; enter 1 to 4,096"):
        Recipe(network=NetworkSettings(hidden=(5000,)))


def test_a_recipe_cannot_be_changed() -> None:
    """A recipe is frozen."""
    recipe = Recipe()
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.training.epochs = 5  # type: ignore[misc]


def test_plain_values_make_an_equal_recipe(tmp_path: Path) -> None:
    """`to_dict` and `from_dict` are inverses, also through JSON, which turns tuples into lists."""
    recipe = load(tmp_path, WHOLE)
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_with_values_changes_only_the_given_keys() -> None:
    """`with_values` changes only the given keys, and leaves the original recipe unchanged."""
    recipe = Recipe(name="mine")
    other = recipe.with_values({"training.epochs": 3, "network.hidden": [5, 4], "name": "other"})
    assert (other.name, other.training.epochs, other.network.hidden) == ("other", 3, (5, 4))
    assert other.optimizer == recipe.optimizer
    assert other.training == dataclasses.replace(recipe.training, epochs=3)
    assert recipe == Recipe(name="mine")
    assert recipe.with_values({}) == recipe


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"epochs": 3}, "epochs"),
        ({"training.epoch": 3}, "training.epoch"),
        ({"training.epochs.more": 3}, "training.epochs.more"),
        ({"name.first": "x"}, "name.first"),
        ({"": 3}, ""),
        ({".": 3}, "."),
        ({"training": 3}, "training"),
        ({"training.epochs": "3"}, "training.epochs"),
        ({"training.epochs": None}, "training.epochs"),
        ({"optimizer.learning_rate": math.nan}, "optimizer.learning_rate"),
        ({"network.hidden": [0]}, "network.hidden"),
    ],
)
def test_invalid_value_is_reported(settings: dict[str, Any], key: str) -> None:
    """The error for an unknown key or invalid value names the key."""
    with pytest.raises(RecipeError) as caught:
        Recipe().with_values(settings)
    assert caught.value.key == key


@pytest.mark.parametrize("hidden", [(), (7,), (32, 16), (4096, 3000)], ids=str)
def test_parameters_are_counted(hidden: tuple[int, ...]) -> None:
    """The plan's parameter count equals the network's, and is within the limit."""
    recipe = Recipe(network=NetworkSettings(hidden=hidden))
    assert recipe.plan.n_parameters == recipe.build_network().parameters.size <= MAX_PARAMETERS


def test_network_follows_the_recipe() -> None:
    """The network has the recipe's sizes, activation, dropout and initializer."""
    network = Recipe.from_dict(
        {"network": {"hidden": [6, 5], "activation": "leaky_relu", "dropout": 0.25, "initializer": "he_uniform"}}
    ).build_network()
    assert network.summary() == "784-6-5-10"
    assert [layer["type"] for layer in network.architecture()][2:] == [
        "Linear",
        "LeakyReLU",
        "Dropout",
        "Linear",
        "LeakyReLU",
        "Dropout",
        "Linear",
    ]
    assert {layer["initializer"] for layer in network.architecture() if "units" in layer} == {"he_uniform"}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("sgd", SGD()),
        ("momentum", SGD(momentum=0.75)),
        ("nesterov", SGD(0.75, nesterov=True)),
        ("rmsprop", RMSProp()),
        ("adam", Adam()),
        ("adamw", AdamW(weight_decay=0.25, decayed=[slice(0, 784 * 128), slice(785 * 128, 785 * 128 + 1280)])),
    ],
    ids=str,
)
def test_optimizer_follows_the_recipe(method: str, expected: Optimizer) -> None:
    """Only methods with momentum or weight decay use those settings."""
    recipe = Recipe.from_dict({"optimizer": {"method": method, "momentum": 0.75, "weight_decay": 0.25}})
    assert recipe.build_optimizer(recipe.build_network()) == expected


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({}, {0: 0.5, 5: 0.5, 10: 0.5}),
        ({"schedule": "cosine"}, {0: 0.5, 5: 0.25, 10: 0}),
        ({"schedule": "step", "step_epochs": 5, "step_factor": 0.1}, {4: 0.5, 5: 0.05}),
        ({"schedule": "inverse_time", "decay": 1}, {0: 0.5, 1: 0.25, 4: 0.1}),
        ({"schedule": "exponential", "decay": 1}, {0: 0.5, 1: 0.5 / math.e}),
        ({"schedule": "one_cycle"}, {0: 0.02, 3: 0.5, 10: 0.00005}),
        ({"schedule": "cosine", "warmup_epochs": 2}, {0: 0, 5: 0.25}),
    ],
    ids=str,
)
def test_learning_rate_follows_its_schedule(settings: dict[str, Any], rates: dict[float, float]) -> None:
    """The learning rate depends on the share of ten epochs done."""
    recipe = Recipe.from_dict({"optimizer": {"learning_rate": 0.5, **settings}})
    assert {epoch: recipe.learning_rate(epoch) for epoch in rates} == pytest.approx(rates)


def test_readme_s_example_is_a_recipe(tmp_path: Path) -> None:
    """The recipe in the README loads."""
    section = (ROOT / "README.md").read_text("utf-8").partition("### Recipes")[2].partition("###")[0]
    text = "\n".join(line.strip() for line in section.splitlines() if line.startswith("    "))
    recipe = load(tmp_path, text)
    assert recipe.summary == "28×28-5×5×32-pool-5×5×64-pool-128-10"
    assert recipe.training.patience == 5
