import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from digitpad.datasets.dataset import load_path
from digitpad.datasets.download import fetch as downloads
from digitpad.datasets.download.fetch import download, downloaded, sets_folder
from digitpad.datasets.download.sources import SOURCES, DatasetSource
from digitpad.errors import DataError
from tests.unit.datasets.idx_files import random_digits
from tests.unit.datasets.local_server import Server, serving, source_of
from tests.unit.datasets.set_files import zipped

FILES = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz")
IMAGES = FILES[0]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Run a local server with the files of a dataset."""
    with serving(tmp_path / "published") as running:
        yield running


def unfinished() -> Path:
    return sets_folder() / "fashion-mnist.unfinished"


def test_dataset_is_downloaded_and_loaded(server: Server) -> None:
    """A dataset is downloaded once to a folder of its name, is listed, and can be loaded."""
    reports: list[tuple[int, int]] = []
    source = source_of(server, server.url)
    assert downloaded() == {}
    folder = download(source, lambda done, total: reports.append((done, total)))
    assert folder == sets_folder() / "fashion-mnist"
    assert downloaded() == {"fashion-mnist": folder}
    np.testing.assert_array_equal(load_path(folder).test.images, random_digits(20, 2).images)
    assert load_path(folder).class_names[0] == "T-shirt/top"
    assert reports == sorted(reports)
    assert reports[-1] == (source.size, source.size)
    assert not unfinished().exists()
    n_asked = len(server.asked)
    assert download(source) == folder
    assert len(server.asked) == n_asked == 4


def test_interrupted_download_is_resumed(server: Server) -> None:
    """After an interruption, the next download requests only the missing bytes."""
    source = source_of(server, server.url)
    server.cut[IMAGES] = 1000
    with pytest.raises(DataError, match=rf"{IMAGES}: could not be .*connection.*resume after 1,000 of [\d,]+ bytes"):
        download(source)
    assert downloaded() == {}
    assert (unfinished() / f"{IMAGES}.part").stat().st_size == 1000
    server.asked.clear()
    folder = download(source)
    assert server.asked[0] == (IMAGES, "bytes=1000-")
    assert (folder / IMAGES).read_bytes() == server.files[IMAGES]


def test_two_downloads_do_not_share_a_file(server: Server) -> None:
    """While a dataset is downloaded, a second download is refused; afterwards it finds the folder."""
    source = source_of(server, server.url)
    refused: list[str] = []

    def download_again(done: int, total: int) -> None:
        if not refused:
            with pytest.raises(DataError, match="is being downloaded already") as caught:
                download(source)
            refused.append(str(caught.value))

    folder = download(source, download_again)
    assert refused
    assert (folder / IMAGES).read_bytes() == server.files[IMAGES]
    assert download(source) == folder


def test_server_without_ranges_restarts_the_download(server: Server) -> None:
    """If the server ignores ranges, the file is downloaded again from the start."""
    source = source_of(server, server.url)
    server.cut[IMAGES] = 1000
    server.ranges = False
    with pytest.raises(DataError):
        download(source)
    assert (download(source) / IMAGES).read_bytes() == server.files[IMAGES]


def test_mirror_continues_a_failed_download(server: Server) -> None:
    """A mirror continues a file after the first server fails."""
    server.cut[IMAGES] = 1000
    folder = download(source_of(server, server.url, server.url.replace("127.0.0.1", "localhost")))
    assert (IMAGES, "bytes=1000-") in server.asked
    assert (folder / IMAGES).read_bytes() == server.files[IMAGES]


def test_file_with_wrong_content_is_refused(server: Server) -> None:
    """A file with other content or length is rejected and deleted."""
    source = source_of(server, server.url)
    good = server.files[IMAGES]
    for wrong in (good[:-1] + bytes([good[-1] ^ 1]), good + bytes(10**6), b""):
        server.files[IMAGES] = wrong
        with pytest.raises(DataError, match=r"sent a different file; expected|connection"):
            download(source)
        assert downloaded() == {}
        assert not (unfinished() / f"{IMAGES}.part").exists()
        assert not (unfinished() / IMAGES).exists()


def test_missing_file_is_reported(server: Server) -> None:
    """The error for a missing file contains the host and the server's answer, and no files are left."""
    source = source_of(server, server.url)
    server.files.clear()
    with pytest.raises(DataError, match=rf"{FILES[2]}: could not be downloaded: 127.0.0.1:\d+ answered 404 Not Found"):
        download(source)
    assert [path.name for path in sets_folder().iterdir()] == [".fashion-mnist.lock"]


