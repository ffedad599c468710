"""What strangers send, proofs and proving keys, is looked at in processes of its own; ``cases`` has the question."""
