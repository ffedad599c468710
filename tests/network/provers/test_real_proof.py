"""A prover of another operator makes a real proof: its own store and key, an envelope, signed calls over HTTP."""

import time
from pathlib import Path

from proofgrid.kernels.backend import select
from proofgrid.models import Fulfilment, InputKind
from proofgrid.network.database import LeafRow
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.sealing import FleetKey, envelop
from proofgrid.prover.worker.lease import LeaseClient
from proofgrid.prover.worker.proving import Workbench, carry_out
from proofgrid.prover.worker.signing import CallSigner
from proofgrid.verifier.receipts import Leaf
from tests.network.market.bazaar import Bazaar
from tests.network.provers.conftest import placed
from tests.network.provers.operators import Operator
from tests.network.world import BN254


def test_a_recipient_proves_what_the_coordinator_cannot_read(
    bazaar: Bazaar, operators: tuple[Operator, Operator], tmp_path: Path
) -> None:
    world, prover = bazaar.world, operators[0]
    witness = (BN254 / "steps.wtns").read_bytes()
    sealed = envelop([prover.key], world.circuit.id, InputKind.WITNESS, witness)
    request_id = placed(bazaar, sealed_digest=world.store.put(sealed.content), recipients=sealed.keys)
    (task,) = prover.work()
    leases = LeaseClient(
        str(prover.http.base_url), "w", "", signer=CallSigner(prover.signing_key, prover.audience, clock=time.time)
    )
    bench = Workbench(ArtifactStore(tmp_path / "theirs"), FleetKey(prover.signing_key), select(), leases)
    try:
        carry_out(bench, task)
    finally:
        leases.close()
    world.coordinator.run_verify(time.time())
    assert world.status(request_id).fulfilment is Fulfilment.FULFILLED
    assert world.coordinator.run_settle(time.time() + 1) == 1
    with world.database.reading() as session:
        assert Leaf.decode(session.get_one(LeafRow, request_id).data).prover.hex() == prover.key
