"""Safe reader for ``.npz`` files from unknown sources: numeric arrays only, within a byte budget, without pickle.

`numpy.load` trusts the sizes that a file states: an archive of 261 KB can unpack to half a gigabyte, and a header can
claim any shape. Here, nothing is unpacked or allocated before its stated size is known to fit the budget.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from digitpad.errors import WeightsError, reason
from digitpad.formats.bounded_read import read_bounded
from digitpad.formats.npy import BUDGET_BYTES, mebibytes, read_npy

MAX_MEMBERS = 1000

_MEMBER_SIGNATURE = b"PK\x01\x02"  # starts each entry in the directory of a zip file


def read_arrays(path: Path, budget_bytes: int = BUDGET_BYTES) -> dict[str, NDArray[Any]]:
    """Read all arrays of an ``.npz`` file, by name, in native byte order.

    Parameters
    ----------
    path : Path
    budget_bytes : int
        Maximum size of the file, and of all its arrays together.

    Raises
    ------
    WeightsError
        If the file cannot be read, is not an ``.npz`` file, exceeds the budget, or holds anything other than plain
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
    # zipfile and zlib raise these for damaged or encrypted members and for unknown compression methods.
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
        raise WeightsError(path, f"is too large; the limit is {mebibytes(budget)}")
    content = read_bounded(path, budget)
    # On opening, ZipFile creates a record for each member: 400,000 members take 280 MB.
    n_members = content.count(_MEMBER_SIGNATURE)
    if n_members > MAX_MEMBERS:
        raise WeightsError(path, f"holds too many members ({n_members:,}); the limit is {MAX_MEMBERS:,}")
    return content


def _read_members(path: Path, archive: zipfile.ZipFile, budget: int) -> dict[str, NDArray[Any]]:
    remaining = budget
    arrays = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name == member.filename:
            raise WeightsError(path, f"holds {name[:80]!r}, which is not an array")
        if name in arrays:
            raise WeightsError(path, f"holds {name[:80]!r} twice")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # zipfile unpacks the other methods without a limit: 881 bytes of bzip2 expanded to 2 GB.
            raise WeightsError(path, f"array {name[:80]!r} cannot be read: its compression is not deflate")
        with archive.open(member) as file:
            array = read_npy(path, f"array {name[:80]!r}", file, remaining)
        remaining -= array.nbytes
        arrays[name] = array
    return arrays
