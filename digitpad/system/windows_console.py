"""Control codes in the Windows console, which versions before 2019 show as text unless they are enabled."""

import ctypes

_STD_ERROR_HANDLE = -12
_ENABLE_VIRTUAL_TERMINAL_PROCESSING = 4


def enable_control_codes() -> bool:
    """Enable control codes for standard error, and return whether the console knows them."""
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # exists on Windows alone
    handle, mode = kernel.GetStdHandle(_STD_ERROR_HANDLE), ctypes.c_ulong()
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(kernel.SetConsoleMode(handle, mode.value | _ENABLE_VIRTUAL_TERMINAL_PROCESSING))
