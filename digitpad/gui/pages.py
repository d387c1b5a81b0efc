"""The tabs of the window, in order; a new tab needs a folder and a line here."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from digitpad.gui.session import Session, TrainingState
from digitpad.gui.widgets.tab_page import TabPage


@dataclass(frozen=True)
class Command:
    """A menu command of a page; it shows the page first.

    Attributes
    ----------
    text : callable
        Its text now.
    method : str
        The method of the page that carries it out.
    shortcut : str
    """

    text: Callable[[Session], str]
    method: str
    shortcut: str = ""


@dataclass(frozen=True)
class Page:
    """A tab.

    Attributes
    ----------
    title : str
    class_path : str
        ``module:class`` of a `TabPage` whose constructor takes a `Session`; imported when the tab is first shown.
    commands : tuple of Command
    """

    title: str
    class_path: str
    commands: tuple[Command, ...] = ()

    def load(self) -> type[TabPage]:
        """Import the class of the page."""
        module, _, name = self.class_path.partition(":")
        return cast(type[TabPage], getattr(import_module(module), name))

    def build(self, session: Session) -> TabPage:
        """Make the page."""
        return self.load()(session)  # type: ignore[arg-type]  # every page takes the session


def _always(text: str) -> Callable[[Session], str]:
    return lambda session: text


def _train_text(session: Session) -> str:
    texts = {TrainingState.RUNNING: "Pause t&raining", TrainingState.PAUSED: "&Resume training"}
    return texts.get(session.training, "Start t&raining")


def _evaluate_text(session: Session) -> str:
    return "Stop &evaluation" if session.evaluating else "&Evaluate"


PAGES = (
    Page("Draw", "digitpad.gui.draw.draw_tab:DrawTab"),
    Page(
        "Train",
        "digitpad.gui.train.train_tab:TrainTab",
        (
            Command(_train_text, "train_or_pause", "Ctrl+T"),
            Command(_always("&Stop training"), "stop", "Ctrl+."),
            Command(_always("&Find a learning rate…"), "find_rate", "Ctrl+Shift+F"),
            Command(_always("Save settings as re&cipe…"), "save_settings"),
        ),
    ),
    Page(
        "Evaluate",
        "digitpad.gui.evaluate.evaluate_tab:EvaluateTab",
        (Command(_evaluate_text, "evaluate_or_stop", "Ctrl+E"),),
    ),
    Page("Inside", "digitpad.gui.inspect.inspect_tab:InspectTab"),
)
