"""Note under the pad: the network was trained on digits alone, so it reads anything as one."""

from PySide6.QtWidgets import QHBoxLayout, QWidget

from digitpad.class_names import DIGITS
from digitpad.errors import DigitpadError
from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, link
from digitpad.weights.native_format import Weights

N_NON_DIGITS = 15_000
"""Letters, signs and scribbles that the proposed training adds, a quarter of the number of MNIST's images."""


class NonDigitNote(QWidget):
    """A line of text and a link to a training that also shows other drawings; hidden if it does not apply."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("non_digit_note")
        self._session = session
        text = ElidedLabel("caption", "non_digit_text")
        text.set_text("Trained on digits alone: it reads any drawing as a digit.")
        train = link("Train with others…", "train_non_digits", "Fill the Train tab with its settings and non-digits")
        train.clicked.connect(self._propose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * SPACE)
        row.addWidget(text, 1)
        row.addWidget(train)
        session.network_changed.connect(self._follow)
        self._follow(session.weights)

    def _follow(self, weights: Weights) -> None:
        self.setVisible(weights.class_names == DIGITS and not weights.knows_non_digits)

    def _propose(self) -> None:
        """Show the recipe of the network, or the usual one, with non-digits."""
        from digitpad.training.recipe import Recipe  # not at the start of the window

        try:
            recipe = Recipe.from_dict(self._session.weights.about.get("recipe", {}))
        except DigitpadError:  # other programs have no recipe
            recipe = Recipe()
        self._session.use_recipe(recipe.with_values({"data.non_digits": N_NON_DIGITS}))
