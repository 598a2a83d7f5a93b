# make perform: set up what is missing, then dance to the bundled music for 30 s.
# make test:    set up what is missing, then run the tests.

.PHONY: perform test check clean

perform:
	@scripts/setup.sh audio
	@.venv/bin/live perform --input demo --duration 30

test:
	@scripts/setup.sh audio,train,dev,midi,link
	.venv/bin/python -m pytest

# What a change must pass besides the tests.
check:
	@scripts/setup.sh audio,train,dev,midi,link
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache
