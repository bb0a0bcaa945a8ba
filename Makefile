# Greenroom: `make help` lists everything.
#
# A machine needs only make and python >= 3.11. The set-up is plain pip on lock files: every Python brings
# pip, and `--require-hashes` lets in nothing but the very files the lock names. The locks are made by uv
# (`make lock`), because pip alone cannot lock for other systems and Python versions than the one it runs on.

PYTHON ?=
ARGS ?=
# The labelled comments are not part of this repository.
DATA ?= ../shared/data/comments.parquet
UPGRADE ?=
# Which language model the shipped model learns from: small or large.
TEACHER ?= small

VENV := .venv
BIN := $(VENV)/bin
# Wheels only: a lock entry never runs a stranger's build script. Bytecode is made afterwards, on all cores;
# without it five processes would compile scikit-learn at every start where Python may not write its cache.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile
FROM_LOCK := $(PIP_INSTALL) --require-hashes --no-deps --only-binary :all:
BYTECODE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-config --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	--group build $(UPGRADE)
# What is no part of ours has locks that start from its group alone.
LOCK_APART := $(filter-out pyproject.toml --group build,$(LOCK))

# PyTorch has another build for each kind of processor, so no lock can name its file; the CPU's is enough.
TORCH ?= torch==2.13.0
WITH_TORCH := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cccl \
	nvidia-cuda-cupti nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile \
	nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
	nvidia-nvshmem-cu13 nvidia-nvtx

# Stamps: what they vouch for is done once, and again when the files they depend on change.
CREATED := $(VENV)/.created
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
TRAIN := $(VENV)/.train
BROWSER := $(VENV)/.browser
CLIENTS_VENV := .venv-clients
CLIENTS := $(CLIENTS_VENV)/.installed
# Lies in the environment while pip writes there: found by the next run, it means "interrupted half-way",
# and the environment is made anew (the downloads are still in pip's cache).
UNFINISHED := $(VENV)/.unfinished
ifneq ($(wildcard $(UNFINISHED)),)
.PHONY: $(CREATED) $(RUN)
endif

.DEFAULT_GOAL := help
.PHONY: help install up test browser clients check lint types format train bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(RUN) ## Set up what running needs: .venv/bin/greenroom
	@echo "Ready: $(BIN)/greenroom; make up starts everything"

up: $(RUN) ## Start everything on http://127.0.0.1:8000 (PORT=…); Ctrl-C stops it
	@$(BIN)/greenroom up $(ARGS)

test: $(DEV) ## Run the whole test suite (ARGS="-k word" for a part)
	@$(BIN)/python -m pytest $(ARGS)

browser: $(BROWSER) ## Add what the browser tests need beside a chromium, which the system must have

clients: $(CLIENTS) ## Add the foreign clients that the tests run against the foreign doors

check: lint types test ## Lint, types and tests: what a change must pass

lint: $(DEV) ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV) ## Check types (strict)
	@$(BIN)/mypy

format: $(DEV) ## Format and fix what can be fixed by machine
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

train: $(TRAIN) ## Train the shipped model from DATA (two hours on two cores, 10 GB; TEACHER=large wants a GPU)
ifeq ($(TEACHER),large)
	@$(FROM_LOCK) -r requirements/large-teacher.lock
endif
	@$(BIN)/greenroom train --data $(DATA) --out classifier/shipped --opinions var/opinions.npz \
		--teacher $(TEACHER) $(ARGS)

bench: $(RUN) ## Measure this machine (ARGS="…" as for greenroom bench)
	@$(BIN)/greenroom bench $(ARGS)

