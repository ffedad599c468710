"""Choosing a backend: an explicit choice never falls back, and a refusal says why."""

import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels import backend as seam
from proofgrid.kernels import reference
from proofgrid.kernels.backend import Backend, select
from tests.kernels import backends


def refuse(reason: str) -> Callable[[], Backend]:
    def load() -> Backend:
        raise BackendUnavailable(reason)

    return load


def modules(monkeypatch: pytest.MonkeyPatch, **loaders: Callable[[], Backend]) -> None:
    """Stand-ins for the backends' modules; one that is not named cannot be imported."""

    def import_module(name: str) -> SimpleNamespace:
        loader = loaders.get(name.rpartition(".")[2])
        if loader is None:
            raise ImportError(f"No module named {name!r}")
        return SimpleNamespace(load=loader)

    monkeypatch.setattr(seam, "import_module", import_module)


def test_every_backend_keeps_to_the_protocol(backend: Backend) -> None:
    assert isinstance(backend, Backend)
    assert backend.name in ("reference", "native")
    assert backend.isa


def test_an_explicit_choice_gives_that_backend() -> None:
    assert select("reference").name == "reference"
    assert select("native").name == "native"


@pytest.mark.parametrize("name", ["cuda", "native", "reference"])
def test_an_explicit_choice_never_falls_back(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    working = {other: lambda: backends.named("reference") for other in ("cuda", "native", "reference") if other != name}
    modules(monkeypatch, **working, **{name: refuse("its part is missing")})
    with pytest.raises(BackendUnavailable, match="its part is missing"):
        select(name)  # type: ignore[arg-type]
    modules(monkeypatch, **working)
    with pytest.raises(BackendUnavailable, match=f"{name} backend cannot be imported"):
        select(name)  # type: ignore[arg-type]


def test_auto_takes_the_first_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = SimpleNamespace(name="native")
    modules(monkeypatch, native=lambda: chosen, reference=refuse("not asked"))
    assert select() is chosen


def test_auto_gives_every_reason_when_none_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    modules(monkeypatch, cuda=refuse("no device"), native=refuse("not built"))
    with pytest.raises(BackendUnavailable, match=r"cuda: no device; native: not built; reference: .*reference"):
        select("auto")


@pytest.mark.parametrize("name", ["", "gpu", "Native", "proofgrid.kernels.native"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(BackendUnavailable, match="choose auto, native, cuda, reference"):
        select(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("library", ["py_ecc", "galois"])
def test_the_reference_names_the_library_it_misses(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setattr(reference, "find_spec", lambda name: None if name == library else object())
    with pytest.raises(BackendUnavailable, match=rf"needs {library}: pip install"):
        reference.load()


def test_asking_for_the_seam_does_not_import_the_reference_libraries() -> None:
    program = (
        "import sys, proofgrid.kernels.backend as b; sys.exit(any(m in sys.modules for m in ('py_ecc', 'galois')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def chosen_isa(isa: str | None) -> subprocess.CompletedProcess[str]:
    program = (
        "from proofgrid.errors import BackendUnavailable\n"
        "from proofgrid.kernels.backend import select\n"
        "try: print(select('native').isa)\n"
        "except BackendUnavailable as error: print('unavailable:', error)\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PROOFGRID_ISA"}
    if isa is not None:
        environment["PROOFGRID_ISA"] = isa
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)


def test_the_environment_chooses_the_instruction_set() -> None:
    assert chosen_isa("portable").stdout.strip() == "portable"
    assert chosen_isa(None).stdout.strip() in ("portable", "adx", "ifma")
    assert "unavailable:" in chosen_isa("no-such-isa").stdout
