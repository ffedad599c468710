"""Commands on files: setup, witness, prove, verify, inspect. Formats are circom's and snarkjs'."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from proofgrid.cli.output import Output, require_folders, run_with_progress
from proofgrid.errors import MalformedInput

if TYPE_CHECKING:
    from proofgrid.kernels.backend import Name

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Threads = Annotated[int, typer.Option(min=0, max=1024, help="Threads to use; 0 means one for each core.")]
BackendName = Annotated[str, typer.Option("--backend", help="auto, cuda, native or reference.")]
InputFile = typer.Argument(exists=True, dir_okay=False, readable=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``app``."""
    app.command()(setup)
    app.command()(witness)
    app.command()(prove)
    app.command()(cache)
    app.command()(verify)
    app.command()(inspect)


def setup(
    r1cs: Annotated[Path, InputFile],
    zkey: Annotated[Path, typer.Option("--zkey", "-o", help="Proving key to write.")] = Path("circuit.zkey"),
    verifying_key: Annotated[
        Path, typer.Option("--verifying-key", "-k", help="Verifying key to write, as snarkjs exports it.")
    ] = Path("verification_key.json"),
    threads: Threads = 0,
    backend: BackendName = "auto",
    as_json: AsJson = False,
) -> None:
    """Make a Groth16 key for a circuit (.r1cs): for DEVELOPMENT only.

    A single-party setup: the process that runs it knows the trapdoor and could forge proofs for this key.
    Use the .zkey of a multi-party ceremony in production; every other command takes it as it is.
    """
    from proofgrid.kernels.backend import select
    from proofgrid.prover.formats.r1cs import read_r1cs
    from proofgrid.prover.formats.zkey import read_zkey
    from proofgrid.prover.groth16.keys import verifying_key as key_of
    from proofgrid.prover.groth16.setup import WARNING
    from proofgrid.prover.groth16.setup import setup as run_setup
    from proofgrid.verifier.keys import dump_verifying_key

    out = Output(as_json)
    chosen = select(cast("Name", backend))
    require_folders(zkey, verifying_key)
    circuit = read_r1cs(r1cs)
    out.note(f"warning: {WARNING}")
    n_constraints = circuit.n_constraints
    _, seconds = run_with_progress(
        f"setup of {n_constraints:,} constraints",
        lambda control: run_setup(circuit, zkey, backend=chosen, control=control),
        threads=threads,
    )
    exported = key_of(read_zkey(zkey), backend=chosen)
    dump_verifying_key(exported, verifying_key)
    facts = {
        "zkey": str(zkey),
        "verifying_key": str(verifying_key),
        "digest": exported.digest().hex(),
        "constraints": n_constraints,
        "seconds": round(seconds, 3),
    }
    out.result(facts, f"{zkey} and {verifying_key} in {seconds:.1f} s ({n_constraints:,} constraints)")


def witness(
    wasm: Annotated[Path, InputFile],
    inputs: Annotated[Path, InputFile],
    output: Annotated[Path, typer.Option("--output", "-o", help="Witness to write.")] = Path("witness.wtns"),
    as_json: AsJson = False,
) -> None:
    """Calculate a witness (.wtns) from a circuit's .wasm and JSON inputs."""
    from proofgrid.prover.formats.wtns import write_wtns
    from proofgrid.prover.witness import calculate_witness, describe, load_inputs

    out = Output(as_json)
    require_folders(output)
    start = time.perf_counter()
    values = calculate_witness(wasm, load_inputs(inputs), on_log=out.note)
    write_wtns(output, describe(wasm).curve, values)
    seconds = time.perf_counter() - start
    facts = {"witness": str(output), "signals": len(values), "seconds": round(seconds, 3)}
    out.result(facts, f"{output}: {len(values):,} signals in {seconds:.2f} s")


