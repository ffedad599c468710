"""The files of the circom ecosystem: ``.r1cs``, ``.wtns`` and Groth16 ``.zkey``.

    binfile    the container that the three share: magic, version, numbered sections
    zkey       proving keys (memory-mapped)            wtns       witnesses (memory-mapped)
    r1cs       constraint systems                      matrices   sparse matrices over Fr and what they say

Readers take a path or bytes and answer with frozen dataclasses of read-only numpy arrays, or raise
:class:`~proofgrid.errors.MalformedInput`. Writers stream into a temporary file and rename it. The byte layouts
are described in ``docs/formats.md``.
"""
