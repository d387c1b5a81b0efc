"""Roles of painted widgets and of segments in the accessibility tree, which assistive tools read.

Qt reports a widget that paints itself as a mere container, and a checkable button as a check box.
"""

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QAccessibleWidget, QWidget

_PROPERTY = "accessible_role"

Role = QAccessible.Role


def set_accessible_role(widget: QWidget, role: QAccessible.Role) -> None:
    """Set the role that assistive tools report, for example `Role.Chart` or `Role.RadioButton`."""
    widget.setProperty(_PROPERTY, role)
    # Qt may have made the usual interface already, for example when the button got its text.
    usual = QAccessible.queryAccessibleInterface(widget)
    QAccessible.deleteAccessibleInterface(QAccessible.uniqueId(usual))


def install_accessible_roles() -> None:
    """Make Qt ask for the roles of `set_accessible_role`; call it once, after the application was created."""
    QAccessible.installFactory(_interface)


def _interface(_class_name: str, thing: QObject) -> QAccessibleWidget | None:
    """Return the interface of a widget with a custom role; None leaves it to Qt."""
    if not isinstance(thing, QWidget) or (role := thing.property(_PROPERTY)) is None:
        return None
    return _Button(thing, role) if isinstance(thing, QAbstractButton) else QAccessibleWidget(thing, role)


class _Button(QAccessibleWidget):
    """Button with another role than Qt's, such as a tab; its state is whether it is selected."""

    def state(self) -> QAccessible.State:
        state = super().state()
        button = self.object()
        if isinstance(button, QAbstractButton):
            state.checkable = button.isCheckable()
            state.checked = state.selected = button.isChecked()
        return state

    def text(self, kind: QAccessible.Text) -> str:
        button = self.object()
        if kind is QAccessible.Text.Name and isinstance(button, QAbstractButton) and not button.accessibleName():
            return button.text().replace("&", "")
        return super().text(kind)

    def actionNames(self) -> list[str]:
        return [self.pressAction(), *super().actionNames()]

    def doAction(self, action: str) -> None:
        button = self.object()
        if action == self.pressAction() and isinstance(button, QAbstractButton):
            button.click()
        else:
            super().doAction(action)
