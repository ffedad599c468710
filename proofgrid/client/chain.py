"""A receipt's root, read from the chain itself: one JSON-RPC call, no Solana library."""

import base64
import json

from proofgrid.client.effects import MAX_REPLY_BYTES, Call, Flow, Reply
from proofgrid.documents import parse_json
from proofgrid.errors import ChainUnavailable, InvalidProof, MalformedInput
from proofgrid.settlement.accounts import BatchAccount
from proofgrid.settlement.layout.batches import LEAF_VOID
from proofgrid.verifier.receipts import Receipt


def require_on_chain(receipt: Receipt, rpc_url: str) -> Flow[None]:
    """Return if the batch account belongs to the program, holds the root under its number, and the leaf is not void.

    Raises :class:`InvalidProof` if the chain says otherwise, :class:`ChainUnavailable` if it says nothing. Which
    program and which committer to trust is the caller's to compare.
    """
    options = {"encoding": "base64", "commitment": "confirmed"}
    question = {"jsonrpc": "2.0", "id": 1, "method": "getAccountInfo", "params": [receipt.batch_address, options]}
    reply: Reply = yield Call("POST", rpc_url, json.dumps(question).encode())
    if reply.trouble is not None or reply.status != 200:
        raise ChainUnavailable(f"the RPC endpoint does not answer: {reply.trouble or reply.status}")
    account = _account(reply.body)
    if account is None:
        raise InvalidProof(f"the chain at this endpoint has no batch account {receipt.batch_address}")
    owner, data = account
    if owner != receipt.program_id:
        raise InvalidProof(f"{receipt.batch_address} belongs to {owner}, not to the receipt's program")
    batch = BatchAccount.decode(data)
    if (batch.root, batch.number, batch.leaf_count) != (receipt.root, receipt.batch, receipt.n_leaves):
        raise InvalidProof(f"the chain holds another batch at {receipt.batch_address} than the receipt says")
    if batch.state(receipt.index) == LEAF_VOID:
        raise InvalidProof(
            f"leaf {receipt.index} of batch {receipt.batch} is void: it was shown to be false, or not shown"
        )


def _account(body: bytes) -> tuple[str, bytes] | None:
    """Owner and data, or None where there is no account."""
    try:
        answer = parse_json(body, "the RPC endpoint's answer", limit=MAX_REPLY_BYTES)
        if "error" in answer:
            raise ChainUnavailable(f"the RPC endpoint refuses: {str(answer['error'])[:200]}")
        value = answer["result"]["value"]
        return None if value is None else (str(value["owner"]), base64.b64decode(value["data"][0], validate=True))
    except (MalformedInput, ValueError, KeyError, TypeError, IndexError) as error:
        raise MalformedInput("what answered at the RPC endpoint is not Solana's JSON-RPC") from error
