"""Run the app, and print what its window shows as a line of JSON, ten times per second."""

import json
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QPushButton, QWidget

from digitpad.app import build, check_system
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.inspect.layers_view import LayersView
from digitpad.gui.train.train_tab import TrainTab
from digitpad.system import blas_threads
from tests.unit.gui.hand import find


def main() -> int:
    """Run until the window is closed."""
    blas_threads.limit_threads(blas_threads.default_thread_count())
    check_system()
    application, window = build(Path(sys.argv[1]) if len(sys.argv) > 1 else None)

    def print_state() -> None:
        tab = window.page(DrawTab)
        dialog = next((one for one in QApplication.topLevelWidgets() if isinstance(one, QFileDialog)), None)
        train = window.findChild(TrainTab)
        visible = [widget for widget in QApplication.allWidgets() if widget.objectName() and widget.isVisible()]
        places = {widget.objectName(): place(widget) for widget in visible} | {"window": place(window)}
        texts = {widget.objectName(): widget.text() for widget in visible if isinstance(widget, QLabel | QLineEdit)}
        if dialog is not None and dialog.isVisible():
            places["file_name"] = place(find(dialog, QLineEdit))
            save = [button for button in dialog.findChildren(QPushButton) if "ave" in button.text()]
            if save:  # a folder in the name field makes the button open the folder
                places["save"] = place(save[0])
        screen = window.screen().availableSize()
        seen = {
            "screen": [screen.width(), screen.height()],
            "answer": find(tab, QLabel, "answer").text(),
            "state": train.state.name if train is not None else None,
            "weights": find(window, QLabel, "weights_in_use").accessibleName(),
            "epochs": find(train, QLineEdit, "epochs").text() if train is not None else None,
            "page": window.page_index,
            "file_name": find(dialog, QLineEdit).text() if dialog is not None else None,
            "texts": texts,
            "units": units(window.findChild(LayersView)),
            "places": {name: one for name, one in places.items() if one is not None},
        }
        sys.stdout.write(json.dumps(seen) + "\n")
        sys.stdout.flush()

    def place(widget: QWidget) -> list[int] | None:
        if not widget.isVisible():
            return None
        corner = widget.mapToGlobal(QPoint(0, 0))
        return [corner.x(), corner.y(), widget.width(), widget.height()]

    def units(view: LayersView | None) -> list[list[int]]:
        """Return the centre of unit 2 of each block of the Inside tab, in screen pixels."""
        if view is None or not view.isVisible():
            return []
        centres = [column.rect(2).center().toPoint() for column in view.columns if column.n > 2]
        return [[view.mapToGlobal(centre).x(), view.mapToGlobal(centre).y()] for centre in centres]

    timer = QTimer()
    timer.timeout.connect(print_state)
    timer.start(100)
    window.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
