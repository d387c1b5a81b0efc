"""The My digits tab: labelled drawings, writing more of them, import and export, and adaptation to them."""
