"""What the program's instructions cost, measured: compute units and bytes of a transaction, in both feature sets.

``python -m tests.settlement.costs`` prints docs/costs.md (``make program-costs`` writes it), ``--json`` the rows.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from examples.consumer.client import Escrow
from proofgrid.settlement.evidence import split
from proofgrid.settlement.instructions import batches, keys, requests
from proofgrid.settlement.instructions.requests import Terms
from proofgrid.settlement.program import build
from proofgrid.settlement.receipts import encode_compact
from proofgrid.settlement.transactions import PACKET_SIZE, size_of
from proofgrid.verifier.receipts import Receipt, digest_public_inputs
from tests.settlement.batches import WINDOW_S, Batch, Entry, claim, demand
from tests.settlement.chains import FEATURES, Chain
from tests.settlement.instances import Instance, instance
from tests.settlement.jobs import PRICE, Job
from tests.settlement.network import Network, Person

LEAVES = 1_024
UNITS = 1_400_000
CONSUMER = Path(__file__).parents[2] / "examples" / "consumer" / "consumer.c"
CALLBACK = Path(__file__).parent / "programs" / "callback.c"


@dataclass(frozen=True)
class Cost:
    """One row: ``bytes`` and ``transactions`` are of everything that has to be sent, ``units`` of the costliest."""

    what: str
    units: int
    bytes: int
    transactions: int = 1


class Meter:
    """Sends and notes what it cost."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.rows: list[Cost] = []

    def send(self, what: str, *batch: Instruction, signers: Sequence[Keypair] = ()) -> None:
        """One transaction."""
        result = self.chain.send(*batch, signers=signers, compute_units=UNITS)
        self.rows.append(Cost(what, result.compute_units_consumed(), self._size(batch)))

    def show(self, what: str, instruction: Instruction) -> None:
        """An instruction with its evidence, in as many transactions as it takes."""
        if self._size([instruction]) <= PACKET_SIZE:
            self.send(what, instruction)
            return
        parts = split(self.chain.program_id, self.chain.payer.pubkey(), instruction)
        units = [self.chain.send(*one, compute_units=UNITS).compute_units_consumed() for one in parts.transactions]
        total = sum(self._size(one) for one in parts.transactions)
        self.rows.append(Cost(what, max(units), total, len(parts.transactions)))

    def _size(self, batch: Sequence[Instruction]) -> int:
        return size_of([set_compute_unit_limit(UNITS), *batch], self.chain.payer.pubkey())


def measure(features: str) -> list[Cost]:
    """All rows under one feature set. About 5 s."""
    meter = Meter(Chain.under(features))
    network = Network.on(meter.chain)
    for given in map(instance, (1, 4, 16, 64)):
        authority = meter.chain.payer.pubkey()
        meter.chain.upload(given)
        finalize = keys.finalize_key(meter.chain.program_id, authority, given.digest)
        meter.send(f"finalize_key, {_inputs(given)}", finalize)
        verify = keys.verify_groth16(meter.chain.program_id, given.digest, given.inputs, given.proof)
        meter.show(f"verify_groth16, {_inputs(given)}", verify)
    committer = network.committer(40, 10**6)
    _requests(meter, network)
    _leaves(meter, network, committer)
    _claims(meter, network, committer)
    return meter.rows


def _inputs(given: Instance) -> str:
    return f"{len(given.inputs)} inputs" if len(given.inputs) > 1 else "1 input"


def _job(network: Network, given: Instance, seed: int) -> Job:
    now = network.chain.svm.get_clock().unix_timestamp
    prover = network.prover(seed, 10**6)
    network.chain.svm.airdrop(prover.hot.pubkey(), 10**9)
    assigner, requester = network.chain.fund(seed + 20), network.person(seed + 40, 10_000)
    terms = Terms(
        key_digest=given.digest,
        inputs=given.inputs,
        cap=PRICE + 200,
        pay_until_s=now + 100,
        expire_s=now + 150,
        assigner=assigner.pubkey(),
    )
    return Job(network, given, requester, prover, assigner, terms)


def _requests(meter: Meter, network: Network) -> None:
    told, counter = Pubkey.new_unique(), Pubkey.new_unique()
    meter.chain.svm.add_program(told, build.build_other(CALLBACK))
    meter.chain.forge(counter, bytes(2), told)
    job = _job(network, instance(1), 20)
    job.terms = replace(job.terms, callback_program=told)
    meter.send("open_request", job.open(), signers=[job.requester.keypair])
    meter.send("assign_request", job.assign(), signers=[job.assigner, job.prover.hot])
    meter.show("fulfil_request, 1 input", job.fulfil())
    metas = [AccountMeta(counter, is_signer=False, is_writable=True)]
    meter.send("call_back", requests.call_back(meter.chain.program_id, job.address, told, metas))
    meter.send("close_request", job.close())
    meter.show("fulfil_request, 4 inputs", _job(network, instance(4), 21).assigned().fulfil())
    wide = _job(network, instance(64), 22).assigned()
    meter.send("demand_reveal", wide.demand(), signers=[wide.requester.keypair])
    meter.show("fulfil_request, 64 inputs", wide.fulfil())
    wide.nonce += 1
    wide.assigned()
    network.pass_time(100_000)
    meter.send("slash_missed", wide.slash())


