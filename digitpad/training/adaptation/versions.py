"""Adapted networks in the user's folder: each with the network before it, so that an adaptation can be rolled back.

A version is a folder with ``before.npz`` and ``network.npz``. The second is written last; a folder without it is left
from an interruption and is ignored.
"""

import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from digitpad.errors import WeightsError, reason
from digitpad.system import user_folders
from digitpad.training.adaptation.records import AdaptationResult
from digitpad.weights.native_format import Weights, load_weights


def versions_folder() -> Path:
    """Return the folder of the adapted networks; it may not exist yet."""
    return user_folders.user_data_path() / "my-digits" / "networks"


@dataclass(frozen=True)
class AdaptedVersion:
    """Adapted network in the user's folder."""

    folder: Path

    @property
    def path(self) -> Path:
        """File of the adapted network."""
        return self.folder / "network.npz"

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

    def roll_back(self) -> Weights:
        """Load the network from before this adaptation; the version stays in the list.

        Raises
        ------
        WeightsError
            If the file is damaged.
        """
        return load_weights(self.folder / "before.npz")

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
    try:
        result.base.save(folder / "before.npz")
        result.weights.save(folder / "network.npz")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return AdaptedVersion(folder)


def list_versions() -> list[AdaptedVersion]:
    """Return all adapted networks, the newest first."""
    return [AdaptedVersion(path.parent) for path in sorted(versions_folder().glob("*/network.npz"), reverse=True)]
