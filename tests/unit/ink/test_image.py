import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digitpad.datasets.dataset import mnist
from digitpad.errors import InkError
from digitpad.ink import image as image_module
from digitpad.ink.drawing import Drawing
from digitpad.ink.finding import find_ink
from digitpad.ink.image import FORMATS, MAX_PIXELS, MAX_SIDE, STROKE_WIDTHS_PX, WORK_SIDE, read_image, stroke_width
from digitpad.ink.raster import centre_of_mass
from digitpad.recognition.recognizer import Recognizer
from digitpad.weights.native_format import SHIPPED, load_weights
from tests.unit.ink.drawings import DIGITS, difference, network_input, picture, pixels

INKS = {digit: picture(paths) for digit, paths in DIGITS.items()}
"""Amount of ink at each of 480 × 480 pixels, by digit."""


def framed(ink: NDArray[np.floating[Any]], height: int, width: int, top: int, left: int) -> NDArray[np.floating[Any]]:
    """Return the ink inside a larger blank image."""
    larger = np.zeros((height, width))
    larger[top : top + len(ink), left : left + len(ink)] = ink
    return larger


def rgba(grey: NDArray[np.uint8] | int, alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([np.full_like(alpha, grey)] * 3 + [alpha], axis=-1)


def shadow(shape: tuple[int, ...]) -> NDArray[np.floating[Any]]:
    """Return paper that becomes darker towards one corner, as in the shadow of a hand."""
    y, x = np.indices(shape) / max(shape)
    return np.asarray(0.95 - 0.25 * x - 0.1 * y)


def noise(shape: tuple[int, ...], amount: float) -> NDArray[np.floating[Any]]:
    return np.random.default_rng(1).normal(0, amount, shape)


@pytest.mark.parametrize("digit", INKS)
@pytest.mark.parametrize(
    ("render", "tolerance"),
    [
        (lambda ink: pixels(1 - ink), 1),
        (lambda ink: pixels(0.3 + 0.4 * ink), 3),
        (lambda ink: pixels(0.8 - 0.5 * ink), 3),
        (lambda ink: rgba(0, pixels(ink)), 1),
        (lambda ink: rgba(255, pixels(ink)), 1),
        (lambda ink: rgba(pixels(1 - ink), np.full(ink.shape, 255, np.uint8)), 1),
        (lambda ink: rgba(pixels(1 - ink), np.where(ink > 0, 255, 0).astype(np.uint8)), 12),
        (lambda ink: pixels(framed(ink, 480, 900, 0, 400)), 24),
        (lambda ink: pixels(1 - framed(ink, 1100, 600, 600, 60)), 12),
        (lambda ink: pixels(ink).repeat(3, axis=0).repeat(3, axis=1), 2),
        (lambda ink: pixels(ink)[::2, ::2], 6),
        (lambda ink: pixels(ink.reshape(80, 6, 80, 6).mean(axis=(1, 3))), 24),
        (lambda ink: pixels(ink + noise(ink.shape, 0.02)), 8),
        (lambda ink: pixels(shadow(ink.shape) * (1 - ink) + 0.1 * ink), 36),
        (lambda ink: pixels(shadow(ink.shape) * (1 - ink) + 0.1 * ink + noise(ink.shape, 0.02)), 36),
    ],
    ids=[
        "dark on light",
        "pale on grey",
        "grey on light grey",
        "dark on transparent",
        "light on transparent",
        "opaque colours",
        "cut out of its paper",
        "wide and to the right",
        "tall and to the bottom",
        "three times as large",
        "half as large",
        "small",
        "noisy",
        "in a shadow",
        "noisy and in a shadow",
    ],
)
def test_appearance_hardly_changes_the_network_input(
    digit: int, render: Callable[[NDArray[np.floating[Any]]], NDArray[np.uint8]], tolerance: float
) -> None:
    """Polarity, paper, position, size and noise change the network input by only a few grey levels."""
    assert difference(network_input(render(INKS[digit])), network_input(pixels(INKS[digit]))) <= tolerance


@pytest.mark.parametrize("level", [0, 77, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (300, 200)], ids=str)
def test_blank_is_blank(level: int, shape: tuple[int, int]) -> None:
    """A uniform image of any grey level has no ink."""
    assert not find_ink(np.full(shape, level, np.uint8)).any()
    assert not network_input(np.full(shape, level, np.uint8)).any()


def test_transparent_is_blank() -> None:
    """A fully transparent image has no ink."""
    assert not network_input(np.zeros((50, 50, 4), np.uint8)).any()


@pytest.mark.parametrize("amount", [0.005, 0.02, 0.05])
@pytest.mark.parametrize("ground", ["even", "shadow"])
def test_noise_is_not_ink(amount: float, ground: str) -> None:
    """Noise of up to a twentieth of the range gives no ink."""
    paper = shadow((300, 300)) if ground == "shadow" else np.full((300, 300), 0.6)
    assert not network_input(pixels(paper + noise(paper.shape, amount))).any()


@pytest.mark.parametrize("digit", INKS)
@pytest.mark.parametrize("place", [(8, 8), (465, 465)])
def test_speck_changes_nothing(digit: int, place: tuple[int, int]) -> None:
    """A speck next to the digit is removed and does not make the digit smaller."""
    ink = INKS[digit].copy()
    ink[place[0] : place[0] + 6, place[1] : place[1] + 5] = 1
    assert np.abs(network_input(pixels(ink)) - network_input(pixels(INKS[digit]))).max() <= 1


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("width_px", [1.0, 3.0, 6.0, 90.0])
def test_stroke_width_is_adjusted_to_mnist(digit: int, width_px: float) -> None:
    """Thin strokes are thickened and wide strokes are thinned to about the range of MNIST."""
    low, high = STROKE_WIDTHS_PX
    ink = picture(DIGITS[digit], width_px)
    width = stroke_width(network_input(pixels(ink)) / 255)
    assert low * 0.9 < width < high * 1.15


@pytest.mark.parametrize("digit", DIGITS)
def test_common_stroke_width_is_not_changed(digit: int) -> None:
    """A stroke width in the range of MNIST does not change."""
    ink = picture(DIGITS[digit], 60)
    rows, columns = (np.flatnonzero((ink > 0.5).any(axis=axis)) for axis in (1, 0))
    size = max(np.ptp(rows), np.ptp(columns)) + 1
    assert stroke_width(network_input(pixels(ink)) / 255) == pytest.approx(stroke_width(ink) * 20 / size, rel=0.2)


def test_stroke_width_by_hand() -> None:
    """The stroke width of a 4 × 20 bar follows from its outline of 48 and its area of 80."""
    bar = np.zeros((30, 30))
    bar[5:25, 10:14] = 1
    assert stroke_width(bar) == pytest.approx(2 * 80 / 48, rel=0.05)


@pytest.mark.parametrize("digit", INKS)
def test_ink_is_centred_and_fills_the_box(digit: int) -> None:
    """The longer side is 20 pixels and the centre of mass is that of MNIST, as for strokes."""
    image = network_input(pixels(framed(INKS[digit], 700, 900, 10, 400)))
    assert 19 <= max(np.ptp(np.flatnonzero((image > 64).any(axis=axis))) + 1 for axis in (0, 1)) <= 21
    if digit != 7:  # a 7 has its centre of mass near the top, so it reaches the edge first
        np.testing.assert_allclose(centre_of_mass(image.astype(float)), 14, atol=0.3)


def test_large_images_are_reduced() -> None:
    """Images are reduced to at most 240 pixels per side before ink is found."""
    assert find_ink(np.zeros((1000, 500), np.uint8)).shape == (WORK_SIDE, WORK_SIDE // 2)
    assert find_ink(np.zeros((3, 2000), np.uint8)).shape == (1, WORK_SIDE)
    assert find_ink(np.zeros((100, 50), np.uint8)).shape == (100, 50)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (5, 3), (1, 500), (500, 1)], ids=str)
