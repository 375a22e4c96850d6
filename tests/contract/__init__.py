"""One suite for every shop kind: claims in `suite` and `bad_days`, the kinds in `test_contract`."""

import pytest

for _module in ("suite", "bad_days", "catalogue_suite", "world"):  # their assertions are to say what they compared
    pytest.register_assert_rewrite(f"tests.contract.{_module}")
