"""What may be done with batches and their leaves."""

from collections.abc import Iterator

from proofgrid.settlement.forms import Instruction
from proofgrid.settlement.layout.batches import (
    ANSWER_LEAF,
    CHALLENGE_LEAF,
    CLAIM_LEAF,
    COMMIT_BATCH,
    DEMAND_LEAF,
    LEAF_UNPAID,
    LEAF_VOID,
    MAX_LEAVES,
    RELEASE_BATCH,
    VOID_LEAF,
    ZERO_ROOT,
)
from proofgrid.settlement.layout.requests import ASSIGNED, DEMANDED, OPEN
from tests.settlement.batches import Entry
from tests.settlement.model.asking import specimen_of
from tests.settlement.model.cast import CAST
from tests.settlement.model.ledger import MOST
from tests.settlement.model.play import Play
from tests.settlement.model.proofs import FALSE, TRUE, digest_of
from tests.settlement.model.records import NOBODY, Batch, Demand, Request
from tests.settlement.model.scene import Contents, Reader, Scene, able_provers, unpaid


def _entries(scene: Scene, read: Reader, committer: bytes) -> list[Entry]:
    """A leaf for most of the requests that wait for one, or will; with true and false ones beside them."""
    entries = []
    for address, request in scene.ledger.all(Request):
        if request.state in (ASSIGNED, DEMANDED) and not read.seldom(6):
            price = request.price + read.mostly(0, 1)
            entries.append(Entry(specimen_of(request).given, address, request.prover, price, request.key))
        elif request.state == OPEN:
            entries.append(Entry(specimen_of(request).given, address, committer, request.cap, request.key))
    if entries and read.seldom(6):
        entries.append(entries[0])
    for _ in range(read.below(3) + (not entries)):
        one = read.pick((*FALSE, *TRUE))
        entries.append(Entry(one.given, bytes(32), CAST.stranger, 5, one.key))
    return entries


