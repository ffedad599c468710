"""proofgrid: a verifiable zk-proof generation network."""

__version__ = "0.1.0"
