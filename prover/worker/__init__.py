"""The prover's Celery worker: ``python -m proofgrid.prover.worker``. Heavy imports stay in its modules."""
