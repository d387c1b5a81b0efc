from pathlib import Path

import pytest

from digitpad import assets


@pytest.mark.parametrize("folder", [assets.MODEL, assets.DATA, assets.RESOURCES], ids=lambda folder: folder.name)
def test_folders_of_assets_exist(folder: Path) -> None:
    """Each folder of shipped files exists and is not empty, wherever the program is installed."""
    assert folder.is_dir()
    assert any(folder.iterdir())


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (assets.MODEL, "digits.npz"),
        (assets.MODEL, "dense.toml"),
        (assets.MODEL, "quick.toml"),
        (assets.DATA, "train-images-idx3-ubyte.gz"),
        (assets.DATA, "train-labels-idx1-ubyte.gz"),
        (assets.DATA, "t10k-images-idx3-ubyte.gz"),
        (assets.DATA, "t10k-labels-idx1-ubyte.gz"),
        (assets.DATA, "README.md"),
        (assets.RESOURCES, "icon.svg"),
    ],
)
def test_required_asset_exists(folder: Path, name: str) -> None:
    """Each required file is in its folder and is not empty."""
    assert (folder / name).stat().st_size > 0
