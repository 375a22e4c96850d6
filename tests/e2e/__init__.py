"""End-to-end tests against a real Vendure server; see `tests/e2e/vendure.py`."""
