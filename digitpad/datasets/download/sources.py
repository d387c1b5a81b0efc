"""Download sources of published datasets. Hosts are named only here, and contacted only if the user asks for it.

Sizes and SHA-256 sums are those that TensorFlow Datasets publishes (``tensorflow_datasets/url_checksums``) for the
files at the first address. A mirror must serve the same bytes; otherwise its file is rejected.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """File to download: its size in bytes, its SHA-256, and its URLs in the order to try them."""

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class DatasetSource:
    """Dataset that can be downloaded.

    Attributes
    ----------
    name : str
        Identifier, and the name of its folder.
    title, about, terms : str
        Texts for display; ``terms`` is the licence and its owner.
    files : tuple of RemoteFile
    archive : bool
        Whether its only file is an archive of several datasets, which are unpacked to a folder each.
    """

    name: str
    title: str
    about: str
    terms: str
    files: tuple[RemoteFile, ...]
    archive: bool = False

    @property
    def size(self) -> int:
        """Total download size in bytes."""
        return sum(file.size for file in self.files)


def _files(bases: tuple[str, ...], files: dict[str, tuple[int, str]]) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(name, size, sha256, tuple(base + name for base in bases)) for name, (size, sha256) in files.items()
    )


_ALL = (
    DatasetSource(
        "fashion-mnist",
        "Fashion-MNIST",
        "Clothing in 10 classes, 70,000 images",
        "MIT, Zalando SE",
        _files(
            (
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            ),
            {
                "train-images-idx3-ubyte.gz": (
                    26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
                ),
                "train-labels-idx1-ubyte.gz": (
                    29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
                ),
                "t10k-images-idx3-ubyte.gz": (
                    4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
                ),
                "t10k-labels-idx1-ubyte.gz": (
                    5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
                ),
            },
        ),
    ),
    DatasetSource(
        "kmnist",
        "KMNIST",
        "Hiragana from old Japanese books in 10 classes, 70,000 images",
        "CC BY-SA 4.0, ROIS-DS Center for Open Data in the Humanities",
        _files(
            (
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
                "https://storage.googleapis.com/kuzushiji-mnist/",
            ),
            {
                "train-images-idx3-ubyte.gz": (
                    18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"
                ),
                "train-labels-idx1-ubyte.gz": (
                    29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"
                ),
                "t10k-images-idx3-ubyte.gz": (
                    3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"
                ),
                "t10k-labels-idx1-ubyte.gz": (
                    5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"
                ),
            },
        ),
    ),
    DatasetSource(
        "qmnist",
        "QMNIST",
        "MNIST reconstructed from its source, with 60,000 test digits",
        "BSD, Facebook and Léon Bottou",
        _files(
            (
                "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
                "https://github.com/facebookresearch/qmnist/raw/master/",
            ),
            {
                "qmnist-train-images-idx3-ubyte.gz": (
                    9_704_059, "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d"
                ),
                "qmnist-train-labels-idx2-int.gz": (
                    463_024, "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f"
                ),
                "qmnist-test-images-idx3-ubyte.gz": (
                    9_742_279, "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375"
                ),
                "qmnist-test-labels-idx2-int.gz": (
                    526_800, "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06"
                ),
            },
        ),
    ),
    DatasetSource(
        "emnist",
        "EMNIST",
        "Six datasets of digits and letters, with up to 62 classes and 814,255 images",
        "NIST, from its Special Database 19",
        (
            RemoteFile(
                "gzip.zip",
                561_753_746,
                "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
                (
                    "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
                    "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
                ),
            ),
        ),
        archive=True,
    ),
)  # fmt: skip

SOURCES = {source.name: source for source in _ALL}
"""All datasets that can be downloaded, by name."""
