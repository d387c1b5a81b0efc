"""Reading ``.npz`` from strangers: arrays of plain numbers alone, under a byte budget, and without pickle.

`numpy.load` trusts what a file says of itself: an archive of 261 KB can unpack to half a gigabyte, and a header can
claim any shape. Here nothing is unpacked or allocated before the claim is known to fit.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from digitpad.errors import WeightsError, reason
from digitpad.formats.npy import BUDGET_BYTES, mebibytes, read_npy

MAX_MEMBERS = 1000

_MEMBER_SIGNATURE = b"PK\x01\x02"  # of each entry in a zip file's directory


def read_arrays(path: Path, budget_bytes: int = BUDGET_BYTES) -> dict[str, NDArray[Any]]:
    """Every array in an ``.npz``, by name, in native byte order.

    Parameters
    ----------
    path : Path
    budget_bytes : int
        What the file, and all arrays together, may take.

    Raises
    ------
    WeightsError
        If the file cannot be read, is no such archive, would take more than the budget, or holds anything but plain
        numeric arrays.
    """
    try:
        content = _read_file(path, budget_bytes)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read_members(path, archive, budget_bytes)
    except WeightsError:
        raise
    except zipfile.BadZipFile as error:
        raise WeightsError(path, f"is not an .npz file ({error})") from error
    # What zipfile and zlib raise on damaged or encrypted members and on methods they do not know.
    except (
        OSError,
        EOFError,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OverflowError,
        MemoryError,
    ) as error:
        raise WeightsError(path, f"cannot be read ({reason(error)})") from error


def _read_file(path: Path, budget: int) -> bytes:
    if path.stat().st_size > budget:
        raise WeightsError(path, f"is larger than the {mebibytes(budget)} that it may take")
    content = path.read_bytes()
    # ZipFile keeps a record of each member as soon as it is opened: 400 000 of them take 280 MB.
    n_members = content.count(_MEMBER_SIGNATURE)
    if n_members > MAX_MEMBERS:
        raise WeightsError(path, f"holds {n_members} members; at most {MAX_MEMBERS} are read")
    return content


def _read_members(path: Path, archive: zipfile.ZipFile, budget: int) -> dict[str, NDArray[Any]]:
    left = budget
    arrays = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name == member.filename:
            raise WeightsError(path, f"holds {name[:80]!r}, which is not an array")
        if name in arrays:
            raise WeightsError(path, f"holds {name[:80]!r} twice")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # zipfile unpacks the other methods without a bound: 881 bytes of bzip2 took 2 GB.
            raise WeightsError(path, f"array {name[:80]!r} cannot be read: its compression is not deflate")
        with archive.open(member) as file:
            array = read_npy(path, f"array {name[:80]!r}", file, left)
        left -= array.nbytes
        arrays[name] = array
    return arrays
