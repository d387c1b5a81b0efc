"""Train small networks with Keras 3 on MNIST digits, and save them in the layouts of Keras 0.x to 3."""

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers

from digitpad.datasets.dataset import mnist
from digitpad.importers.keras.weight_stores import snake_case

DATA = mnist()
N_TRAINING, N_TESTED = 12_000, 1000


def columns(x: Any) -> Any:
    """Return the result of `keras.utils.normalize(x, axis=1)`."""
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norms == 0, 1, norms)


SCALINGS: dict[str, Callable[[Any], Any]] = {
    "x/255": lambda x: x / 255,
    "0..255": lambda x: x,
    "(x/255 - 0.1307)/0.3081": lambda x: (x / 255 - 0.1307) / 0.3081,
    "x/127.5 - 1": lambda x: x / 127.5 - 1,
    "x/255 - 0.5": lambda x: x / 255 - 0.5,
    "unit columns": columns,
}


def shaped(images: Any, scaling: str, model: Any) -> Any:
    x = SCALINGS[scaling](images.astype(np.float32))
    return x.reshape(len(x), *model.input_shape[1:]).astype(np.float32)


def trained(
    model: Any,
    scaling: str = "x/255",
    epochs: int = 2,
    loss: Any = "sparse_categorical_crossentropy",
    rate: float = 0.004,
) -> Any:
    """Train a model, and return a copy without its optimizer."""
    keras.utils.set_random_seed(1)
    model.compile(keras.optimizers.Adam(rate), loss)
    images = shaped(DATA.training.images[:N_TRAINING], scaling, model)
    model.fit(images, DATA.training.labels[:N_TRAINING], 64, epochs, verbose=0)
    small = keras.models.clone_model(model)  # without the optimizer, which would triple the size of the files
    small.set_weights(model.get_weights())
    return small


def accuracy(model: Any, scaling: str) -> float:
    predicted = model.predict(shaped(DATA.validation.images[:N_TESTED], scaling, model), verbose=0)
    return float((predicted.argmax(axis=1) == DATA.validation.labels[:N_TESTED]).mean())


def seq(*parts: Any, shape: tuple[int, ...] = (28, 28, 1)) -> Any:
    return keras.Sequential([keras.Input(shape), *parts])


class Files:
    """Folder of files, with the expected results for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._list = folder / "files.json"
        self.truth: dict[str, dict[str, Any]] = json.loads(self._list.read_text()) if self._list.exists() else {}

    def note(self, name: str, model: Any, scaling: str, activation: str) -> Path:
        """Record the expected results for a file, and return its path."""
        path = self.folder / name
        truth = {"accuracy": round(accuracy(model, scaling), 4), "scaling": scaling, "activation": activation}
        self.truth[name] = truth
        self._list.write_text(json.dumps(self.truth, indent=1, sort_keys=True) + "\n")
        return path

    def save(self, name: str, model: Any, scaling: str, activation: str) -> None:
        path = self.note(name, model, scaling, activation)
        if name.endswith(".weights.h5"):
            model.save_weights(path)
        else:
            model.save(path)


def weights_of(model: Any) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Return the name of each layer with its arrays by name, in Keras 2's order."""
    return [(layer.name, [(w.name, np.asarray(w)) for w in layer.weights]) for layer in model.layers]


def write_layers(group: Any, model: Any, name: Callable[[str, str], str], change: Callable[[Any], Any]) -> None:
    """Write legacy groups: a group per layer, with a nested path for each of its arrays."""
    stored = weights_of(model)
    group.attrs["layer_names"] = np.array([layer.encode() for layer, _ in stored])
    for layer, arrays in stored:
        own = group.create_group(layer)
        names = [name(layer, word) for word, _ in arrays]
        own.attrs["weight_names"] = np.array([text.encode() for text in names]) if names else np.zeros(0)
        for text, (_, array) in zip(names, arrays, strict=True):
            own[text] = change(array)


def keras_2_layer(layer: Any) -> dict[str, Any]:
    """Return the settings of a layer as Keras 2 writes them."""
    config = {key: value for key, value in layer.get_config().items() if key not in ("build_config", "dtype")}
    config = {key: value for key, value in config.items() if not isinstance(value, dict)}
    return {"class_name": type(layer).__name__, "config": config | {"dtype": "float32"}}


