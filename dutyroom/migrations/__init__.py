"""The ledger's schema, step by step; Alembic runs these when a ledger is opened."""
