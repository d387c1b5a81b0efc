#!/bin/sh
# Adds digitpad to the menu of this user's desktop: program, icon, and file type for .npz. `./install.sh --remove` undoes it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
share=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$share/applications/digitpad.desktop
icon=$share/icons/hicolor/scalable/apps/digitpad.svg
types=$share/mime/packages/digitpad.xml
if [ "${1:-}" = --remove ]; then
  rm -f "$entry" "$icon" "$types"
else
  resources=$here/_internal/digitpad/_assets/resources
  mkdir -p "$(dirname "$entry")" "$(dirname "$icon")" "$(dirname "$types")"
  sed "s|^Exec=.*|Exec=\"$here/digitpad-window\" %f|" "$resources/digitpad.desktop" >"$entry"
  cp "$resources/icon.svg" "$icon"
  cp "$resources/digitpad-mime.xml" "$types"
fi
if command -v update-mime-database >/dev/null; then update-mime-database "$share/mime"; fi
if command -v update-desktop-database >/dev/null; then update-desktop-database "$share/applications"; fi