def commit_batch(scene: Scene, read: Reader) -> Play | None:
    address, prover = read.pick(able_provers(scene, read))
    contents = Contents(_entries(scene, read, address))
    bond = scene.ledger.network.rules.leaf_bond
    count, root = len(contents.entries), contents.tree.root
    if read.seldom(8):  # of leaves that nobody knows
        count = read.pick(
            (3, max(0, prover.free) // bond, max(0, prover.free) // bond + 1, 0, MAX_LEAVES, MAX_LEAVES + 1)
        )
        root = read.pick((b"\1" * 32, b"\2" * 32, ZERO_ROOT))
    else:
        scene.contents[root] = contents
    number = min(MOST, max(0, prover.next_number + read.mostly(0, 1, -1)))
    seeds = (b"batch", address, number.to_bytes(8, "little"))
    canonical, other = scene.ledger.find(*seeds), read.below(256)
    batch, bump = read.mostly(canonical, (scene.ledger.derive(other, *seeds) or canonical[0], other))
    arguments = {
        "batch_bump": bump,
        "leaf_count": count,
        "number": number,
        "prev_root": prover.latest_root if not read.seldom(12) else root,
        "root": root,
    }
    return scene.play(COMMIT_BATCH, {"signer": prover.signer, "prover": address, "batch": batch}, arguments)


def _shown(scene: Scene, instruction: Instruction, contents: Contents, leaf: int, places: dict[str, bytes]) -> Play:
    entry = contents.entries[leaf % len(contents.entries)]
    inputs = [value.to_bytes(32, "big") for value in entry.given.inputs]
    arguments = {
        "n_inputs": len(inputs),
        "leaf": leaf,
        "price": entry.price,
        "request": entry.request,
        "prover": entry.prover,
        "proof": entry.given.proof,
    }
    path = contents.tree.path(leaf % len(contents.entries))
    key = scene.place(b"key", entry.key_digest)
    return scene.play(instruction, places | {"key": key}, arguments, tail=b"".join((*inputs, *path)))


def challenge_leaf(scene: Scene, read: Reader) -> Play | None:
    now_s = scene.ledger.now_s

    def is_open(batch: Batch) -> bool:
        return batch.root in scene.contents and now_s <= batch.challenge_until_s and bool(_lies(scene, batch))

    found = scene.target(read, Batch, is_open)
    if found is None or found[1].root not in scene.contents:
        return None
    address, batch = found
    contents, lies = scene.contents[batch.root], _lies(scene, batch)
    leaf = read.pick(lies) if lies and not read.seldom(4) else read.below(len(contents.entries) + 1)
    challenger = read.pick((CAST.purse(CAST.stranger), CAST.purse(CAST.owners[0])))
    places = {"committer": batch.committer, "batch": address, "reward": challenger}
    return _shown(scene, CHALLENGE_LEAF, contents, leaf, places)


def _lies(scene: Scene, batch: Batch) -> list[int]:
    entries, false = scene.contents[batch.root].entries, {(one.given.inputs, one.given.proof) for one in FALSE}
    return [leaf for leaf in unpaid(batch) if (entries[leaf].given.inputs, entries[leaf].given.proof) in false]


def demand_leaf(scene: Scene, read: Reader) -> Play | None:
    now_s = scene.ledger.now_s
    found = scene.target(read, Batch, lambda batch: now_s <= batch.challenge_until_s and bool(unpaid(batch)))
    if found is None:
        return commit_batch(scene, read)
    address, batch = found
    leaf = read.pick(unpaid(batch) or [0]) if not read.seldom(6) else read.pick((0, batch.leaf_count, 2**32 - 1))
    demander = read.pick((CAST.stranger, CAST.requesters[0], CAST.stakers[1]))
    places = {
        "demander": demander,
        "batch": address,
        "demand": scene.place(b"demand", address, leaf.to_bytes(4, "little")),
        "source": CAST.purse(demander),
    }
    return scene.play(DEMAND_LEAF, places, {"leaf": leaf})


def _demand(scene: Scene, demand: Demand) -> dict[str, bytes]:
    batch = scene.ledger.read(demand.batch, Batch)
    return {"demander": demand.demander, "committer": batch.committer, "batch": demand.batch}


def answer_leaf(scene: Scene, read: Reader) -> Play | None:
    def is_known(demand: Demand) -> bool:
        return scene.ledger.read(demand.batch, Batch).root in scene.contents

    def is_waiting(demand: Demand) -> bool:  # for its refund
        return is_known(demand) and scene.ledger.read(demand.batch, Batch).leaves[demand.leaf] == LEAF_VOID

    found = scene.target(read, Demand, is_waiting if read.seldom(2) else is_known)
    if found is None or not is_known(found[1]):
        return None
    address, demand = found
    contents = scene.contents[scene.ledger.read(demand.batch, Batch).root]
    leaf = demand.leaf if not read.seldom(6) else read.below(len(contents.entries))
    return _shown(scene, ANSWER_LEAF, contents, leaf, _demand(scene, demand) | {"demand": address})


def void_leaf(scene: Scene, read: Reader) -> Play | None:
    found = scene.target(read, Demand, lambda demand: scene.ledger.now_s > demand.answer_until_s)
    if found is None:
        return None
    address, demand = found
    return scene.play(VOID_LEAF, _demand(scene, demand) | {"demand": address, "refund_to": demand.refund_to})


def _claims(scene: Scene) -> Iterator[tuple[bytes, int, bytes]]:
    """Leaves of batches that speak of a request: the batch, the leaf, the request."""
    for address, batch in scene.ledger.all(Batch):
        if batch.root in scene.contents:
            for leaf, entry in enumerate(scene.contents[batch.root].entries):
                if isinstance(scene.ledger.records.get(entry.request), Request):
                    yield address, leaf, entry.request


def claim_leaf(scene: Scene, read: Reader) -> Play | None:
    ledger = scene.ledger

    def is_ripe(batch_at: bytes, leaf: int, request_at: bytes) -> bool:
        batch, request = ledger.read(batch_at, Batch), ledger.read(request_at, Request)
        return (
            ledger.now_s > batch.challenge_until_s and request.state == ASSIGNED and batch.leaves[leaf] == LEAF_UNPAID
        )

    claims = list(_claims(scene))
    ripe = [claim for claim in claims if is_ripe(*claim)]
    if not claims:
        return None
    batch_at, leaf, request_at = read.pick(ripe) if ripe and not read.seldom(4) else read.pick(claims)
    batch, request = ledger.read(batch_at, Batch), ledger.read(request_at, Request)
    contents = scene.contents[batch.root]
    places = {
        "prover": request.prover if request.prover != NOBODY else batch.committer,
        "request": request_at,
        "permission": scene.place(b"permission", request.key),
        "batch": batch_at,
        "refund_to": request.refund_to,
    }
    arguments = {"leaf": leaf, "proof_digest": digest_of(contents.entries[leaf].given.proof)}
    return scene.play(CLAIM_LEAF, places, arguments, tail=b"".join(contents.tree.path(leaf)))


def release_batch(scene: Scene, read: Reader) -> Play | None:
    found = scene.target(
        read,
        Batch,
        lambda batch: scene.ledger.now_s > batch.challenge_until_s and batch.locked > 0,
    )
    if found is None:
        return None
    return scene.play(RELEASE_BATCH, {"committer": found[1].committer, "batch": found[0]})