def test_tiny_and_thin_images_are_read(shape: tuple[int, int]) -> None:
    """Images of very small or narrow shapes are accepted."""
    for seed in range(10):
        image = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
        assert network_input(image).shape == (28, 28)


def test_digits_as_images_are_recognised() -> None:
    """MNIST digits as enlarged dark-on-light images are recognised about as accurately as the original digits."""
    recognizer = Recognizer(load_weights(SHIPPED))
    validation = mnist().validation[:70]
    known = recognizer.weights.network().predict(validation.images).argmax(axis=1) == validation.labels
    n_correct = 0
    for digit, label in zip(validation.images, validation.labels, strict=True):
        enlarged = Image.fromarray(255 - digit).resize((280, 280), Image.Resampling.BICUBIC)
        prediction = recognizer.read_image(np.asarray(enlarged))
        n_correct += prediction is not None and prediction.digit == label
    assert n_correct >= known.sum() - 2


def saved(tmp_path: Path, image: Image.Image, name: str, **options: Any) -> Path:
    path = tmp_path / name
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    "name", [f"digit.{extension}" for extension in ("png", "jpg", "bmp", "gif", "webp", "tif", "pgm")]
)
def test_file_format_hardly_changes_the_network_input(tmp_path: Path, name: str) -> None:
    """A digit saved in any format gives the same network input, except for compression losses."""
    path = saved(tmp_path, Image.fromarray(pixels(INKS[2])), name)
    assert difference(network_input(read_image(path)), network_input(pixels(INKS[2]))) < 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I"])
