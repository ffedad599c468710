"""Both clients against a real gateway: the same journey, the same refusals."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from proofgrid.client import AsyncClient, Circuit, Client, Fulfilled
from proofgrid.errors import Conflict, InvalidProof, MalformedInput, NotFound, QueueError
from proofgrid.models import Fulfilment, Submission
from proofgrid.network.database import AttemptRow, LeafRow
from proofgrid.network.verify import load_submission
from proofgrid.verifier.keys import load_verifying_key
from tests.client.service import Service
from tests.network.world import BN254, VECTORS, true_submission

ZKEY, WASM, WTNS = BN254 / "steps.zkey", BN254 / "steps.wasm", BN254 / "steps.wtns"
WTNS_BLS = VECTORS / "bls12_381" / "steps.wtns"
PUBLIC = tuple(int(value) for value in json.loads((BN254 / "public.json").read_text()))
TIMEOUT_S = 60


def require_whole(done: Fulfilled) -> None:
    assert done.public_inputs == PUBLIC
    assert done.status.fulfilment is Fulfilment.FULFILLED
    assert done.receipt.leaf.request_id.hex() == done.request_id
    assert (done.chain_id, done.is_current_chain, done.on_chain) == ("chain-1", True, False)


def test_the_journey(service: Service) -> None:
    with Client(service.url) as client:
        circuit = client.register(zkey=ZKEY, wasm=WASM)
        handle = client.prove(circuit, inputs=VECTORS / "steps.json")
        assert handle.status().fulfilment is Fulfilment.REQUESTED
        worker = service.work_soon()
        require_whole(handle.wait(TIMEOUT_S))
        worker.join()


def test_the_journey_on_an_event_loop(service: Service) -> None:
    async def journey() -> Fulfilled:
        async with AsyncClient(service.url) as client:
            circuit = await client.register(zkey=ZKEY, wasm=WASM)
            inputs = json.loads((VECTORS / "steps.json").read_text())
            handle = await client.prove(circuit, inputs=inputs)
            assert (await handle.status()).fulfilment is Fulfilment.REQUESTED
            working = asyncio.create_task(asyncio.to_thread(service.work))
            done = await handle.wait(TIMEOUT_S)
            await working
            return done

    require_whole(asyncio.run(journey()))


def test_the_two_clients_offer_the_same() -> None:
    import inspect

    for ours, theirs in ((Client, AsyncClient),):
        names = {name for name in dir(ours) if not name.startswith("_")}
        assert names == {name for name in dir(theirs) if not name.startswith("_")}
        for name in names - {"handle"}:
            a, b = (inspect.signature(getattr(kind, name)) for kind in (ours, theirs))
            assert list(a.parameters) == list(b.parameters), name


def test_a_witness_is_checked_against_what_comes_back(service: Service) -> None:
    with Client(service.url) as client:
        circuit = client.register(zkey=ZKEY)
        handle = client.prove(circuit, witness=WTNS)
        assert handle.ticket.expected_public_inputs == tuple(map(str, PUBLIC))
        service.work()
        require_whole(handle.wait(TIMEOUT_S))


def test_a_key_is_uploaded_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []
    stream = httpx.Client.stream

    def spy(self: httpx.Client, method: str, url: Any, **options: Any) -> Any:
        sent.append((method, str(url)))
        return stream(self, method, url, **options)

    monkeypatch.setattr(httpx.Client, "stream", spy)
    with Client(service.url) as client:
        client.register(zkey=ZKEY, wasm=WASM)
    assert [method for method, url in sent if "artifacts" in url] == ["HEAD", "HEAD"]  # the world has them


@pytest.mark.parametrize("client_kind", [Client, AsyncClient])
def test_no_network_says_what_to_do(client_kind: Callable[..., Any]) -> None:
    client = client_kind("http://127.0.0.1:1")
    with pytest.raises(QueueError, match="is `proofgrid up` running"):
        asyncio.run(client.network()) if client_kind is AsyncClient else client.network()


def test_an_address_that_is_none_is_refused() -> None:
    for url in ("", "127.0.0.1:8645", "ftp://x", "http://"):
        with pytest.raises(MalformedInput, match="address of a gateway"):
            Client(url)


def test_the_same_key_is_the_same_request(service: Service) -> None:
    with Client(service.url) as client:
        circuit = client.register(zkey=ZKEY)
        first, second = (client.prove(circuit, witness=WTNS, idempotency_key="mine") for _ in range(2))
        assert first.id == second.id
        with pytest.raises(Conflict):
            client.prove(circuit, witness=WTNS, idempotency_key="mine", deadline_s=5)


def test_a_post_whose_answer_was_lost_is_one_request(service: Service) -> None:
    class Losing(httpx.HTTPTransport):
        """Delivers the first request, and loses the answer."""

        lost = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            reply = super().handle_request(request)
            if request.url.path == "/v1/requests" and not self.lost:
                reply.read()
                reply.close()
                self.lost += 1
                raise httpx.ReadError("the line went dead", request=request)
            return reply

    transport = Losing()
    with Client(service.url, transport=transport) as client:
        client.prove(client.register(zkey=ZKEY), witness=WTNS)
    assert transport.lost == 1
    assert service.world.dispatch() == 1


def test_cancelling(service: Service) -> None:
    with Client(service.url) as client:
        handle = client.prove(client.register(zkey=ZKEY), witness=WTNS)
        assert handle.cancel().fulfilment is Fulfilment.CANCELLED
        assert handle.cancel().fulfilment is Fulfilment.CANCELLED


def test_another_process_can_wait(service: Service) -> None:
    with Client(service.url) as client:
        handle = client.prove(client.register(zkey=ZKEY), witness=WTNS)
        service.work()
        key = load_verifying_key(BN254 / "verification_key.json")
        circuit = client.circuit(handle.ticket.circuit.id, verifying_key=key)
        require_whole(client.handle(handle.id, circuit).wait(TIMEOUT_S))
        with pytest.raises(NotFound):
            client.circuit("0" * 64)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"inputs": {}, "witness": b""}, {"inputs": {}}, {"witness": b"x"}, {"witness": WTNS_BLS}],
    ids=["neither", "both", "no wasm", "not a witness", "of another curve"],
)
def test_what_cannot_be_proved_is_refused_here(service: Service, arguments: dict[str, Any]) -> None:
    with Client(service.url) as client:
        circuit = client.register(zkey=ZKEY)
        with pytest.raises(MalformedInput):
            client.prove(circuit, **arguments)


# A network that lies


def fulfilled(service: Service, client: Client) -> tuple[Circuit, str]:
    circuit = client.register(zkey=ZKEY)
    handle = client.prove(circuit, witness=WTNS)
    service.work()
    return circuit, handle.id


def swap_proof(service: Service, request_id: str) -> None:
    """The network hands out another, equally true proof than the one it has committed to."""
    world = service.world
    with world.database.writing() as session:
        attempt = session.scalars(select(AttemptRow).where(AttemptRow.request_id == request_id)).one()
        attempt.result_digest = world.store.put(true_submission().model_dump_json().encode())


def swap_inputs(service: Service, request_id: str) -> None:
    world = service.world
    with world.database.writing() as session:
        attempt = session.scalars(select(AttemptRow).where(AttemptRow.request_id == request_id)).one()
        assert attempt.result_digest is not None
        submission = load_submission(world.store, attempt.result_digest, world.config)
        false = Submission(proof=submission.proof, public_inputs=("1", "2"))
        attempt.result_digest = world.store.put(false.model_dump_json().encode())


def swap_root(service: Service, request_id: str) -> None:
    with service.world.database.writing() as session:
        leaf = session.get_one(LeafRow, request_id)
        assert leaf.receipt is not None
        leaf.receipt = json.dumps({**json.loads(leaf.receipt), "root": "00" * 32})


def swap_request(service: Service, request_id: str) -> None:
    with service.world.database.writing() as session:
        leaf = session.get_one(LeafRow, request_id)
        assert leaf.receipt is not None
        document = json.loads(leaf.receipt)
        document["leaf"]["request_id"] = "00" * 32
        leaf.receipt = json.dumps(document)


@pytest.mark.parametrize("lie", [swap_proof, swap_inputs, swap_root, swap_request])
def test_a_lie_is_never_handed_out(service: Service, lie: Callable[[Service, str], None]) -> None:
    with Client(service.url) as client:
        circuit, request_id = fulfilled(service, client)
        lie(service, request_id)
        with pytest.raises(InvalidProof):
            client.handle(request_id, circuit).wait(TIMEOUT_S)


def test_a_key_of_ones_own_is_believed_over_the_networks(service: Service, tmp_path: Path) -> None:
    other = json.loads((BN254 / "verification_key.json").read_text())
    other["IC"].reverse()
    path = tmp_path / "other.json"
    path.write_text(json.dumps(other))
    with Client(service.url) as client, pytest.raises(InvalidProof, match="another verifying key"):
        client.circuit(service.world.circuit.id, verifying_key=load_verifying_key(path))
