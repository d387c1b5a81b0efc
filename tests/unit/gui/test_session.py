from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.gui.session import Lifetime, Session, TrainingState
from digitpad.gui.tasks.task import end_tasks
from digitpad.gui.widgets.theme import Theme
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import Stroke
from digitpad.recognition.recognizer import Recognizer
from digitpad.weights.native_format import Weights
from tests.gui_fixtures import preferences_in

SEVEN = Drawing((Stroke(np.array([(120.0, 100.0), (330.0, 95.0), (260.0, 230.0), (220.0, 390.0)])),))


@pytest.fixture
def session(theme: Theme, shipped: Weights, tmp_path: Path) -> Iterator[Session]:
    """Yield a session without a window."""
    session = Session(theme, shipped, preferences_in(tmp_path))
    yield session
    end_tasks(session)


def test_using_a_network_emits_signals_and_is_remembered(session: Session, shipped: Weights, tmp_path: Path) -> None:
    """Using a network emits its signal and that of its file, and adds the file to the recent networks."""
    events: list[object] = []
    session.network_changed.connect(events.append)
    session.network_file_used.connect(events.append)
    other = replace(shipped, name="other.npz")
    session.use_network(other, tmp_path / "other.npz")
    assert events == [other, tmp_path / "other.npz"]
    assert session.weights is other
    assert session.preferences.recent_networks == [str(tmp_path / "other.npz")]


def test_prediction_is_computed_once_per_drawing_and_network(session: Session, shipped: Weights) -> None:
    """The prediction is computed once, and again if the drawing or the network changes."""
    assert session.prediction is None
    session.set_drawing(lambda: SEVEN)
    first = session.prediction
    assert first is not None
    assert first.digit == 7
    assert session.prediction is first
    session.use_network(replace(shipped, parameters=shipped.parameters * 0))
    second = session.prediction
    assert second is not None
    assert not second.sure


def test_dataset_is_listed_once(session: Session) -> None:
    """A dataset that is opened again is signalled and listed only once."""
    opened: list[str] = []
    session.dataset_opened.connect(opened.append)
    for source in ("one", "two", "one"):
        session.open_dataset(source)
    assert opened == ["one", "two"] == list(session.datasets)


def test_message_ends_when_its_subject_changes(session: Session, shipped: Weights) -> None:
    """A message about the network ends when the network changes, one about training when its state changes."""
    session.say("Reading with mine.npz", Lifetime.NETWORK)
    session.set_training(TrainingState.RUNNING)
    assert session.message == "Reading with mine.npz"
    session.use_network(shipped)
    assert session.message == ""
    session.say("Training…", Lifetime.TRAINING)
    session.use_network(shipped)
    assert session.message == "Training…"
    session.set_training(TrainingState.PAUSED)
    assert session.message == ""


def test_trained_network_is_unsaved_until_it_is_saved(session: Session, shipped: Weights, tmp_path: Path) -> None:
    """A trained network is unsaved until that network, and not another one, is saved."""
    session.set_trained(shipped, None)
    assert session.has_unsaved_training
    session.mark_saved(replace(shipped, name="other"), tmp_path / "other.npz")
    assert session.has_unsaved_training
    session.mark_saved(shipped, tmp_path / "trained.npz")
    assert not session.has_unsaved_training
    assert session.trained_path == tmp_path / "trained.npz"


def test_recipe_is_not_applied_during_training(session: Session) -> None:
    """A recipe is not applied while a run is paused; afterwards the Train tab is shown before it gets the recipe."""
    events: list[object] = []
    session.page_requested.connect(events.append)
    session.recipe_requested.connect(lambda recipe: events.append(("recipe", recipe)))
    session.set_training(TrainingState.PAUSED)
    session.use_recipe("recipe")  # type: ignore[arg-type]
    assert events == []
    session.set_training(TrainingState.IDLE)
    session.use_recipe("recipe")  # type: ignore[arg-type]
    assert events == ["Train", ("recipe", "recipe")]


def test_a_digit_of_a_number_in_a_picture_is_kept_alone(session: Session) -> None:
    """The selected digit of a number in a picture is cut out, so that a correction keeps this digit and no other."""
    images = mnist().validation.images
    labels = mnist().validation.labels
    first, second = (int(np.flatnonzero(labels == label)[0]) for label in (4, 7))
    ink = np.zeros((60, 130))
    ink[16:44, 10:38], ink[16:44, 80:108] = images[first] / 255, images[second] / 255
    session.set_drawing(lambda: Drawing.from_number(ink))
    session.settle_drawing()
    assert session.reading is not None
    assert session.reading.text == "47"
    recognizer = Recognizer(session.weights)
    for place, digit in ((0, 4), (1, 7)):
        session.select(place)
        prediction = recognizer.read(session.selected_drawing)
        assert prediction is not None
        assert prediction.digit == digit
