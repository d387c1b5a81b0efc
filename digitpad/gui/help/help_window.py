"""The help window: contents, search, and pages with internal links, from Markdown files."""

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontDatabase,
    QKeySequence,
    QShortcut,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextTable,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from digitpad.gui.help.digit_pictures import Subject
from digitpad.gui.help.pictures import picture_image
from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, named
from digitpad.gui.widgets.menu_utils import with_native_keys
from digitpad.gui.widgets.text_size import follow_text_size, scaled
from digitpad.plotting.palette import Palette
from digitpad.teaching.help_library import HelpLibrary, Page, resolve

START = "getting-started.md"

_SIZES_PX = {1: 22, 2: 16, 3: 14}
_PICTURE = "picture"
_OBJECT = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for a picture in the text
_PROPORTIONAL = QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
_NAME = Qt.ItemDataRole.UserRole


class HelpWindow(QWidget):
    """Shows the pages of the help. They are read when the window is made.

    Parameters
    ----------
    session : Session
    parent : QWidget
    """

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("help_window")
        self.setWindowTitle("Help – digitpad")
        self.session = session
        self.library = HelpLibrary()
        self.page = self.library.pages[START]
        self._visited: list[tuple[str, int]] = []  # page and scroll position, before the page that is shown
        self._left: list[tuple[str, int]] = []  # pages that Back has left
        self.search = named(QLineEdit(), "help_search")
        self.list = named(QListWidget(), "help_list")
        self.browser = named(_Browser(session), "help_text")
        self._back, self._forward = QPushButton("‹ Back"), QPushButton("Forward ›")
        self._title = ElidedLabel("heading", "help_title")
        self._build()
        self._connect()
        self._list_pages(self.library.contents)
        self.show_page(START)
        geometry = session.preferences.geometry("help_geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(QSize(scaled(900), scaled(640)).boundedTo(self.screen().availableSize()))

    def show_page(self, name: str, *, scroll: int = 0) -> None:
        """Show a page by its name; an unknown name shows the start."""
        page = self.library.pages.get(name, self.library.pages[START])
        self.page = page
        self.browser.show_markdown(with_native_keys(page.text), page.title)
        self.browser.verticalScrollBar().setValue(scroll)
        self._title.set_text(page.title)
        self._back.setEnabled(bool(self._visited))
        self._forward.setEnabled(bool(self._left))
        self._mark()

    def open_page(self, name: str) -> None:
        """Show a page, so that Back returns to the one before."""
        if name != self.page.name:
            self._visited.append((self.page.name, self.browser.verticalScrollBar().value()))
            self._left.clear()
        self.show_page(name)

    def back(self) -> None:
        """Return to the page before."""
        self._turn(self._visited, self._left)

    def forward(self) -> None:
        """Show again the page that Back has left."""
        self._turn(self._left, self._visited)

    def _turn(self, come: list[tuple[str, int]], go: list[tuple[str, int]]) -> None:
        if come:
            go.append((self.page.name, self.browser.verticalScrollBar().value()))
            name, scroll = come.pop()
            self.show_page(name, scroll=scroll)

    # The list.

    def _list_pages(self, pages: list[Page]) -> None:
        self.list.clear()
        for page in pages:
            item = QListWidgetItem(page.title)
            item.setData(_NAME, page.name)
            self.list.addItem(item)
        if not pages:
            item = QListWidgetItem("Nothing found")
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        self._mark()

    def _mark(self) -> None:
        """Select the page that is shown, if it is in the list."""
        self.list.blockSignals(True)
        rows = [row for row in range(self.list.count()) if self.list.item(row).data(_NAME) == self.page.name]
        self.list.setCurrentRow(rows[0] if rows else -1)
        self.list.blockSignals(False)

    def _search(self, text: str) -> None:
        self._list_pages(self.library.search(text))

    def _open_first(self) -> None:
        name = self.list.item(0).data(_NAME)
        if name is not None:
            self.open_page(name)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(_NAME) is not None:
            self.open_page(item.data(_NAME))

    # Building.

    def _connect(self) -> None:
        self.search.textChanged.connect(self._search)
        self.search.returnPressed.connect(self._open_first)
        self.list.currentItemChanged.connect(lambda item, _: self._chosen(item))
        self.list.itemActivated.connect(self._chosen)
        self.browser.anchorClicked.connect(self._follow)
        self._back.clicked.connect(self.back)
        self._forward.clicked.connect(self.forward)
        standard = QKeySequence.StandardKey
        for key, act in (
            (standard.Back, self.back),
            (standard.Forward, self.forward),
            (standard.Find, self._focus_search),
            (standard.Close, self.close),
            (QKeySequence("Esc"), self.close),
        ):
            QShortcut(QKeySequence(key), self).activated.connect(act)
        self.session.theme.changed.connect(self._restyle)

    def _focus_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _follow(self, url: QUrl) -> None:
        self.open_page(resolve(self.page.name, url.toString()))

    def _restyle(self) -> None:
        self.show_page(self.page.name, scroll=self.browser.verticalScrollBar().value())

    def _build(self) -> None:
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search the help")
        self.search.setClearButtonEnabled(True)
        self.list.setAccessibleName("Pages")
        self._back.setToolTip("Back (Alt+Left)")
        self._forward.setToolTip("Forward (Alt+Right)")
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * SPACE)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * SPACE)
        row = QHBoxLayout()
        for button in (self._back, self._forward):
            row.addWidget(button)
        row.addWidget(self._title, 1)
        column.addLayout(row)
        column.addWidget(self.browser, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(3 * SPACE)
        splitter.addWidget(side)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        follow_text_size(self, lambda: splitter.setSizes([scaled(210), scaled(660)]))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        outer.addWidget(splitter)

    # Qt overrides.

    def hideEvent(self, event: object) -> None:
        self.session.preferences.set_geometry("help_geometry", self.saveGeometry())
        super().hideEvent(event)  # type: ignore[arg-type]


class _Browser(QTextBrowser):
    """Shows Markdown in the colours of the theme, with the pictures of terms."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setOpenLinks(False)
        self.setAccessibleName("Page")

    def show_markdown(self, text: str, title: str) -> None:
        """Show Markdown, styled."""
        self.setMarkdown(text)
        self.setDocumentTitle(title)
        self.document().setDocumentMargin(4 * SPACE)
        _style(self.document(), self._session.theme.tokens)

    # Qt overrides.

    def loadResource(self, kind: int, url: QUrl | str) -> object:
        """Paint the picture of a term; nothing else is loaded, from the disk or the internet."""
        name = QUrl(url).toString()
        if not name.startswith(f"{_PICTURE}:"):
            return None
        session = self._session
        subject = Subject.of(session.selected_drawing, session.weights)
        return picture_image(name.removeprefix(f"{_PICTURE}:"), subject, session.theme.tokens, self.devicePixelRatio())


def _style(document: QTextDocument, tokens: Palette) -> None:
    """Set sizes, spaces and colours, for which Markdown has no style sheet."""
    fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    block = document.begin()
    while block.isValid():
        style = QTextBlockFormat(block.blockFormat())
        cursor = QTextCursor(block)
        if level := style.headingLevel():
            style.setTopMargin(scaled(4 if level == 1 else 18))
            style.setBottomMargin(scaled(7))
            _set_letters(block, scaled(_SIZES_PX.get(level, 14)))
        elif _is_code(style):
            style.setLeftMargin(scaled(14))
            style.setLineHeight(scaled(18), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
            style.setBottomMargin(0 if _is_code(block.next().blockFormat()) else scaled(12))
            _set_letters(block, scaled(12), fixed)
        elif cursor.currentTable() is None:
            if _OBJECT not in block.text():
                style.setLineHeight(135, _PROPORTIONAL)
            style.setBottomMargin(scaled(4 if block.textList() is not None else 9))
        cursor.setBlockFormat(style)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            table = frame.format()
            table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            table.setBorder(1)
            table.setBorderBrush(QBrush(QColor(tokens.hairline)))
            table.setBorderCollapse(True)
            table.setCellPadding(scaled(5))
            table.setTopMargin(scaled(4))
            table.setBottomMargin(scaled(12))
            frame.setFormat(table)


def _is_code(style: QTextBlockFormat) -> bool:
    properties = QTextFormat.Property.BlockCodeFence, QTextFormat.Property.BlockCodeLanguage
    return any(map(style.hasProperty, properties)) or style.nonBreakableLines()


def _set_letters(block: QTextBlock, size_px: int, family: str = "") -> None:
    """Set the size and the font of a block, in place of the size that Markdown gives to headings."""
    cursor = QTextCursor(block)
    cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
    letters = QTextCharFormat(cursor.charFormat())
    letters.clearProperty(QTextFormat.Property.FontSizeAdjustment)
    letters.clearProperty(QTextFormat.Property.FontPointSize)
    letters.setProperty(QTextFormat.Property.FontPixelSize, size_px)
    if family:
        letters.setFontFamilies([family])
    else:
        letters.setFontWeight(QFont.Weight.DemiBold)
    cursor.setCharFormat(letters)
