"""Many sequences, drawn by Hypothesis, which shortens one that goes wrong to what is needed for it."""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from tests.settlement.model.machine import WORD_SIZE, Machine, Tally


def campaign(
    machine: Machine,
    sequences: int,
    steps: int,
    *,
    number: int = 0,
    shrink: bool = True,
    after_each: Callable[[Tally], None] | None = None,
) -> None:
    """Plays ``sequences`` of at most ``steps`` steps, always the same ones for one ``number``. Raises Disagreement."""

    @seed(number)
    @settings(
        max_examples=sequences,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,  # the words say nothing to a reader, the Disagreement all
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.binary(min_size=WORD_SIZE, max_size=WORD_SIZE), min_size=steps * 3 // 4, max_size=steps))
    def play(words: list[bytes]) -> None:
        machine.run(words)
        if after_each is not None:
            after_each(machine.tally)

    play()