@pytest.mark.parametrize("enlarged", [1, 4])
def test_pixel_mode_does_not_change_the_network_input(tmp_path: Path, mode: str, enlarged: int) -> None:
    """All pixel modes give the same network input, for small and large images."""
    levels = pixels(1 - INKS[4]).repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    image = Image.fromarray(levels)
    if mode.startswith("I"):
        image = Image.fromarray(levels.astype(np.uint16) * 257 if mode == "I;16" else levels.astype(np.int32) * 257)
    else:
        image = image.convert(mode)
    assert image.mode == mode
    path = saved(tmp_path, image, "digit.tif" if mode == "I" else "digit.png")
    assert difference(network_input(read_image(path)), network_input(pixels(INKS[4]))) < 3


def test_thin_lines_of_one_bit_are_kept(tmp_path: Path) -> None:
    """Thin lines in a large 1-bit scan are kept as well as in a grey scan."""
    scan = Image.new("1", (1950, 1950), 1)
    for path in DIGITS[4]:
        ImageDraw.Draw(scan).line([tuple(point) for point in (path * 4).tolist()], fill=0, width=4)
    black = saved(tmp_path, scan, "black.png")
    grey = saved(tmp_path, scan.convert("L"), "grey.png")
    assert difference(network_input(read_image(black)), network_input(read_image(grey))) < 2


def tiff(levels: NDArray[np.uint16], order: str, offset_type: int = 4) -> bytes:
    """Return the levels as an uncompressed 16-bit TIFF in either byte order; offset type 4 is an integer."""
    height, width = levels.shape
    data = levels.astype(f"{order}u2").tobytes()
    fields = ((256, width), (257, height), (258, 16), (259, 1), (262, 1), (277, 1), (278, height))
    entries = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in fields[:5])
    entries += struct.pack(f"{order}HHII", 273, offset_type, 1, 8 + 2 + 9 * 12 + 4)
    entries += b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in fields[5:])
    entries += struct.pack(f"{order}HHII", 279, 4, 1, len(data))
    return (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, 9) + entries + bytes(4) + data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("side", [400, 1100, 2200])
def test_byte_order_of_sixteen_bits_does_not_matter(tmp_path: Path, order: str, side: int) -> None:
    """A 16-bit image gives the same network input in either byte order, at any size."""
    digit = Image.fromarray(mnist().validation.images[0]).resize((side, side), Image.Resampling.BICUBIC)
    (tmp_path / "digit.tif").write_bytes(tiff(np.asarray(digit, np.uint16) * 257, order))
    eight_bits = saved(tmp_path, digit, "digit.png")
    assert difference(network_input(read_image(tmp_path / "digit.tif")), network_input(read_image(eight_bits))) < 2


def test_fractional_data_offset_is_refused(tmp_path: Path) -> None:
    """A TIFF with a fractional data offset raises an InkError."""
    content = tiff(np.zeros((30, 30), np.uint16), "<", offset_type=11)
    assert_refused(tmp_path, content, "cannot be read as an image|is not an image")


@pytest.mark.parametrize("name", ["digit.jpg", "digit.png", "digit.webp", "digit.tif"])
@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (3, 180), (6, 90), (8, 270)])
def test_photographs_are_turned_upright(tmp_path: Path, name: str, orientation: int, turn: int) -> None:
    """The EXIF orientation is applied, so that photographs are upright."""
    image = Image.fromarray(pixels(INKS[7]))
    exif = image.getexif()
    exif[0x0112] = orientation
    path = saved(tmp_path, image.rotate(turn), name, exif=exif)
    assert difference(network_input(read_image(path)), network_input(pixels(INKS[7]))) < 5


