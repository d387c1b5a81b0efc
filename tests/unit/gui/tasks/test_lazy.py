from digitpad.gui.tasks.lazy import Lazy


def test_it_is_made_once_and_when_it_is_called_for() -> None:
    """Until then there is none, and nobody who asks for that makes one."""
    made: list[str] = []

    def make() -> str:
        made.append("it")
        return "it"

    later = Lazy(make)
    assert later.value is None
    assert not made
    assert later() == later() == later.value == "it"
    assert made == ["it"]
