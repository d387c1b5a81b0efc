"""Roles of named arrays: which are images, which are their labels, and of which part of a dataset.

Names decide where they say something; otherwise shapes do, and then the values must look like images and labels.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from digitpad.class_names import MAX_CLASSES
from digitpad.datasets.digits import MAX_SIDE, MIN_SIDE

PARTS = ("training", "validation", "test")

_COLOURS = (1, 3, 4)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_PART_WORDS = {
    "training": {"train", "training", "tr", "trn"},
    "validation": {"valid", "validation", "val", "dev"},
    "test": {"test", "testing", "te", "tst", "t10k", "eval"},
}
_IMAGE_WORDS = {"x", "image", "images", "img", "imgs", "pixels", "data", "feature", "features", "fea", "pictures"}
_IMAGE_WORDS |= {"inputs", "patterns", "digits", "samples"}
_LABEL_WORDS = {"y", "t", "label", "labels", "lbl", "lbls", "target", "targets", "class", "classes", "gnd", "answers"}
_LABEL_WORDS |= {"lab", "labs"}
_OTHER_WORDS = {"writers", "writer", "mapping", "names", "mean", "std", "index", "indices", "id", "ids"}
_WEIGHT_NAME = re.compile(r"(.*[._])?([wb]|weights?|bias(es)?|kernel|coefs?|thetas?|header)[_0-9]*", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """Layout of the images in an array: transpose it by ``axes`` (None: unchanged), then reshape it to ``shape``."""

    axes: tuple[int, ...] | None
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Roles:
    """Names of the images and labels of a part; ``stated`` is whether both names, or the structure, state the part."""

    images: str
    labels: str
    stated: bool


def named_as_weights(names: Iterable[str]) -> list[str]:
    """Return the names that are typical of weights and biases."""
    return [name for name in names if _WEIGHT_NAME.fullmatch(name)]


def image_layouts(shape: tuple[int, ...]) -> dict[int, Layout]:
    """Return the ways to read an array of that shape as images, by their number.

    The layouts have the shape (n, height, width) or (n, height, width, colours). MATLAB has the images last.
    """
    layouts = {}
    if len(shape) == 3 and shape[2] == 1 and round(shape[1] ** 0.5) ** 2 == shape[1]:  # columns of pixels
        side = round(shape[1] ** 0.5)
        if MIN_SIDE <= side <= MAX_SIDE:
            layouts[shape[0]] = Layout(None, (shape[0], side, side))
    if len(shape) == 2:
        for n, size, axes in ((shape[1], shape[0], (1, 0)), (shape[0], shape[1], None)):
            side = round(size**0.5)
            if side * side == size and MIN_SIDE <= side <= MAX_SIDE:
                layouts[n] = Layout(axes, (n, side, side))
    elif len(shape) in (3, 4):
        for axes in ((len(shape) - 1, *range(len(shape) - 1)), None):
            n, *sides = [shape[axis] for axis in axes] if axes else list(shape)
            if len(sides) == 3 and sides[0] == 1:
                sides = sides[1:]
            if all(MIN_SIDE <= side <= MAX_SIDE for side in sides[:2]) and (len(sides) == 2 or sides[2] in _COLOURS):
                layouts[n] = Layout(axes, (n, *(sides[:2] if sides[2:] == [1] else sides)))
    return layouts


def label_counts(shape: tuple[int, ...]) -> set[int]:
    """Return the numbers of labels that an array of that shape may hold: one each, or a one-hot row or column each."""
    if len(shape) == 1:
        return {shape[0]}
    if len(shape) == 3 and shape[2] == 1:  # one-hot columns
        shape = shape[:2]
    if len(shape) == 2:
        return {n for n, width in (shape, shape[::-1]) if 0 < width <= MAX_CLASSES}
    return set()


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case; ``trainX``, ``X_train`` and ``xtrain`` have the same two."""
    words = []
    for word in _WORD.findall(name.replace("t10k", "test")):
        word = word.lower()
        for part in ("training", "train", "test", "valid"):
            rest = word.removeprefix(part) if word.startswith(part) else word.removesuffix(part)
            if rest != word and rest in _IMAGE_WORDS | _LABEL_WORDS:
                words += [part, rest]
                break
        else:
            words.append(word)
    return words


