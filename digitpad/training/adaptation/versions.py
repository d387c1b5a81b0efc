"""Adapted networks in the user's folder: each with the network before it, so that an adaptation can be rolled back.

A version is a folder with two weights files, ``before-NAME.npz`` and ``adapted-DATE-TIME.npz``. The second is written
last; a folder without it is left from an interruption and is ignored.
"""

import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from digitpad.errors import WeightsError, reason
from digitpad.system import user_folders
from digitpad.system.file_names import safe_file_name
from digitpad.training.adaptation.records import AdaptationResult
from digitpad.weights.native_format import SHIPPED, Weights, load_weights


def versions_folder() -> Path:
    """Return the folder of the adapted networks; it may not exist yet."""
    return user_folders.user_data_path() / "my-digits" / "networks"


@dataclass(frozen=True)
class AdaptedVersion:
    """Adapted network in the user's folder."""

    folder: Path

    @property
    def path(self) -> Path:
        """File of the adapted network; its name is that of the network in the window."""
        return self.folder / f"adapted-{self.folder.name[:_TIME_LENGTH]}.npz"

    @property
    def id(self) -> str:
        """Identifier, which begins with date and time."""
        return self.folder.name

    def load(self) -> Weights:
        """Load the adapted network.

        Raises
        ------
        WeightsError
            If the file is damaged.
        """
        return load_weights(self.path)

    def roll_back(self) -> tuple[Weights, Path | None]:
        """Load the network from before this adaptation, with its file; None stands for the built-in network's.

        The version stays in the list.

        Raises
        ------
        WeightsError
            If the file is missing or damaged.
        """
        path = next(self.folder.glob("before-*.npz"), self.folder / "before.npz")
        weights = load_weights(path)
        built_in = load_weights(SHIPPED)
        if weights.parameters.shape == built_in.parameters.shape and (weights.parameters == built_in.parameters).all():
            return built_in, None
        return weights, path

    def facts(self) -> dict[str, Any]:
        """Return facts about the adaptation: ``from``, ``date``, ``n_drawings``, and ``before`` and ``after``.

        Raises
        ------
        WeightsError
            If the file is damaged.
        """
        facts = self.load().about.get("adapted")
        return dict(facts) if isinstance(facts, dict) else {}

    def delete(self) -> None:
        """Delete the version, with the network before it.

        Raises
        ------
        WeightsError
            If it cannot be deleted.
        """
        try:
            shutil.rmtree(self.folder)
        except OSError as error:
            raise WeightsError(self.folder, f"cannot be deleted ({reason(error)})") from error


def keep_version(result: AdaptationResult) -> AdaptedVersion:
    """Save the network of an adaptation, and the one before it.

    Raises
    ------
    FileError
        If they cannot be written; there is no new version then.
    """
    now = datetime.now().astimezone()
    folder = user_folders.ensure_folder(versions_folder() / f"{now:%Y-%m-%d-%H%M%S}-{secrets.token_hex(3)}")
    version = AdaptedVersion(folder)
    try:
        result.base.save(folder / f"before-{safe_file_name(result.base.name.removesuffix('.npz')) or 'network'}.npz")
        result.weights.save(version.path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return version


def list_versions() -> list[AdaptedVersion]:
    """Return all adapted networks, the newest first."""
    versions = [AdaptedVersion(path.parent) for path in versions_folder().glob("*/adapted-*.npz")]
    return sorted(versions, key=lambda version: version.id, reverse=True)


_TIME_LENGTH = len("2026-03-03-1015")  # in the name of the file; the folder has the seconds too