def prove(
    zkey: Annotated[Path, InputFile],
    witness: Annotated[Path, InputFile],
    proof: Annotated[Path, typer.Option("--proof", "-p", help="Proof to write.")] = Path("proof.json"),
    public: Annotated[Path, typer.Option("--public", "-u", help="Public inputs to write.")] = Path("public.json"),
    check: Annotated[bool, typer.Option(help="Verify the proof before writing it.")] = True,
    cache: Annotated[
        bool, typer.Option(help="Keep the prepared key for the next proof; see `proofgrid cache`.")
    ] = True,
    threads: Threads = 0,
    backend: BackendName = "auto",
    as_json: AsJson = False,
) -> None:
    """Prove: a proving key (.zkey) and a witness (.wtns) to proof.json and public.json, as snarkjs reads them."""
    from proofgrid.kernels.backend import select
    from proofgrid.prover.formats.wtns import read_wtns
    from proofgrid.prover.formats.zkey import read_zkey
    from proofgrid.prover.groth16.key_cache import open_prepared
    from proofgrid.prover.groth16.keys import require_true, verifying_key
    from proofgrid.prover.groth16.prepared import prepare_key
    from proofgrid.prover.groth16.prove import prove as run_prove
    from proofgrid.verifier.keys import dump_proof, dump_public_inputs

    out = Output(as_json)
    chosen = select(cast("Name", backend))
    require_folders(proof, public)
    key, values = read_zkey(zkey), read_wtns(witness)
    if values.curve != key.curve:
        raise MalformedInput(f"{witness} is of {values.curve.name}, {zkey} of {key.curve.name}")
    trusted = verifying_key(key, backend=chosen)  # refuses a key whose proofs could be forged or would not hide
    prepared, preparation_seconds = run_with_progress(
        "preparing the key",
        lambda control: (
            open_prepared(zkey, key, backend=chosen, control=control)
            if cache
            else prepare_key(key, backend=chosen, control=control)
        ),
        threads=threads,
    )
    phases: dict[str, float] = {}
    (made, public_inputs), seconds = run_with_progress(
        f"proof over 2^{key.log_domain}",
        lambda control: run_prove(
            prepared,
            values.values,
            backend=chosen,
            control=control,
            on_phase=lambda name, phase_seconds: phases.update({name: round(phase_seconds, 6)}),
        ),
        threads=threads,
    )
    if check:
        require_true(trusted, public_inputs, made, backend=chosen)
    dump_proof(made, proof)
    dump_public_inputs(public_inputs, public)
    facts = {
        "proof": str(proof),
        "public": str(public),
        "public_inputs": [str(value) for value in public_inputs],
        "backend": chosen.name,
        "isa": chosen.isa,
        "checked": check,
        "preparation_seconds": round(preparation_seconds, 3),
        "seconds": round(seconds, 3),
        "phase_seconds": phases,
    }
    checked = "verified" if check else "not verified"
    out.result(facts, f"{proof} and {public} in {seconds:.2f} s on {chosen.name} ({chosen.isa}), {checked}")


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Forget the prepared keys.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say where proving keys lie prepared for this machine's kernels, and how large they are; or forget them."""
    from proofgrid.prover.groth16.key_cache import KeyCache, default_folder

    kept = KeyCache(default_folder())
    keys, n_bytes = kept.clear() if clear else kept.size()
    facts = {"folder": str(kept.folder), "keys": keys, "bytes": n_bytes, "cleared": clear}
    what = "forgotten" if clear else "kept"
    Output(as_json).result(facts, f"{kept.folder}: {keys} prepared keys {what}, {n_bytes / 1e6:,.1f} MB")


def verify(
    verifying_key: Annotated[Path, InputFile],
    public: Annotated[Path, InputFile],
    proof: Annotated[Path, InputFile],
    backend: BackendName = "auto",
    as_json: AsJson = False,
) -> None:
    """Verify proof.json for public.json under verification_key.json (snarkjs' order). Exit 0: true, 1: false."""
    from proofgrid.kernels.backend import select
    from proofgrid.verifier.groth16 import verify as run_verify
    from proofgrid.verifier.keys import load_proof, load_public_inputs, load_verifying_key

    chosen = select(cast("Name", backend))
    key = load_verifying_key(verifying_key, backend=chosen)
    public_inputs, loaded = load_public_inputs(public), load_proof(proof)
    start = time.perf_counter()
    run_verify(key, public_inputs, loaded, backend=chosen)
    milliseconds = 1000 * (time.perf_counter() - start)
    facts = {"valid": True, "verifying_key_digest": key.digest().hex(), "milliseconds": round(milliseconds, 3)}
    Output(as_json).result(facts, f"valid: the proof is true for this key and these inputs ({milliseconds:.1f} ms)")


def inspect(file: Annotated[Path, InputFile], as_json: AsJson = False) -> None:
    """Say what a file is: .r1cs, .wtns, .zkey, .wasm, or the JSON of a key, a proof, public inputs, a receipt."""
    from proofgrid.cli.inspection import describe

    facts = describe(file)
    width = max(map(len, facts))
    text = "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())
    Output(as_json).result(facts, text)