def find_roles(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Roles]:
    """Return the images and labels of each part (`PARTS`) among named arrays; a part may be missing.

    Names of weights are ignored. The labels of images are those whose name states the same part and whose number is
    the same; if no number is, those whose name states it, so that the mismatch can be reported. Pairs without a part in
    their names are the training set, the test set, or with three pairs, the validation set in between.
    """
    images, labels = _candidates(shapes)
    roles: dict[str, Roles] = {}
    for part in PARTS:
        pair = _best_pair(shapes, images.get(part, []), labels.get(part, []))
        if pair is not None:
            roles[part] = pair
    free_images, free_labels = images.get("", []), labels.get("", [])
    unnamed = []
    while (pair := _best_pair(shapes, free_images, free_labels)) is not None:
        unnamed.append(pair)
        free_images = [name for name in free_images if name not in (pair.images, pair.labels)]
        free_labels = [name for name in free_labels if name not in (pair.images, pair.labels)]
    free = [part for part in PARTS if part not in roles]
    if len(unnamed) < 3 and "validation" in free:
        free.remove("validation")
    roles |= dict(zip(free, unnamed, strict=False))
    return roles


def half_pairs(shapes: Mapping[str, tuple[int, ...]], roles: Mapping[str, Roles]) -> list[tuple[str, str]]:
    """Return names that state a part which has no complete pair, each with the kind of array that is missing."""
    images, labels = _candidates(shapes)
    return [
        (names[part][0], missing)
        for part in PARTS
        for names, missing in ((images, "labels"), (labels, "images"))
        if part not in roles
        and any(_says(name, stated) for name in names.get(part, []) for stated in [missing == "labels"])
    ]


def _says(name: str, images: bool) -> bool:
    return bool((_IMAGE_WORDS if images else _LABEL_WORDS).intersection(words_of(name)))


def _candidates(shapes: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the names of possible images and of possible labels, by part; an empty part if the name states none."""
    images: dict[str, list[str]] = {}
    labels: dict[str, list[str]] = {}
    for name, shape in shapes.items():
        words = set(words_of(name))
        if _WEIGHT_NAME.fullmatch(name) or words & _OTHER_WORDS:
            continue
        part = next((part for part, known in _PART_WORDS.items() if words & known), "")
        is_image, is_label = words & _IMAGE_WORDS, words & _LABEL_WORDS
        if is_image and is_label:  # "image_labels"; "x" and "y" are ignored if there is a longer word
            is_image, is_label = ({word for word in found if len(word) > 1} for found in (is_image, is_label))
        if (is_image and not (is_label - {"t"})) or (not is_label and image_layouts(shape)):
            images.setdefault(part, []).append(name)
        if is_label or (not is_image and label_counts(shape)):
            labels.setdefault(part, []).append(name)
    return images, labels


def _best_pair(shapes: Mapping[str, tuple[int, ...]], images: list[str], labels: list[str]) -> Roles | None:
    """Return the best pair of images and labels: of the same number, if any is, and with names that state it."""
    best: tuple[tuple[bool, int, int], Roles] | None = None
    for image_name in images:
        for label_name in labels:
            if image_name == label_name:
                continue
            same = not label_counts(shapes[label_name]).isdisjoint(image_layouts(shapes[image_name]))
            stated = _says(image_name, images=True) + _says(label_name, images=False)
            if not same and stated < 2:
                continue
            score = (same, stated, -len(shapes[label_name]))
            if best is None or score > best[0]:
                best = score, Roles(image_name, label_name, stated == 2)
    return None if best is None else best[1]
