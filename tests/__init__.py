"""Why we believe it: unit, contract, scenario, crash, bench, e2e."""
