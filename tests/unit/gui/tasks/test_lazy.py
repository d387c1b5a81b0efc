from digitpad.gui.tasks.lazy import Lazy


def test_object_is_made_by_the_first_call() -> None:
    """The object is made by the first call, and not by asking for `value`."""
    made: list[str] = []

    def make() -> str:
        made.append("it")
        return "it"

    later = Lazy(make)
    assert later.value is None
    assert not made
    assert later() == later() == later.value == "it"
    assert made == ["it"]