lock: $(DEV) ## Write the lock files anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	@$(LOCK) --output-file requirements/run.lock
	@$(LOCK) --constraints requirements/run.lock --group dev --output-file requirements/dev.lock
	@$(LOCK) --constraints requirements/dev.lock --extra s3 --output-file requirements/s3.lock
	@$(LOCK) --constraints requirements/run.lock --extra train $(addprefix --no-emit-package ,$(WITH_TORCH)) \
		--output-file requirements/train.lock
	@$(LOCK) --constraints requirements/dev.lock --group browser --output-file requirements/browser.lock
	@$(LOCK_APART) --no-deps --group large-teacher --output-file requirements/large-teacher.lock
	@$(LOCK_APART) --group clients --output-file requirements/clients.lock
	@$(LOCK_APART) --no-deps --group clients-apart --output-file requirements/clients-apart.lock

clean: ## Remove the environment and caches; var/ (your data) stays
	rm -rf $(VENV) $(CLIENTS_VENV) tests/clients/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(CREATED):
	@set -e; \
	for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || { found=$$python; continue; }; \
		if [ -e $(UNFINISHED) ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
			echo "Setting up $(VENV) with $$("$$python" --version)"; \
			rm -rf $(VENV); mkdir -p $(VENV); touch $(UNFINISHED); \
			"$$python" -m venv $(VENV); \
		fi; \
		touch $@; exit 0; \
	done; \
	if [ -n "$$found" ]; then \
		echo "$$found has no venv module: install it (Debian and Ubuntu: the package python3-venv)" >&2; \
	else \
		echo "No Python 3.11 or newer found: install one, or name it with make PYTHON=/path/to/python" >&2; \
	fi; \
	exit 1

# The project itself is linked, not copied: a change to a file is in force at once.
$(RUN): requirements/run.lock pyproject.toml | $(CREATED)
	@echo "Installing what running needs"
	@touch $(UNFINISHED)
	@$(FROM_LOCK) -r requirements/run.lock
	@$(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@$(BYTECODE)
	@rm -f $(UNFINISHED) && touch $@

$(DEV): requirements/dev.lock $(RUN)
	@echo "Installing the development tools"
	@touch $(UNFINISHED)
	@$(FROM_LOCK) -r requirements/dev.lock
	@$(BYTECODE)
	@rm -f $(UNFINISHED) && touch $@

$(TRAIN): requirements/train.lock $(RUN)
	@echo "Installing what training needs"
	@touch $(UNFINISHED)
	@$(FROM_LOCK) -r requirements/train.lock
	@$(PIP_INSTALL) "$(TORCH)"
	@$(BYTECODE)
	@rm -f $(UNFINISHED) && touch $@

$(BROWSER): requirements/browser.lock $(DEV)
	@echo "Installing what the browser tests need"
	@touch $(UNFINISHED)
	@$(FROM_LOCK) -r requirements/browser.lock
	@$(BYTECODE)
	@rm -f $(UNFINISHED) && touch $@

# Made anew as a whole, so that nothing of an interrupted or older one stays. Packages of Node run no scripts.
CLIENTS_PIP := $(CLIENTS_VENV)/bin/python -m pip --quiet --disable-pip-version-check --no-input
$(CLIENTS): requirements/clients.lock requirements/clients-apart.lock tests/clients/package-lock.json | $(RUN)
	@echo "Installing the foreign clients"
	@rm -rf $(CLIENTS_VENV) && $(BIN)/python -m venv $(CLIENTS_VENV)
	@$(CLIENTS_PIP) install --require-hashes --no-deps --only-binary :all: -r requirements/clients.lock
	@$(CLIENTS_PIP) download --require-hashes --no-deps --only-binary :all: \
		--dest $(CLIENTS_VENV)/wheels -r requirements/clients-apart.lock
	@set -e; for wheel in $(CLIENTS_VENV)/wheels/*.whl; do \
		name=$${wheel##*/}; \
		$(CLIENTS_PIP) install --no-deps --no-index --target "$(CLIENTS_VENV)/apart/$${name%%-*}" "$$wheel"; \
	done
	@cd tests/clients && "$(CURDIR)/$(CLIENTS_VENV)/bin/npm" ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
