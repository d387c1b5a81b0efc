"""Build a folder that runs without Python, pack it, and check it: ``python -m digitpad.tools.bundle``.

Run it in a checkout, in an environment with PyInstaller where digitpad was installed as a wheel: an editable install
lacks the shipped files. It writes ``dist/digitpad`` and an archive
beside it. ``--check`` starts the programs without Python on their path: they read a digit, train, and open the window.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from digitpad import __version__, assets

ROOT = Path.cwd()
WORK = ROOT / "build" / "bundle"
DIST = ROOT / "dist"
FOLDER = DIST / "digitpad"
SYSTEM = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
_MB = 2**20
_SEVEN = '{"strokes": [[[120, 100], [330, 95], [260, 230], [220, 390]]], "label": 7}'
_ICON_PX = 1024


def main() -> int:
    """Build the bundle, or check one that was built."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="check the bundle in dist/digitpad; do not build it")
    if parser.parse_args().check:
        check()
    else:
        build()
    return 0


def build() -> None:
    """Build ``dist/digitpad``, and an archive of it."""
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "terminal.py").write_text("import sys\nfrom digitpad.cli import main\nsys.exit(main())\n")
    (WORK / "window.py").write_text("import sys\nfrom digitpad.cli import window\nsys.exit(window())\n")
    write_icons(WORK)
    command = [sys.executable, "-P", "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
    command += ["--distpath", str(DIST), "--workpath", str(WORK / "work"), str(ROOT / ".bundle" / "digitpad.spec")]
    subprocess.run(command, check=True, env={**os.environ, "DIGITPAD_BUNDLE_WORK": str(WORK)})
    if SYSTEM == "linux":
        internal = FOLDER / "_internal"
        for pattern in ("libpython*", "python3*/lib-dynload/*.so", "kiwisolver/*.so", "PIL/*.so"):
            for library in internal.glob(pattern):  # their symbols for a debugger take 25 MB
                subprocess.run(["strip", "--strip-unneeded", library], check=True)
        shutil.copy2(ROOT / ".bundle" / "install.sh", FOLDER)
    shutil.copy2(ROOT / "LICENSE", FOLDER)
    kind = "xztar" if SYSTEM == "linux" else "zip"
    archive = shutil.make_archive(str(DIST / f"digitpad-{__version__}-{SYSTEM}"), kind, DIST, FOLDER.name)
    size = sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file() and not file.is_symlink())
    print(f"{FOLDER}: {size / _MB:.0f} MB; {archive}: {Path(archive).stat().st_size / _MB:.0f} MB")


def write_icons(folder: Path) -> None:
    """Write ``digitpad.png``, ``digitpad.ico`` and ``digitpad.icns``, painted from the icon of the window."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PIL import Image
    from PySide6.QtCore import QSize
    from PySide6.QtGui import QGuiApplication, QIcon

    application = QGuiApplication.instance() or QGuiApplication([])
    picture = folder / "digitpad.png"
    QIcon(str(assets.RESOURCES / "icon.svg")).pixmap(QSize(_ICON_PX, _ICON_PX)).save(str(picture))
    del application
    with Image.open(picture) as image:
        image.save(folder / "digitpad.ico", sizes=[(side, side) for side in (16, 24, 32, 48, 64, 128, 256)])
        image.save(folder / "digitpad.icns")


def check() -> None:
    """Read a digit, train an epoch, evaluate, and open the window, without Python on the path and without a display.

    Raises
    ------
    SystemExit
        If one of them fails.
    """
    suffix = ".exe" if sys.platform == "win32" else ""
    with tempfile.TemporaryDirectory() as folder:
        kept = ("SYSTEMROOT", "TEMP", "TMP", "LANG")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {"PATH": folder, "HOME": folder, "DIGITPAD_HOME": folder, "QT_QPA_PLATFORM": "offscreen"}
        seven, trained = Path(folder, "seven.jsonl"), Path(folder, "trained.npz")
        seven.write_text(_SEVEN, encoding="utf-8")

        def run(*words: str) -> str:
            command = [str(FOLDER / f"digitpad{suffix}"), *words]
            result = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=600)
            if result.returncode:
                raise SystemExit(f"digitpad {' '.join(words)}: {result.stderr.strip()}")
            return result.stdout

        print(run("--version").strip())
        answer = run("predict", "--strokes", str(seven), "--json")
        if '"digit": 7' not in answer:
            raise SystemExit(f"the 7 was read as {answer}")
        run("train", "--recipe", "quick", "--set", "training.epochs=1", "--out", str(trained))
        print(run("evaluate", str(trained)).strip())
        print(run("evaluate").strip())
        command = [str(FOLDER / f"digitpad-window{suffix}"), str(trained)]
        with subprocess.Popen(command, env=environment, cwd=folder) as window:
            time.sleep(15)
            if window.poll() is not None:
                raise SystemExit(f"the window ended with status {window.returncode}")
            window.send_signal(signal.SIGTERM)
            print(f"the window opened a network, and ended with status {window.wait(60)}")


if __name__ == "__main__":
    sys.exit(main())