def _leaves(meter: Meter, network: Network, committer: Person) -> None:
    program_id, demander = meter.chain.program_id, network.person(41, 1_000)
    for given in map(instance, (1, 4, 16, 64)):
        lie = given.with_points(c=given.a)
        entries = [Entry(one, b"r" * 32, b"p" * 32, key=given.digest) for one in [lie, *[given] * (LEAVES - 1)]]
        batch = Batch(network, committer, entries)
        if len(given.inputs) == 1:
            meter.send("commit_batch", batch.commit(), signers=[committer.hot])
        else:
            batch.committed()
        places = (program_id, batch.address, committer.prover)
        meter.show(
            f"challenge_leaf, {_inputs(given)}", batches.challenge_leaf(*places, batch.shown(0), demander.tokens)
        )
        ask = demand(batch, 1, demander)
        if len(given.inputs) == 1:
            meter.send("demand_leaf", ask, signers=[demander.keypair])
        else:
            meter.chain.send(ask, signers=[demander.keypair])
        meter.show(f"answer_leaf, {_inputs(given)}", batches.answer_leaf(*places, batch.shown(1), demander.key))
    meter.chain.send(demand(batch, 2, demander), signers=[demander.keypair])
    network.pass_time(WINDOW_S + 1)
    void = batches.void_leaf(*places, 2, demander=demander.key, refund_to=demander.tokens)
    meter.send("void_leaf", void)
    meter.send("release_batch", batches.release_batch(program_id, batch.address, committer.prover))


def _claims(meter: Meter, network: Network, committer: Person) -> None:
    job = _job(network, instance(1), 30).assigned()
    filling = Entry(instance(1), b"x" * 32, b"p" * 32)
    entry = Entry(job.given, bytes(job.address), bytes(job.prover.prover), PRICE)
    batch = Batch(network, committer, [entry, *[filling] * (LEAVES - 1)]).committed()
    network.pass_time(WINDOW_S + 1)
    meter.send("claim_leaf", claim(job, batch))
    meter.send("verify_receipt", batch.receipt(0))
    consumer, depositor = Pubkey.new_unique(), meter.chain.payer.pubkey()
    meter.chain.svm.add_program(consumer, build.build_other(CONSUMER))
    escrow = Escrow(
        program=consumer,
        settlement=meter.chain.program_id,
        depositor=depositor,
        beneficiary=job.requester.key,
        key_digest=job.given.digest,
        inputs_digest=digest_public_inputs(job.given.inputs),
        lamports=10**9,
        refund_from_s=0,
    )
    meter.chain.send(escrow.open())
    meter.send("examples/consumer release", escrow.release(batch.receipt(0)))


def receipt_bytes() -> dict[str, int]:
    """Sizes of a receipt of a batch of 1,024, in its two forms."""
    leaf = Entry(instance(1), b"r" * 32, b"p" * 32, 10**9).leaf()
    receipt = Receipt(
        leaf=leaf,
        index=777,
        n_leaves=LEAVES,
        path=(b"s" * 32,) * 10,
        root=b"t" * 32,
        batch=12_345,
        transaction=str(Signature(b"\xff" * 64)),
        program_id=str(Pubkey(b"\xff" * 32)),
        batch_address=str(Pubkey(b"\xff" * 32)),
    )
    return {"json": len(receipt.encode_json()), "compact": len(encode_compact(receipt))}


PAGE = """\
# What the settlement program costs

Written by `make program-costs`; `tests/settlement/test_costs.py` holds the bounds. Measured on LiteSVM: the validator's
own virtual machine and prices, and the current SPL token program. Under mainnet's features and under all features the
units are the same, unless a second figure stands behind the first.

Units and bytes are those of whole transactions with a compute limit and without a priority fee, which takes 12 bytes
more. Where several transactions are sent (evidence that no packet holds: an upload, its chunks, the instruction with
the upload's closing), the bytes are all of theirs and the units those of the costliest. Batches have {leaves:,} leaves.
Instructions that search an address (`init_upload`, `finalize_key`, `open_request`, `demand_leaf` and those that open
an account for a person) cost 1,500 units for each bump that misses; all others always cost what stands here.

| instruction | compute units | bytes | transactions |
|---|---|---|---|
{rows}

A batch of {leaves:,} proofs costs {per_leaf:.1f} units a proof to commit. A receipt of it is {compact} bytes in the
compact form (`settlement/receipts.py`) and {json:,} as JSON.
"""


def page(tables: Mapping[str, Sequence[Cost]]) -> str:
    """docs/costs.md."""
    mainnet, every = tables["mainnet"], tables["all_features"]
    lines = []
    for row, twin in zip(mainnet, every, strict=True):
        units = f"{row.units:,}" if row.units == twin.units else f"{row.units:,} / {twin.units:,}"
        lines.append(f"| {row.what} | {units} | {row.bytes:,} | {row.transactions} |")
    commit = next(row.units for row in mainnet if row.what == "commit_batch")
    return PAGE.format(leaves=LEAVES, per_leaf=commit / LEAVES, rows="\n".join(lines), **receipt_bytes())


def main(arguments: Sequence[str]) -> int:
    """Print the page or the rows."""
    tables = {features: measure(features) for features in FEATURES}
    if "--json" in arguments:
        everything = {name: [asdict(row) for row in table] for name, table in tables.items()}
        sys.stdout.write(json.dumps({"costs": everything, "receipt_bytes": receipt_bytes()}, indent=1) + "\n")
    else:
        sys.stdout.write(page(tables))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
