"""How the native kernels run: threads, the GIL, fork, cancellation, and which layer is taken."""

import multiprocessing
import threading
import time

import numpy as np
import pytest

from proofgrid.errors import BackendUnavailable, Cancelled, MalformedInput
from proofgrid.kernels import native as native_module
from proofgrid.kernels.arrays import Array, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BN254

GENERATOR = encode_points(BN254.g1, [BN254.g1_generator])[0]


def random_scalars(count: int) -> Array:
    scalars = np.random.default_rng(count).integers(0, 2**64, (count, 4), dtype=np.uint64)
    scalars[:, 3] >>= np.uint64(4)
    return scalars


@pytest.fixture
def long_msm(native: Backend) -> tuple[Array, Array]:
    """Bases and scalars of an MSM that runs for a good part of a second on one thread."""
    bases = native.scale(BN254.g1, GENERATOR, random_scalars(1 << 11))
    return np.tile(bases, (1 << 6, 1, 1)), random_scalars(1 << 17)


def test_python_runs_while_a_kernel_does(native: Backend, long_msm: tuple[Array, Array]) -> None:
    thread = threading.Thread(target=lambda: native.msm(BN254.g1, *long_msm, control=Control(threads=1)))
    thread.start()
    turns = 0
    while thread.is_alive():
        turns += 1
        time.sleep(0.001)
    assert turns > 20


def test_a_cancel_takes_effect_within_a_window(native: Backend, long_msm: tuple[Array, Array]) -> None:
    control = Control(threads=2)
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            native.msm(BN254.g1, *long_msm, control=control)
            outcome.append(None)
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while control.fraction == 0.0 and thread.is_alive():
        time.sleep(0.001)
    asked = time.perf_counter()
    control.cancel()
    thread.join()
    assert isinstance(outcome[0], Cancelled)
    assert control.fraction < 1.0
    assert time.perf_counter() - asked < 1.0


def test_progress_only_grows(native: Backend, long_msm: tuple[Array, Array]) -> None:
    control = Control(threads=1)
    thread = threading.Thread(target=lambda: native.msm(BN254.g1, *long_msm, control=control))
    thread.start()
    seen = []
    while thread.is_alive():
        seen.append(control.fraction)
        time.sleep(0.001)
    assert seen == sorted(seen)
    assert any(0.0 < fraction < 1.0 for fraction in seen)
    assert control.fraction == 1.0


def test_concurrent_calls_do_not_disturb_each_other(native: Backend) -> None:
    values = [random_scalars(1 << 12) for _ in range(4)]
    expected = [native.ntt(BN254.Fr, v) for v in values]
    results: list[Array | None] = [None] * 4

    def run(i: int) -> None:
        for _ in range(5):
            results[i] = native.ntt(BN254.Fr, values[i], control=Control(threads=2))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result, right in zip(results, expected, strict=True):
        assert result is not None
        assert (result == right).all()


def _ntt_in_child(values: Array, expected: Array) -> None:
    raise SystemExit(0 if (native_module.load().ntt(BN254.Fr, values) == expected).all() else 1)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_computes_too() -> None:
    """Task queues fork after import: no thread may be expected to survive that."""
    values = random_scalars(1 << 13)
    expected = native_module.load().ntt(BN254.Fr, values)
    child = multiprocessing.get_context("fork").Process(target=_ntt_in_child, args=(values, expected))
    child.start()
    child.join(30)
    assert child.exitcode == 0


@pytest.mark.parametrize("threads", [-1, 1025, 2.0, None])
def test_a_wrong_number_of_threads_is_refused(native: Backend, threads: object) -> None:
    control = Control()
    control.threads = threads  # type: ignore[assignment]
    with pytest.raises(MalformedInput, match="threads"):
        native.ntt(BN254.Fr, random_scalars(4), control=control)


def test_an_unknown_layer_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFGRID_ISA", "abacus")
    with pytest.raises(BackendUnavailable, match=r"abacus.*portable"):
        native_module.load()


def test_a_forced_layer_is_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFGRID_ISA", "portable")
    assert native_module.load().isa == "portable"


def test_a_layer_that_the_cpu_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Layer:
        name = "adx"
        runs_here = False

    class Core:
        layers = (Layer(),)

    monkeypatch.setattr(native_module, "_import_core", lambda: Core)
    native_module._backend.cache_clear()
    monkeypatch.setenv("PROOFGRID_ISA", "adx")
    with pytest.raises(BackendUnavailable, match="this CPU lacks"):
        native_module.load()
    native_module._backend.cache_clear()
