# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

HOSTS ?= 4
LAB ?= default
KINDS ?= bookworm
PROFILE ?= ovms
ROUNDS ?= 5

export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# This checkout's, whatever the caller's environment names.
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.collections
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# The lab's own playbooks run on this machine, whatever inventories there are.
lab_playbook = ansible-playbook playbooks/$(1).yml -i localhost, -c local

# On a new machine the images of the profile BUILD are built while those of the lab's hosts are.
built = cd $(CURDIR) && exec ansible-playbook -i .lab/$(LAB)/inventory.yml playbooks/build_images.yml -e profile=$(BUILD)
meanwhile = -e '{"lab_meanwhile": ["sh", "-c", "$(built)"]}'

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-dev run test lint unit sanity build docs docs-site e2e test-long bench lab-up lab-down lab-clean clean root

help: ## Show this help
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS='	' read -r name what; do \
	    printf '  make %-10s %s\n' "$$name" "$$what"; done
	@printf '\n  HOSTS=%s LAB=%s KINDS=%s PROFILE=%s PYTHON=%s\n' '$(HOSTS)' '$(LAB)' '$(KINDS)' '$(PROFILE)' '$(or $(PYTHON),python3.11)'

setup: ## Make .venv/ and .collections/ ready (quick when they are)
	@.ci/setup.sh run

setup-dev: ## The same with what the tests need
	@.ci/setup.sh dev

run: root setup ## Bring the lab up, prepare its hosts, run and measure PROFILE on it
	@$(MAKE) --no-print-directory lab-up BUILD=$(PROFILE)
	@printf '==> preparing the hosts: engine, images, models\n'
	@ansible-playbook -i .lab/$(LAB)/inventory.yml playbooks/prepare_hosts.yml -e profile=$(PROFILE)
	@printf '==> running the profile %s\n' '$(PROFILE)'
	@ansible-playbook -i .lab/$(LAB)/inventory.yml run_profile.yml -e profile=$(PROFILE)

test: root setup-dev ## Run all tests: lint, unit, sanity, build, and end to end on a lab of their own
	@python .ci/test.py

lint: setup-dev ## ruff, mypy, and ansible-lint with yamllint
	@python .ci/test.py lint

unit: setup-dev ## Unit tests, with the imports and payloads of what travels to hosts
	@python .ci/test.py unit

sanity: setup-dev ## ansible-test sanity on a copy
	@python .ci/test.py sanity

build: setup-dev ## Build the collection, install it elsewhere, and use it from there
	@python .ci/test.py build

docs: setup ## Write docs/profile.schema.json, the tables of the documents and the Grafana dashboard from what is declared
	@python .ci/docs.py
	@python .ci/dashboard.py

docs-site: setup-dev ## Write the site of the documentation, with a page for every plugin, to .docs-site/
	@python .ci/docs_site.py

e2e: root setup-dev ## Tests against engines and on a lab that is brought up and taken down
	@python .ci/test.py engine newest jobs hosts labs runs versions

test-long: root setup-dev ## 10,000 mutated profiles, 50 kills, every fault, ten searches for density, a virtual machine, 20 hosts, every ansible-core and Python
	@python .ci/test.py controllers long

bench: root setup-dev ## Compare with upstream's density search, the sampler's budget, the stock module, the bare engines and docker save, ROUNDS=5 times
	@PYTHONPATH=.collections python tests/bench/bench_density.py
	@PYTHONPATH=.collections python tests/bench/bench_devices.py
	@$(MAKE) --no-print-directory lab-up LAB=bench HOSTS=4
	@DOCKER_HOST=unix:///run/retail-profiles-lab/docker.sock PYTHONPATH=.collections python tests/bench/bench_sampler.py
	@ansible-playbook -i .lab/bench/inventory.yml playbooks/prepare_hosts.yml -e profile=$(CURDIR)/tests/bench/profiles/sleepers
	@python tests/bench/bench_apply.py --inventory .lab/bench/inventory.yml --rounds $(ROUNDS)
	@python tests/bench/bench_run.py --inventory .lab/bench/inventory.yml --rounds $(ROUNDS)
	@python tests/bench/bench_images.py --inventory .lab/bench/inventory.yml --rounds $(ROUNDS)
	@$(MAKE) --no-print-directory lab-down LAB=bench

lab-up: root setup ## Bring up the lab LAB with HOSTS hosts of KINDS
	@printf '==> bringing up the lab %s with %s hosts\n' '$(LAB)' '$(HOSTS)'
	@$(call lab_playbook,lab_up) -e lab_name=$(LAB) -e lab_hosts=$(HOSTS) -e lab_kinds=$(KINDS) $(if $(BUILD),$(meanwhile))

lab-down: root setup ## Take the lab LAB down
	@$(call lab_playbook,lab_down) -e lab_name=$(LAB)

lab-clean: root setup ## Take the lab LAB down and remove the cache of images, wheels and models
	@$(call lab_playbook,lab_down) -e lab_name=$(LAB)
	@$(call lab_playbook,lab_clean)

clean: ## Remove what the tools leave in the checkout (not .venv/, .collections/, .lab/, results/)
	@rm -rf .docs-site .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible tests/output retail-profiles-*.tar.gz
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

root:
	@[ "$$(id -u)" = 0 ] || { echo "The lab needs root (network bridges, a Docker Engine of its own): run this as root," \
	    "for example: sudo make $(MAKECMDGOALS)" >&2; exit 1; }
