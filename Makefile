# make perform: set up what is missing, then dance to the bundled music for 30 s.
# make test:    set up what is missing, then run the tests.
# make soak:    an hour of dance with one core kept busy, a recorder and a window (SOAK=36 for so many seconds), then half an hour
#               of faults to a show under its watchdog (FAULTS=200, DRILLS=1800), then 100,000 mutants of each kind of
#               file that is read (FUZZ=100000; hours).

.PHONY: perform test check soak clean

SOAK ?= 3600
FAULTS ?= 200
DRILLS ?= 1800
FUZZ ?= 100000

perform:
	@scripts/setup.sh audio
	@.venv/bin/live perform --input demo --duration 30

test:
	@scripts/setup.sh audio,preview,film,monitor,ndi,train,dev,midi,link,gpu
	.venv/bin/python -m pytest

# What a change must pass besides the tests.
check:
	@scripts/setup.sh audio,preview,film,monitor,ndi,train,dev,midi,link,gpu
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

soak:
	@scripts/setup.sh audio,preview,train,dev
	.venv/bin/live bench soak --duration $(SOAK) --recorder --preview --out runs/bench
	.venv/bin/live bench drills --faults $(FAULTS) --duration $(DRILLS) --out runs/bench
	.venv/bin/python benchmarks/fuzz.py --files $(FUZZ) --out runs/bench/fuzz.json --keep runs/fuzz

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache
