"""Write small HDF5 files with h5py that use supported and unsupported features."""

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def main(folder: Path) -> None:
    versions: tuple[tuple[str, Any], ...] = (("earliest", "earliest"), ("v108", ("v108", "v108")))
    for name, libver in versions:
        with h5py.File(folder / f"{name}.h5", "w", libver=libver) as file:
            group = file.create_group("numbers")
            for kind in ("<f4", "<f8", "<f2", ">f4", "<i8", ">i2", "u1"):
                group[kind.strip("<>") + ("big" if ">" in kind else "")] = np.arange(6).reshape(2, 3).astype(kind)
            group = file.create_group("others")
            group["bool"] = np.array([True, False])
            group["scalar"] = 2.5
            group["nothing"] = h5py.Empty("f4")
            group["complex"] = np.array([1j])
            texts = file.create_group("texts/of")
            texts["one"], texts["many"], texts["fixed"] = "déjà", ["a", "bc"], np.array([b"ab", b"c"])
            file.attrs["long"], file.attrs["list"], file.attrs["number"] = "x" * 5000, ["a", "bc"], 3.5
            chunked = np.arange(23 * 17.0).reshape(23, 17)
            options: dict[str, Any] = {"chunks": (8, 5), "compression": "gzip", "shuffle": True, "fletcher32": True}
            file.create_dataset("chunked", data=chunked, **options)
            file.create_dataset("unwritten", (3,), "f4")
            file.create_dataset("lzf", data=chunked, chunks=(8, 5), compression="lzf")
            many = file.create_group("many")
            for i in range(40 if name == "earliest" else 5):
                many[f"a{i}"] = np.full(2, i)
    with h5py.File(folder / "dense_links.h5", "w", libver=("v108", "v108")) as file:
        for i in range(12):
            file[f"a{i}"] = np.zeros(1)
    with h5py.File(folder / "user_block.h5", "w", userblock_size=512) as file:
        file["a"] = np.arange(3.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