def test_without_a_network_nothing_changes(server: Server) -> None:
    """Without a network, the error names the host, and no files are left."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DataError, match=rf"127.0.0.1:{port} cannot be reached \(.*\); check the internet connection"):
        download(source_of(server, f"http://127.0.0.1:{port}/"))
    assert [path.name for path in sets_folder().iterdir()] == [".fashion-mnist.lock"]


def test_callback_exception_stops_the_download(server: Server) -> None:
    """An exception from the callback stops the download and keeps the downloaded bytes."""

    def tell(done: int, total: int) -> None:
        if done > 20_000:
            raise KeyboardInterrupt

    source = source_of(server, server.url)
    with pytest.raises(KeyboardInterrupt):
        download(source, tell)
    assert downloaded() == {}
    assert any(unfinished().iterdir())
    assert len(downloaded_files(download(source))) == 4


def downloaded_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_write_error_is_reported(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write error, such as a full disk, raises DataError, and the dataset is not listed."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(downloads, "_copy", full)
    with pytest.raises(DataError, match=r"cannot be written \(No space left on device\)"):
        download(source_of(server, server.url))
    assert downloaded() == {}


def archive_of(server: Server, extra: dict[str, bytes] | None = None) -> DatasetSource:
    """Put an archive like EMNIST's, with two datasets, on the server."""
    members = dict(extra or {})
    for name in ("emnist-digits", "emnist-letters"):
        for file, content in server.files.items():
            members[f"gzip/{name}-{file.replace('t10k', 'test')}"] = content
    server.files = {"gzip.zip": zipped(members)}
    source = source_of(server, server.url, name="emnist")
    return DatasetSource(source.name, source.title, source.about, source.terms, source.files, archive=True)


def test_each_dataset_of_an_archive_has_its_own_folder(server: Server) -> None:
    """Each dataset of an archive is unpacked to its own folder; other members and the archive are discarded."""
    folder = download(archive_of(server, {"gzip/../../evil.gz": b"", "gzip/emnist-digits-mapping.txt": b""}))
    assert list(downloaded()) == ["emnist-digits", "emnist-letters"]
    assert downloaded_files(folder) == ["emnist-digits", "emnist-letters"]
    assert len(downloaded_files(folder / "emnist-digits")) == 4
    np.testing.assert_array_equal(
        load_path(folder / "emnist-digits").test.images, random_digits(20, 2).images.transpose(0, 2, 1)
    )


def test_invalid_archive_is_reported(server: Server) -> None:
    """An invalid archive with the expected SHA-256 raises DataError."""
    server.files = {"gzip.zip": b"no archive"}
    source = source_of(server, server.url, name="emnist")
    broken = DatasetSource(source.name, source.title, source.about, source.terms, source.files, archive=True)
    with pytest.raises(DataError, match=r"gzip.zip: cannot be unpacked"):
        download(broken)
    assert downloaded() == {}


def test_every_published_file_has_a_checksum_and_a_mirror() -> None:
    """Every file has a SHA-256, a size and two hosts, and file names are unique within a dataset."""
    assert list(SOURCES) == ["fashion-mnist", "kmnist", "qmnist", "emnist"]
    for source in SOURCES.values():
        assert len({file.name for file in source.files}) == len(source.files) == (1 if source.archive else 4)
        for file in source.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.size > 0
            assert len({url.split("/")[2] for url in file.urls}) == 2
            assert all(url.startswith("http") and url.endswith(f"/{file.name}") for url in file.urls)
