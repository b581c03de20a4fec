# The doors of the project.  Everything made lies in build/.

CC ?= gcc
BUILD ?= build
HARDEN = -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection=full -fPIC
WARN = -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wpointer-arith -Wundef
CFLAGS_ALL = $(HARDEN) $(WARN) $(SANITIZE) -Iinclude -Isrc \
	$(shell pkg-config --cflags libpq jansson libjwt 2>/dev/null) $(CFLAGS)
LDFLAGS_ALL = -Wl,-z,relro,-z,now,-z,noexecstack $(SANITIZE) $(LDFLAGS)

CORE_SRC = $(sort $(filter-out src/cli/% src/relay/%,$(wildcard src/*/*.c)))
CLI_SRC = $(sort $(wildcard src/cli/*.c))
RELAY_SRC = $(sort $(wildcard src/relay/*.c))
RELAY_UNIT_SRC = $(sort $(wildcard tests/unit/test_relay_*.c))
UNIT_SRC = $(sort $(filter-out $(RELAY_UNIT_SRC),$(wildcard tests/unit/*.c)))
CORE_OBJ = $(CORE_SRC:%.c=$(BUILD)/obj/%.o)
CLI_OBJ = $(CLI_SRC:%.c=$(BUILD)/obj/%.o)
RELAY_OBJ = $(RELAY_SRC:%.c=$(BUILD)/obj/%.o)
UNIT_OBJ = $(UNIT_SRC:%.c=$(BUILD)/obj/%.o)
RELAY_UNIT_OBJ = $(RELAY_UNIT_SRC:%.c=$(BUILD)/obj/%.o) \
	$(filter-out %/main.o,$(RELAY_OBJ))
SIM_SRC = $(sort $(wildcard tests/simulation/*.c))
SIM_OBJ = $(SIM_SRC:%.c=$(BUILD)/obj/%.o) \
	$(BUILD)/obj/src/cli/settlement_copy.o
CORE_LIBS = -ljansson -ljwt -lcrypto -lcsv -lexpat -lm \
	-Wl,--push-state,--as-needed -licui18n -licuuc -Wl,--pop-state

FUZZ_SECONDS ?= 60
export SEED SCENARIOS SCENARIO FIRST PARTS TRACE STOP MUTANTS

.PHONY: all payctl relay psp-requests payout-driver risk-model risk-world unit cpu simulate \
	controls mutants \
	glue-mutants histories faults drills module \
	demo up down test bench postgres asan fuzz lint deb package-test clean
all: payctl

# Installs what is missing, builds, starts all and walks one checkout.
demo:
	ci/demo
# The stack without the walk; build/run/gateway.env says where it is.
# make up RETURN_HOST=127.0.0.1:3000 lets a shop of your own in (examples/).
up:
	ci/install build run
	ci/build
	ci/vendor
	ci/stack up
down:
	ci/stack down
test:
	ci/run
# make faults SEEDS=n SEED=first, the fault matrix of docs/reliability.md.
faults:
	ci/install build run test drill
	ci/build
	FAULTS=1 ci/build module
	SEED=$(SEED) tests/faults/run $(or $(SEEDS),20) --elsewhere
# The worst day of docs/operations.md: restores and a fail-over under load.
drills:
	ci/install build run test drill
	ci/build
	tests/drills/run
bench:
	ci/install $(if $(filter kafka,$(PARTS)),--python --kafka,--node) build run bench
	ci/build
	tests/bench/run
# The SQL on another PostgreSQL: make postgres VERSION=17.
postgres:
	ci/install --python build run test
	ci/build
	ci/postgres $(VERSION)
asan:
	ci/asan
fuzz:
	ci/install build fuzz
	tests/fuzz/run $(FUZZ_SECONDS)
lint:
	ci/install --python build run test lint
	ci/lint
module:
	+ci/build module
# Debian's packages, build/*.deb, looked at by lintian.
deb:
	ci/install build deb
	ci/vendor
	ci/deb
# In a fresh Debian: installed, paid, upgraded from the version before, purged.
package-test:
	ci/install build deb
	tests/package/run
clean: down
	rm -rf build

# Beside each object gcc writes what it was made of (-MMD); -MP: a header that
# is gone does not stop make.
$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@
-include $(wildcard $(BUILD)/obj/*/*/*.d)

# Lists of objects, so that what is linked of them notices one that is gone.
# However BUILD is spelled they are the same: a test that calls make with the
# whole path of build/ would link payctl anew under the tests beside it.
$(BUILD)/%.objects: FORCE
	@mkdir -p $(@D)
	@echo $($*_OBJ:$(BUILD)/%=%) | cmp -s - $@ || echo $($*_OBJ:$(BUILD)/%=%) >$@
FORCE:

$(BUILD)/libpay.a: $(CORE_OBJ) $(BUILD)/CORE.objects
	rm -f $@ && ar rcs $@ $(CORE_OBJ)

payctl: $(BUILD)/payctl
$(BUILD)/payctl: $(CLI_OBJ) $(BUILD)/libpay.a $(BUILD)/CLI.objects
	$(CC) $(LDFLAGS_ALL) -pie $(CLI_OBJ) $(BUILD)/libpay.a -o $@ $(CORE_LIBS) -lpq -lcurl

# Messages to Kafka, for those who have one (docs/events-kafka.md).
relay: $(BUILD)/payments-relay
$(BUILD)/payments-relay: $(RELAY_OBJ) $(BUILD)/RELAY.objects
	$(CC) $(LDFLAGS_ALL) -pie $(RELAY_OBJ) -o $@ -lpq -lrdkafka

# payctl that keeps its connections, for tests/sql.
$(BUILD)/payctl-kept: $(BUILD)/obj/tests/sql/payctl_kept.o $(CLI_OBJ) \
		$(BUILD)/libpay.a
	$(CC) $(LDFLAGS_ALL) -pie -Wl,--wrap=pay_cli_connect \
	    -Wl,--wrap=PQfinish $(filter-out %/main.o,$^) -o $@ $(CORE_LIBS) -lpq -lcurl

# The PSP adapters' requests as JSON lines, for tests/openapi.
psp-requests: $(BUILD)/psp-requests
$(BUILD)/psp-requests: $(BUILD)/obj/tests/openapi/psp_requests.o $(BUILD)/libpay.a
	$(CC) $(LDFLAGS_ALL) -pie $^ -o $@ $(CORE_LIBS)

# The pay-out adapters behind a pipe, for the tests of the mock providers.
payout-driver: $(BUILD)/payout-driver
$(BUILD)/payout-driver: $(BUILD)/obj/tests/adapters/payout_driver.o $(BUILD)/libpay.a
	$(CC) $(LDFLAGS_ALL) -pie $^ -o $@ $(CORE_LIBS)

# A learned score of risk behind a pipe, for tests/risk.
risk-model: $(BUILD)/risk-model
$(BUILD)/risk-model: $(BUILD)/obj/tests/risk/model_driver.o $(BUILD)/libpay.a
	$(CC) $(LDFLAGS_ALL) -pie $^ -o $@ $(CORE_LIBS)
# And the whole look at checkouts, for the figures of the generated world.
risk-world: $(BUILD)/risk-world
$(BUILD)/risk-world: $(BUILD)/obj/tests/risk/world_driver.o $(BUILD)/libpay.a
	$(CC) $(LDFLAGS_ALL) -pie -Wl,--wrap=pay_risk_vector $^ -o $@ $(CORE_LIBS)

# The relay's own where librdkafka is installed, as ci/build does.
UNITS = $(BUILD)/unit \
	$(shell pkg-config --exists rdkafka && echo $(BUILD)/unit-relay)
unit: $(UNITS)
	for unit in $^; do $$unit || exit 1; done
# What is tested is compiled as it is released; the tests themselves need not
# be, and compile four times as fast like this.
$(UNIT_OBJ) $(RELAY_UNIT_SRC:%.c=$(BUILD)/obj/%.o): HARDEN = -O0 -g -fPIC
$(BUILD)/unit: $(UNIT_OBJ) $(BUILD)/libpay.a $(BUILD)/UNIT.objects
	$(CC) $(LDFLAGS_ALL) -pie $(UNIT_OBJ) $(BUILD)/libpay.a -o $@ $(CORE_LIBS) -lcriterion

$(BUILD)/unit-relay: $(RELAY_UNIT_OBJ) $(BUILD)/RELAY_UNIT.objects
	$(CC) $(LDFLAGS_ALL) -pie $(RELAY_UNIT_OBJ) -o $@ -lpq -lrdkafka -lcriterion

# CPU that hostile bytes cost: the scan for card numbers, and each scheme of
# webhooks before its signature is known to be wrong; and one learned score.
cpu: $(BUILD)/bench-scan $(BUILD)/bench-schemes $(BUILD)/bench-score
	$(BUILD)/bench-scan
	$(BUILD)/bench-schemes
	$(BUILD)/bench-score
$(BUILD)/bench-%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libpay.a
	$(CC) $(LDFLAGS_ALL) -pie $^ -o $@ $(CORE_LIBS)

# Flows against PostgreSQL, a model network and model PSPs:
# make simulate SEED=n SCENARIOS=n, or SCENARIO=n [TRACE=1] for one again.
simulate: payctl $(BUILD)/simulate $(BUILD)/simclock.so
	tests/simulation/run
$(BUILD)/simclock.so: tests/simulation/clock/clock.c
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(WARN) -shared $< -o $@
$(BUILD)/simulate: $(SIM_OBJ) $(BUILD)/libpay.a $(BUILD)/SIM.objects
	$(CC) $(LDFLAGS_ALL) -pie $(SIM_OBJ) $(BUILD)/libpay.a -o $@ $(CORE_LIBS) -lpq
# Bugs planted on purpose, each of which the simulator must find.
controls:
	tests/simulation/controls/run
# Random histories of payments and their settlement files, with faults:
# make histories HISTORIES=2000 [SEED=n] [STORIES=n] [PARTS=n].
HISTORIES ?= 2000
histories: payctl $(BUILD)/payctl-kept
	PAYCTL=$(abspath $(BUILD))/payctl SQL_PLACE="$${SQL_PLACE:-/dev/shm}" \
	    nice -n 15 tests/sql/histories $(HISTORIES)
# How many small changes of the product the tests see:
# make mutants MUTANTS=300 SEED=1 [AREAS="flow psp"].
mutants: payctl $(BUILD)/simulate $(BUILD)/simclock.so
	CC="$(CC)" SQL_PLACE="$${SQL_PLACE:-/dev/shm}" nice -n 15 tests/sql/alone \
	    tests/mutation/run $(AREAS)
# The same of the glue, by tests/mutation/glue.py: make glue-mutants WORDS=jwt.
glue-mutants:
	ci/build
	nice -n 15 tests/mutation/glue-run $(WORDS)
