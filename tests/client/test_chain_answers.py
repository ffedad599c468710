"""What an RPC endpoint may answer, however strange."""

import pytest

from proofgrid.client.chain import _account
from proofgrid.errors import MalformedInput


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"result": 1}', b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_not_json_rpc_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedInput, match="not Solana's JSON-RPC"):
        _account(body)