def test_transparent_background_is_ignored(tmp_path: Path) -> None:
    """The dark ink of a GIF with a transparent background is found."""
    image = Image.fromarray(np.where(INKS[2] > 0.5, 1, 0).astype(np.uint8)).convert("P")
    image.putpalette([0, 0, 0, 0, 0, 0])
    path = saved(tmp_path, image, "digit.gif", transparency=0)
    assert difference(network_input(read_image(path)), network_input(pixels(INKS[2]))) < 12


def test_pixels_are_rgba(tmp_path: Path) -> None:
    """Pixels are returned as RGBA, reduced to a useful size."""
    path = saved(tmp_path, Image.new("RGB", (5000, 100), (255, 0, 0)), "red.png")
    rgba_pixels = read_image(path)
    assert rgba_pixels.shape == (round(100 * MAX_SIDE / 5000), MAX_SIDE, 4)
    assert (rgba_pixels == [255, 0, 0, 255]).all()


def png_claiming(width: int, height: int) -> bytes:
    """Return a PNG whose header claims a size that its data do not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


def assert_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(InkError, match=message) as caught:
        read_image(path)
    assert caught.value.path == path
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("side", [6400, 10_000, 100_000, 2**31 - 1])
def test_huge_image_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    """An image with too many pixels raises an InkError with a one-line message and no warning."""
    assert side * side > MAX_PIXELS
    assert_refused(tmp_path, png_claiming(side, side), "pixels|cannot be read as an image")


@pytest.mark.parametrize(
    "content", [b"", b"these are no pixels", b"\x89PNG\r\n\x1a\n", b'<svg xmlns="x"/>', b"%PDF-1.4"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is not an image raises an InkError that lists the supported formats."""
    assert_refused(tmp_path, content, f"is not an image; supported formats: {', '.join(FORMATS)}")


def test_truncated_image_is_refused(tmp_path: Path) -> None:
    """A truncated image raises an InkError."""
    buffer = io.BytesIO()
    Image.fromarray(pixels(INKS[2] + noise(INKS[2].shape, 0.1))).save(buffer, "PNG")
    assert_refused(tmp_path, buffer.getvalue()[: buffer.tell() // 2], "cannot be read as an image")


def test_formats_that_run_programs_are_refused(tmp_path: Path) -> None:
    """Formats for which Pillow runs other programs, such as PostScript, are refused."""
    assert_refused(tmp_path, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n%%EndComments\n", "is not an image")


def test_huge_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file larger than the limit raises an InkError."""
    monkeypatch.setattr(image_module, "MAX_FILE_BYTES", 2**20)
    assert_refused(tmp_path, bytes(2**20 + 1), "is too large; the limit is 1 MB")


@pytest.mark.parametrize("name", ["nowhere.png", ""])
def test_missing_file_or_folder_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file or a folder raises an InkError."""
    with pytest.raises(InkError, match="cannot be read as an image"):
        read_image(tmp_path / name)


def read_or_refuse(path: Path) -> NDArray[np.uint8] | str:
    """Return the pixels, or the error message."""
    try:
        return read_image(path)
    except InkError as error:
        return str(error)


def test_hostile_images(tmp_path: Path) -> None:
    """Damaged files of every format are loaded, or refused with a one-line message, without warnings."""
    rng = random.Random(4)
    small = Image.fromarray(pixels(INKS[2])).resize((60, 60))
    exif = small.getexif()
    exif[0x0112] = 6
    good = []
    for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM"):
        buffer = io.BytesIO()
        small.save(buffer, kind, **({"exif": exif} if kind in ("PNG", "JPEG", "WEBP") else {}))
        good.append(buffer.getvalue())
    good.append(tiff(np.asarray(small, np.uint16) * 257, ">"))
    path = tmp_path / "hostile"
    for _ in range(250):
        content = bytearray(rng.choice(good))
        if rng.random() < 0.2:
            del content[rng.randrange(len(content)) :]
        else:
            for _ in range(rng.choice((1, 2, 5))):
                content[rng.randrange(min(len(content), rng.choice((60, 300, 10**6))))] = rng.choice((0, 255, 128, 1))
        path.write_bytes(content)
        result = read_or_refuse(path)
        if isinstance(result, str):
            assert "\n" not in result
        else:
            assert result.shape[2] == 4
            assert Drawing.from_pixels(result).rasterize().shape == (28, 28)
