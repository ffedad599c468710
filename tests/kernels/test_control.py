"""Progress and cancellation, the same for every backend."""

import pytest

from proofgrid.errors import Cancelled
from proofgrid.kernels.arrays import encode_elements, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BN254
from tests.kernels.test_quotient import records

GENERATOR = encode_points(BN254.g1, [BN254.g1_generator])
SCALARS = encode_elements(BN254.Fr, [2, 3, 4, 5])
CALLS = {
    "ntt": lambda backend, control: backend.ntt(BN254.Fr, SCALARS, control=control),
    "msm": lambda backend, control: backend.msm(BN254.g1, GENERATOR.repeat(4, axis=0), SCALARS, control=control),
    "scale": lambda backend, control: backend.scale(BN254.g1, GENERATOR[0], SCALARS, control=control),
    "scale_each": lambda backend, control: backend.scale_each(
        BN254.g1, GENERATOR.repeat(4, axis=0), SCALARS, control=control
    ),
    "quotient": lambda backend, control: backend.quotient(
        BN254.Fr, records(BN254.Fr, [(0, 1, 1, 1), (1, 1, 2, 1)]), SCALARS, 2, control=control
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_finished_call_has_made_all_its_progress(backend: Backend, name: str) -> None:
    control = Control(threads=1)
    assert control.fraction == 0.0
    result = CALLS[name](backend, control)
    assert control.fraction == 1.0
    assert (result == CALLS[name](backend, None)).all()


@pytest.mark.parametrize("name", CALLS)
def test_a_cancelled_call_stops(backend: Backend, name: str) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        CALLS[name](backend, control)


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
def test_the_number_of_threads_changes_nothing(native: Backend, threads: int) -> None:
    control = Control(threads=threads)
    bases, scalars = GENERATOR.repeat(300, axis=0), SCALARS.repeat(75, axis=0)
    expected = native.msm(BN254.g1, bases, scalars)
    assert (native.msm(BN254.g1, bases, scalars, control=control) == expected).all()
    values = SCALARS.repeat(1024, axis=0)
    assert (native.ntt(BN254.Fr, values, control=control) == native.ntt(BN254.Fr, values)).all()


def test_a_part_counts_for_its_share() -> None:
    control = Control(threads=3)
    control.expect(10)
    with control.share(4) as part:
        assert part.threads == 3
        part.expect(2)
        part.step()
        assert control.fraction == pytest.approx(0.2)
    assert control.fraction == pytest.approx(0.4)
    with control.share(6):
        assert control.fraction == pytest.approx(0.4)
    assert control.fraction == 1.0


def test_a_cancel_reaches_the_part() -> None:
    control = Control()
    control.expect(1)
    with pytest.raises(Cancelled), control.share(1) as part:  # noqa: PT012  # the cancel comes from inside
        control.cancel()
        part.check()
    with pytest.raises(Cancelled), control.share(1):
        pytest.fail("a part began after the cancel")
