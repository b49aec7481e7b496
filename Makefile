# Two commands matter: `make demo` and `make test`. Each sets up everything it needs in .venv.
.PHONY: demo test lint simulate audio-test model image image-test image-test-quick bench clean help
BOARD ?= generic-x86_64
BOARDS ?= generic-x86_64 generic-arm64
PY := .venv/bin/python

help:
	@echo "make demo    hear Homebody: a spoken tour in a simulated living room (no microphone needed)"
	@echo "make test    lint, types and all tests"
	@echo "make simulate  play all scenarios; make audio-test  against a real sound server"
	@echo "make model   train, distil and quantize the language model anew (DATA=folder with the corpora)"
	@echo "make image   build a device image and a signed update (BOARD=rpi4 for another board)"
	@echo "make image-test  start it in an emulator, speak to it, update it and break it; image-test-quick  in minutes"
	@echo "make bench   measure this machine"

demo:
	@.ci/setup sim
	@.venv/bin/homebody demo

test:
	@.ci/setup dev
	@$(MAKE) --no-print-directory lint
	@$(PY) -m pytest -n 2 --dist loadfile

lint:
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

simulate:
	@.ci/setup sim
	@.venv/bin/homebody simulate --report simulated/report.html --junit simulated/junit.xml

audio-test:
	@.ci/audio-test

model:
	@test -n "$(DATA)" || { echo "Where are the corpora? make model DATA=folder (see README)"; exit 2; }
	@.ci/setup dev
	@.venv/bin/homebody train --data-dir $(DATA) --out models/artefacts/homebody-en --golden tests/quality/golden.jsonl $(if $(KEY),--key $(KEY))

image:
	@.ci/setup dev
	@[ -e keys/update.key.pem ] || .venv/bin/homebody image keygen
	@.venv/bin/homebody image build --board $(BOARD)

image-test-quick:
	@.ci/image-test quick $(BOARD)

image-test:
	@for board in $(BOARDS); do .ci/image-test whole $$board || exit 1; done

bench:
	@.ci/setup sim
	@.venv/bin/homebody bench

clean:
	@rm -rf .venv build dist *.egg-info