def keras_2(path: Path, model: Any, *, listed: bool = False, backend: str = "tensorflow") -> None:
    """Write a whole model as Keras 2: sequential, without an InputLayer; ``listed`` as before 2.2.3."""
    entries = [keras_2_layer(layer) for layer in model.layers]
    entries[0]["config"]["batch_input_shape"] = [None, *model.input_shape[1:]]
    config: Any = entries if listed else {"name": "sequential_1", "layers": entries}
    rotate = backend == "theano"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.1.2" if listed else b"2.8.0"
        file.attrs["backend"] = backend.encode()
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config}).encode()
        group = file.create_group("model_weights")
        group.attrs["backend"] = backend.encode()
        write_layers(
            group,
            model,
            lambda layer, word: f"{layer}/{word}:0",
            lambda array: array[::-1, ::-1] if rotate and array.ndim == 4 else array,
        )


def keras_2_functional(path: Path, model: Any) -> None:
    """Write a functional model as Keras 2.4 to 2.15."""
    entries = []
    for layer in model.layers:
        operation = layer._inbound_nodes[0]
        sources = [[tensor._keras_history.operation.name, 0, 0, {}] for tensor in operation.input_tensors]
        entry = keras_2_layer(layer) | {"name": layer.name, "inbound_nodes": [sources] if sources else []}
        if not sources:
            entry["config"] = {"batch_input_shape": [None, *model.input_shape[1:]], "name": layer.name}
        entries.append(entry)
    config = {
        "name": "model",
        "layers": entries,
        "input_layers": [[model.layers[0].name, 0, 0]],
        "output_layers": [[model.layers[-1].name, 0, 0]],
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.12.0", "tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
        write_layers(
            file.create_group("model_weights"), model, lambda layer, word: f"{layer}/{word}:0", lambda array: array
        )


def keras_1_theano(path: Path, model: Any) -> None:
    """Write a whole channels-first model as Keras 1 on Theano: kernels OIHW and rotated, names without ``:0``."""
    names = {"Conv2D": "Convolution2D"}
    entries: list[dict[str, Any]] = []
    for layer in model.layers:
        config = layer.get_config()
        kind = type(layer).__name__
        own: dict[str, Any] = {"name": layer.name}
        if kind == "Conv2D":
            side = config["kernel_size"][0]
            own |= {"nb_filter": config["filters"], "nb_row": side, "nb_col": side, "dim_ordering": "th"}
            own |= {"border_mode": config["padding"], "subsample": [1, 1], "bias": True}
        elif kind == "MaxPooling2D":
            own |= {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid", "dim_ordering": "th"}
        elif kind == "Dense":
            own |= {"output_dim": config["units"], "bias": True}
        if "activation" in config:
            own["activation"] = config["activation"]
        entries.append({"class_name": names.get(kind, kind), "config": own})
    entries[0]["config"]["batch_input_shape"] = [None, *model.input_shape[1:]]
    words = {"kernel": "W", "bias": "b"}
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": entries}).encode()
        write_layers(
            file.create_group("model_weights"),
            model,
            lambda layer, word: f"{layer}_{words[word]}",
            lambda array: array[::-1, ::-1].transpose(3, 2, 0, 1) if array.ndim == 4 else array,
        )


def keras_0(path: Path, model: Any) -> None:
    """Write weights as Keras 0.x: ``layer_i/param_j``, for all layers."""
    with h5py.File(path, "w") as file:
        file.attrs["nb_layers"] = len(model.layers)
        for i, (_, arrays) in enumerate(weights_of(model)):
            group = file.create_group(f"layer_{i}")
            group.attrs["nb_params"] = len(arrays)
            for j, (_, array) in enumerate(arrays):
                group[f"param_{j}"] = array


def legacy_weights_only(path: Path, model: Any) -> None:
    """Write weights as `save_weights` of Keras 2 does."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.3.1", b"tensorflow"
        write_layers(file, model, lambda layer, word: f"{layer}/{word}:0", lambda array: array)


def windows_keras(path: Path, model: Any, *, skip: int = 1) -> None:
    """Write a ``.keras`` file as TensorFlow 2.12 on Windows: backslashes in names, and gaps in the class counters."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json")
    counts: dict[str, int] = {}
    inner = path.with_suffix(".weights.h5")
    with h5py.File(inner, "w") as file:
        for layer in model.layers:
            kind = snake_case(type(layer).__name__)
            i = counts.get(kind, 0)
            counts[kind] = i + 1 + skip
            for j, array in enumerate(layer.weights):
                file[f"_layer_checkpoint_dependencies\\{kind}{f'_{i}' * (i > 0)}/vars/{j}"] = np.asarray(array)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", '{"keras_version": "2.12.0"}')
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", inner.read_bytes())
    inner.unlink()


def seed_for_fuzzing(files: Files) -> None:
    """Write random weights of a convolution and a dense layer."""
    with h5py.File(files.folder / "conv_dense.weights.h5", "w") as file:
        for name, shape in (("conv2d", (3, 3, 1, 2)), ("dense", (2, 10))):
            file[f"layers/{name}/vars/0"] = np.ones(shape, np.float32)
            file[f"layers/{name}/vars/1"] = np.zeros(shape[-1], np.float32)


def dense_files(files: Files) -> None:
    mlp = trained(seq(layers.Flatten(), layers.Dense(16, "relu"), layers.Dense(10, "softmax"), shape=(28, 28)))
    files.save("mlp.h5", mlp, "x/255", "relu")
    files.save("mlp.keras", mlp, "x/255", "relu")
    files.save("mlp.weights.h5", mlp, "x/255", "relu")
    keras_2(files.note("mlp_keras_2.h5", mlp, "x/255", "relu"), mlp)
    keras_2(files.note("mlp_keras_2_list.h5", mlp, "x/255", "relu"), mlp, listed=True)
    legacy_weights_only(files.note("mlp_weights_keras_2.h5", mlp, "x/255", "relu"), mlp)
    keras_0(files.note("mlp_keras_0.h5", mlp, "x/255", "relu"), mlp)
    windows_keras(files.note("mlp_windows.keras", mlp, "x/255", "relu"), mlp)


def scaled_files(files: Files) -> None:
    """Save networks with several activations, with raw pixels and logits, with normalised columns, and with scaling."""
    mixed = seq(layers.Dense(16, "elu"), layers.Dropout(0.1), layers.Dense(16), layers.Activation("tanh"),
                layers.Dense(16, "gelu"), layers.Dense(10, "sigmoid"), shape=(784,))  # fmt: skip
    files.save("mixed.keras", trained(mixed, "x/255", 3), "x/255", "elu, tanh, gelu")

    small = keras.initializers.RandomUniform(0, 0.001)  # so that no unit is dead
    raw = seq(layers.Dense(16, "relu", kernel_initializer=small), layers.Dense(10), shape=(784,))
    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    files.save("raw_linear_output.h5", trained(raw, "0..255", 4, logits, 0.0005), "0..255", "relu")

    unit = seq(layers.Flatten(), layers.Dense(16, "relu"), layers.Dense(10, "softmax"), shape=(28, 28))
    files.save("normalize_axis_1.keras", trained(unit, "unit columns", 3), "unit columns", "relu")

    scale, flat, *rest = (layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(16), layers.ReLU(),
                          layers.BatchNormalization(epsilon=0.1), layers.Dense(10), layers.Softmax())  # fmt: skip
    rescaled = trained(seq(scale, flat, *rest), "0..255")
    augmented = seq(rescaled.layers[0], layers.RandomRotation(0.02), *rescaled.layers[1:])
    files.save("rescaling.keras", augmented, "0..255", "relu")


def image_files(files: Files) -> None:
    plain = trained(seq(layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(8, 3),
                        layers.ReLU(), layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.2),
                        layers.Dense(10, "softmax")))  # fmt: skip
    files.save("cnn.h5", plain, "x/255", "relu")
    files.save("cnn.weights.h5", plain, "x/255", "relu")
    keras_2(files.note("cnn_theano_backend.h5", plain, "x/255", "relu"), plain, backend="theano")
    windows_keras(files.note("cnn_windows.keras", plain, "x/255", "relu"), plain)
    legacy_weights_only(files.note("cnn_weights_keras_2.h5", plain, "x/255", "relu"), plain)


def layer_files(files: Files) -> None:
    strided = seq(layers.Conv2D(6, 3, 2, "same", use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(0.2),
                  layers.Conv2D(10, 4, 2, "same", activation="swish"), layers.AveragePooling2D(2, padding="same"),
                  layers.Conv2D(16, (1, 3), activation="selu"), layers.GlobalAveragePooling2D(),
                  layers.Dense(10, "softmax"))  # fmt: skip
    strided = trained(strided, "(x/255 - 0.1307)/0.3081", 3)
    files.save("strided.keras", strided, "(x/255 - 0.1307)/0.3081", "leaky_relu, swish, elu")

    pooled = seq(layers.MaxPooling2D(2), layers.Conv2D(6, 3, activation="tanh"), layers.MaxPooling2D(3, 2, "same"),
                 layers.Flatten(), layers.Dense(10, "softmax"))  # fmt: skip
    files.save("pooling_first.h5", trained(pooled, "x/255 - 0.5", 3), "x/255 - 0.5", "tanh")

    separable = seq(layers.ZeroPadding2D(1), layers.SeparableConv2D(8, 3, activation="relu"), layers.MaxPooling2D(),
                    layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu6"), layers.MaxPooling2D(),
                    layers.Conv2D(8, 3, dilation_rate=2, activation="relu"), layers.Flatten(),
                    layers.Dense(10, "softmax"))  # fmt: skip
    files.save("separable.keras", trained(separable, "x/255", 3), "x/255", "relu, clip, relu")

    reshaped = seq(layers.Reshape((28, 28, 1)), layers.Conv2D(4, 5, 2, activation="relu"), layers.Flatten(),
                   layers.Dense(10, "softmax"), shape=(784,))  # fmt: skip
    files.save("reshape.h5", trained(reshaped), "x/255", "relu")


def connected_files(files: Files) -> None:
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 3, 2, activation="relu", name="stem")(image)
    y = layers.Conv2D(8, 3, padding="same", name="one")(x)
    y = layers.Activation("relu")(layers.BatchNormalization(name="norm")(y))
    y = layers.Conv2D(8, 3, padding="same", name="two")(y)
    x = layers.Activation("relu", name="after")(layers.Add()([x, y]))
    z = layers.Conv2D(12, 1, 2, name="shortcut")(x)
    w = layers.Conv2D(12, 3, 2, padding="same", activation="relu", name="three")(x)
    x = layers.Add(name="sum")([z, w])
    x = layers.GlobalAveragePooling2D()(x)
    residual = trained(keras.Model(image, layers.Dense(10, "softmax", name="out")(x)), "x/255", 3)
    files.save("residual.keras", residual, "x/255", "relu")
    keras_2_functional(files.note("residual_keras_2.h5", residual, "x/255", "relu"), residual)

    body = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(6, 5, 2), layers.BatchNormalization(),
                             layers.ReLU(), layers.MaxPooling2D()], name="body")  # fmt: skip
    outer_image = keras.Input((28, 28, 1))
    features = body(layers.Rescaling(1 / 255)(outer_image))
    head = layers.Concatenate()(
        [layers.GlobalMaxPooling2D()(features), layers.Dense(12, "tanh")(layers.Flatten()(features))]
    )
    nested = trained(keras.Model(outer_image, layers.Dense(10, "softmax")(head)), "0..255", 3)
    files.save("nested.keras", nested, "0..255", "relu, tanh")
    files.save("nested.h5", nested, "0..255", "relu, tanh")


def channels_first_files(files: Files) -> None:
    first: Any = {"data_format": "channels_first"}
    model = seq(layers.Conv2D(5, 3, activation="relu", **first), layers.MaxPooling2D(2, **first),
                layers.Conv2D(6, 3, activation="relu", **first), layers.BatchNormalization(axis=1),
                layers.MaxPooling2D(2, **first), layers.Flatten(), layers.Dense(10, "softmax"),
                shape=(1, 28, 28))  # fmt: skip
    files.save("channels_first.keras", trained(model), "x/255", "relu")
    transposed = seq(layers.Conv2D(5, 5, 2, activation="relu", **first), layers.Flatten(**first),
                     layers.Dense(10, "softmax"), shape=(1, 28, 28))  # fmt: skip
    files.save("channels_first_flatten.h5", trained(transposed), "x/255", "relu")
    theano = seq(layers.Conv2D(5, 3, activation="relu", **first), layers.MaxPooling2D(2, **first),
                 layers.Conv2D(6, 3, activation="relu", **first), layers.MaxPooling2D(2, **first), layers.Flatten(),
                 layers.Dense(10, "softmax"), shape=(1, 28, 28))  # fmt: skip
    keras_1_theano(files.note("keras_1_theano.h5", trained(theano), "x/255", "relu"), theano)


def main(folder: Path, *chosen: str) -> None:
    """Make all files, or those of the functions of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(folder)
    for make in (
        seed_for_fuzzing,
        dense_files,
        scaled_files,
        image_files,
        layer_files,
        connected_files,
        channels_first_files,
    ):
        if not chosen or make.__name__ in chosen:
            make(files)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
