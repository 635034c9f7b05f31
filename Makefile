# make              libcpebble.so and libcpebble.a, in build/
# make demo         the example: a folder of JSON documents, some of them hostile, in a process pool
# make check        all tests: C, Swift, and every way of linking
# make check-c      the C tests alone
# make check-faults  calls of the library that fail, each in its turn; -short: some of them
# make check-asan   the C tests with AddressSanitizer and UndefinedBehaviorSanitizer
# make check-tsan   the C tests with ThreadSanitizer
# make check-valgrind  the C tests with valgrind: hosts, not workers
# make coverage     which lines and branches of the library the C tests run
# make coverage-swift  which lines and regions of the Swift library its tests run
# make check-swift  swift test alone; -asan, -tsan: with AddressSanitizer, ThreadSanitizer
# make check-visible  that `import Pebble` brings no names of C along
# make check-entry  the ways in which a program can contain Pebble
# make check-install  a program outside of the tree builds against what is installed, and runs
# make soak         jobs of every kind while processes are killed and stopped; SOAK_SECONDS=60, SEED=..., SOAK_EPOCH=...
# make check-crashes  what errors say of all ways to crash, in C and Swift, debug and release, dynamic and static
# make check-fuzz   every decoder in C, under sanitizers, with a corpus and the same damage to it each time
# make fuzz         every decoder, in C and Swift, searched by libFuzzer; FUZZ_SECONDS=30 each, FUZZERS=...
# make check-cluster  pools on a Slurm cluster of two nodes, which is made on this machine and ended again;
#                   not part of check, for it installs Slurm
# make check-model  the protocol of a link, model-checked with spin (seven minutes, 4 GB)
# make check-consumer  packages that depend on this one by path, without macros, with all other traits
# make check-command  the `pebble` command
# make check-server  the example server with a client that mixes hostile requests among good ones
# make examples     the example programs, in C
# make manual       the examples of the manual, in Swift, each against what it should print
# make docs         the documentation of the Swift library; what it quotes must be code that is run
# make bench        all benchmarks, to Benchmarks/RESULTS.md and plots (ten minutes)
# make bench-quick  the short form, to the terminal (less than two minutes)
# make deps         installs the Debian packages that are missing
# make install      to $(DESTDIR)$(PREFIX)
# make command      the `pebble` command, which make install-command installs with its manual page
# make dist         build/cpebble-VERSION.tar.gz of what is committed, the same bytes each time
# make distcheck    that, and that it can be built, tested and installed without anything else
# make deb          Debian packages of that, in build/deb
# make check-abi    programs that are built against packaging/libcpebble.abi work with what the headers declare
# make abi          what the headers declare, to packaging/
# make lint         layers, owners of system calls, exported symbols, manual pages, formatting
# make clean
# make help         this list

SHELL = /bin/bash
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
SOAK_SECONDS ?= 60
FUZZ_SECONDS ?= 30
CFLAGS ?= -O2 -g
CC ?= gcc
SWIFT ?= swift

version := $(shell sed -n 's/^.define PEBBLE_VERSION "\(.*\)"/\1/p' include/pebble/version.h)
soversion := 0
warnings := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
flags := -std=gnu11 $(warnings) -fPIC -fvisibility=hidden -pthread -Iinclude
sources := $(wildcard Sources/CPebble/*.c)
objects := $(sources:Sources/CPebble/%.c=build/core/%.o)
headers := $(wildcard include/*.h include/pebble/*.h Sources/CPebble/*.h)
test_sources := $(wildcard Tests/CPebbleTests/*.c)
test_headers := $(wildcard Tests/CPebbleTests/*.h)
test_shared := $(addprefix Tests/CPebbleTests/,support.c jobs.c chance.c)
packages := gcc g++ libbsd-dev check pkg-config python3

.PHONY: all demo check check-c check-swift check-visible check-entry check-install check-consumer check-soak check-model check-command check-server soak examples manual docs bench bench-quick deps install lint clean
all: build/libcpebble.so build/libcpebble.a

build/core/%.o: Sources/CPebble/%.c $(headers) Makefile | deps
	@mkdir -p $(@D)
	$(CC) $(flags) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

build/libcpebble.a: $(objects)
	@rm -f $@
	ar rcs $@ $^

build/libcpebble.so: $(objects) Sources/CPebble/cpebble.map
	$(CC) -shared -pthread -Wl,-soname,libcpebble.so.$(soversion) -Wl,-z,defs -Wl,-z,relro,-z,now \
	  -Wl,--version-script=Sources/CPebble/cpebble.map $(LDFLAGS) $(objects) -lbsd -o build/libcpebble.so.$(version)
	ln -sf libcpebble.so.$(version) build/libcpebble.so.$(soversion)
	ln -sf libcpebble.so.$(soversion) $@

deps:
	@Tools/deps.sh $(packages)

build/check-c: $(test_sources) $(test_headers) build/libcpebble.a
	$(CC) $(flags) -iquote Sources/CPebble $(CFLAGS) $(test_sources) build/libcpebble.a \
	  $$(pkg-config --cflags --libs check) -lbsd -o $@

check-c: build/check-c
	CK_VERBOSITY=normal $<

# The library with the calls that can fail going through Tests/Faults/faults.c.
build/faults.a: build/libcpebble.a Tests/Faults/faults.syms
	objcopy --redefine-syms=Tests/Faults/faults.syms $< $@

build/check-faults: $(wildcard Tests/Faults/*.[ch]) $(test_shared) $(test_headers) build/faults.a
	$(CC) $(flags) -iquote Sources/CPebble -ITests/CPebbleTests $(CFLAGS) $(filter %.c %.a,$^) \
	  $$(pkg-config --cflags --libs check) -lbsd -o $@

.PHONY: check-fuzz fuzz check-faults check-faults-short
check: check-faults-short
check-faults-short: build/check-faults
	timeout -k 5 600 $<

check-faults: build/check-faults
	timeout -k 5 3600 $< all

# The same tests in builds for a tool, which Tests/CPebbleTests/README.md tells of.
build/asan/check-c: sanitize = -fsanitize=address,undefined -fno-sanitize-recover=undefined
build/tsan/check-c: sanitize = -fsanitize=thread -Wno-tsan
build/asan/check-c build/tsan/check-c: $(sources) $(test_sources) $(headers) $(test_headers) Makefile | deps
	@mkdir -p $(@D)
	$(CC) $(flags) -iquote Sources/CPebble -O1 -g -fno-omit-frame-pointer $(sanitize) $(sources) $(test_sources) \
	  $$(pkg-config --cflags --libs check) -lbsd -o $@

.PHONY: check-asan check-tsan
check-asan check-tsan: check-%: build/%/check-c
	Tests/under.sh $* $<

# The host under valgrind, its fork servers and workers not: Tests/Valgrind/untraced.c.
build/valgrind/pidfd: Tests/Valgrind/pidfd.c build/libcpebble.a
	@mkdir -p $(@D)
	$(CC) $(flags) -iquote Sources/CPebble $(CFLAGS) $^ -lbsd -o $@

build/valgrind/check-c: $(test_sources) $(test_headers) Tests/Valgrind/untraced.c build/libcpebble.a
	@mkdir -p $(@D)
	@Tools/deps.sh valgrind
	$(CC) $(flags) -iquote Sources/CPebble $(CFLAGS) -DPIDFD_HELPER='"$(abspath build/valgrind/pidfd)"' \
	  -Wl,--wrap=syscall,--wrap=execve,--wrap=_exit $(filter %.c %.a,$^) $$(pkg-config --cflags --libs check) -lbsd -o $@

.PHONY: check-valgrind
check-valgrind: build/valgrind/check-c build/valgrind/pidfd
	timeout -k 5 7200 Tests/under.sh valgrind $<

# The library with counters: what servers and workers count is saved by Tests/Coverage/dump.c.
saved := -Wl,--wrap=_exit,--wrap=execve,--wrap=execvp,--wrap=pb_sig_default Tests/Coverage/dump.c
covered := $(sources:Sources/CPebble/%.c=build/coverage/%.o)

build/coverage/%.o: Sources/CPebble/%.c $(headers) Makefile | deps
	@mkdir -p $(@D)
	$(CC) $(flags) -O0 -g --coverage -fprofile-update=atomic -fprofile-abs-path -fno-builtin-fork -fno-builtin-execve -fno-builtin-execvp -c $< -o $@

build/coverage/faults.a: $(covered) Tests/Faults/faults.syms
	rm -f $@
	ar rcs $@ $(covered)
	objcopy --redefine-syms=Tests/Faults/faults.syms $@

build/coverage/check-c: $(test_sources) $(test_headers) $(covered) Tests/Coverage/dump.c
	$(CC) $(flags) -iquote Sources/CPebble $(CFLAGS) $(test_sources) $(covered) $(saved) \
	  $$(pkg-config --cflags --libs check) -lbsd -lgcov -o $@

build/coverage/check-faults: $(wildcard Tests/Faults/*.[ch]) $(test_shared) $(test_headers) build/coverage/faults.a Tests/Coverage/dump.c
	$(CC) $(flags) -iquote Sources/CPebble -ITests/CPebbleTests $(CFLAGS) $(saved) \
	  $(filter Tests/Faults/%.c Tests/CPebbleTests/%.c %.a,$^) $$(pkg-config --cflags --libs check) -lbsd -lgcov -o $@

.PHONY: coverage
coverage: build/coverage/check-c build/coverage/check-faults
	@Tools/deps.sh gcovr
	find build/coverage -name '*.gcda' -delete
	Tests/under.sh coverage build/coverage/check-c
	Tests/under.sh coverage build/coverage/check-faults
	Tests/Coverage/report.sh build/coverage

# Of the processes of the tests themselves: workers leave without saving what they count.
.PHONY: coverage-swift
coverage-swift: | deps
	$(SWIFT) test --disable-default-traits --no-parallel --enable-code-coverage --scratch-path build/swift-coverage
	Tests/Coverage/swift.py build/swift-coverage/debug/codecov/pebble.json

check-swift: | deps
	$(SWIFT) test --no-parallel

# The tests but those of macros in builds with a sanitizer, which Tests/PebbleTests/README.md tells of.
.PHONY: check-swift-asan check-swift-tsan
check-swift-asan: sanitizer = address
check-swift-tsan: sanitizer = thread
check-swift-asan check-swift-tsan: check-swift-%: | deps
	Tests/under.sh $* timeout -k 5 1800 \
	  $(SWIFT) test --disable-default-traits --no-parallel --sanitize=$(sanitizer) --scratch-path .build-$*

check-visible: | deps
	$(SWIFT) build
	Tests/Visibility/run.sh $$($(SWIFT) build --show-bin-path)

check-entry: all
	Tests/Entry/run.sh

.PHONY: check-crashes
check: check-crashes
check-crashes: build/libcpebble.a
	Tests/Crashes/run.sh c-O0-g c-O2-g c-O2 swift-{debug,release}-{dynamic,static}
	Tests/Crashes/table.py

build/soak: $(wildcard Tests/Soak/*.[ch]) build/libcpebble.a
	$(CC) -std=gnu11 $(warnings) -Iinclude -pthread $(CFLAGS) $(filter %.c,$^) build/libcpebble.a -lbsd -o $@

soak: build/soak
	$< --seconds $(SOAK_SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(SOAK_EPOCH),--epoch $(SOAK_EPOCH))

check-soak: build/soak
	timeout -k 5 300 $< --seconds 5

check-install: all
	@Tools/deps.sh mandoc man-db
	Tests/Install/run.sh

sanitize := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
fuzzers := stream link crash lines symbols chunk control texts

build/fuzz/check/%.o: Sources/CPebble/%.c $(headers) Makefile | deps
	@mkdir -p $(@D)
	@$(CC) $(flags) $(sanitize) -O1 -g -c $< -o $@

build/fuzz/check/libcpebble.a: $(sources:Sources/CPebble/%.c=build/fuzz/check/%.o)
	@rm -f $@
	@ar rcs $@ $^

build/fuzz/check/%: Tests/Fuzz/%.c Tests/Fuzz/driver.c Tests/Fuzz/fuzz.h build/fuzz/check/libcpebble.a
	@$(CC) $(flags) $(sanitize) -iquote Sources/CPebble -O1 -g $(filter %.c,$^) build/fuzz/check/libcpebble.a -lbsd -o $@

check-fuzz: $(fuzzers:%=build/fuzz/check/%)
	@for name in $(fuzzers); do timeout -k 5 100 build/fuzz/check/$$name Tests/Fuzz/corpus/$$name 10000 || exit 1; done

fuzz:
	@Tools/deps.sh libbsd-dev
	Tests/Fuzz/run.sh $(FUZZ_SECONDS) $(FUZZERS)

check-consumer: | deps
	Tests/Consumer/run.sh

build/check-cluster: Tests/Cluster/check.c build/libcpebble.a
	$(CC) -std=gnu11 $(warnings) -Iinclude -pthread $(CFLAGS) $(filter %.c,$^) build/libcpebble.a \
	  $$(pkg-config --cflags --libs check) -lbsd -o $@

.PHONY: check-cluster
check-cluster: build/check-cluster build/examples/ingest
	@Tools/deps.sh $$(Tests/Cluster/cluster missing)
	cd Examples/Swift && $(SWIFT) build --product ingest
	timeout -k 60 600 Tests/Cluster/cluster run Tests/Cluster/run.sh

check-model:
	@Tools/deps.sh gcc spin
	Tests/Models/run.sh

check: check-c check-fuzz check-entry check-install check-consumer check-soak examples check-swift check-visible docs check-command check-server
	@echo "make check: all passed"

check-command: | deps
	@Tools/deps.sh imagemagick
	cd Command && $(SWIFT) build
	cd Command && Tests/run.sh $$($(SWIFT) build --show-bin-path)/pebble
	cd Command && $(SWIFT) test

check-server: | deps
	cd Examples/Server && $(SWIFT) build
	set -o pipefail; cd Examples/Server && server=$$($(SWIFT) build --show-bin-path)/server && \
	  timeout -k 5 300 ../../Tests/leaves_nothing.sh -p $$server ./client.py $$server ../documents | diff - expected.txt

demo: | deps
	cd Examples/Swift && $(SWIFT) build --product ingest
	cd Examples && ../Tests/leaves_nothing.sh Swift/.build/debug/ingest --confined documents

manual := $(basename $(notdir $(wildcard Examples/Swift/expected/*.txt)))
# What differs from one run to the next is made the same, and of a backtrace the first line kept.
steady = sed -E '/^    |^Current stack trace|^[0-9]+  /d; s/worker [0-9]+/worker N/; s/after [0-9.]+ [a-z]+/after T/'
manual: | deps
	cd Examples/Swift && $(SWIFT) build
	@set -o pipefail; cd Examples/Swift && for name in $(manual); do \
	  timeout -k 5 120 ../../Tests/leaves_nothing.sh .build/debug/$$name 2>&1 | $(steady) | \
	  diff - expected/$$name.txt || exit 1; \
	  echo "example $$name: as expected"; done

docs: manual
	Tools/quotes.py
	Tools/docc.sh

examples: build/examples/ingest build/examples/divide build/examples/loop build/examples/hello
	test "$$(build/examples/hello | $(steady))" = "worker N crashed: SIGFPE after T: integer division by zero"
	cd Examples && ../Tests/leaves_nothing.sh ../build/examples/ingest documents
	@mkdir -p build/hostile && ln -sf /etc/passwd build/hostile/order.json
	build/examples/ingest --confined build/hostile | grep -q 'order.json.*Permission denied'
	set -o pipefail; timeout -k 5 120 Tests/leaves_nothing.sh build/examples/divide <Examples/C/divide/lines.txt | \
	  diff - Examples/C/divide/expected.txt
	set -o pipefail; printf '%s\n' 27 1 0 97 ten 837799 | timeout -k 5 120 Tests/leaves_nothing.sh build/examples/loop | \
	  LC_ALL=C sort | diff - Examples/C/loop/expected.txt

build/examples/ingest: $(wildcard Examples/C/*.c Examples/C/*.h) build/libcpebble.a
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(warnings) -Iinclude -pthread $(CFLAGS) $(filter %.c,$^) build/libcpebble.a -lbsd -o $@

build/examples/hello: Examples/C/hello/hello.c
build/examples/divide: Examples/C/divide/divide.c
build/examples/loop: Examples/C/loop/loop.c
build/examples/hello build/examples/divide build/examples/loop: build/libcpebble.a
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(warnings) -Iinclude -pthread $(CFLAGS) $(filter %.c,$^) build/libcpebble.a -lbsd -o $@

bench bench-quick: all
	$(MAKE) -C Benchmarks $(@:bench-%=%)

# A path as cpebble.pc has it: in terms of its prefix where it lies in that, so that the whole can be moved.
in_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

install: all
	install -d $(DESTDIR)$(INCLUDEDIR)/pebble $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man7
	install -m 644 include/pebble.h $(DESTDIR)$(INCLUDEDIR)/
	install -m 644 include/pebble/*.h $(DESTDIR)$(INCLUDEDIR)/pebble/
	install -m 644 build/libcpebble.a $(DESTDIR)$(LIBDIR)/
	install -m 755 build/libcpebble.so.$(version) $(DESTDIR)$(LIBDIR)/
	ln -sf libcpebble.so.$(version) $(DESTDIR)$(LIBDIR)/libcpebble.so.$(soversion)
	ln -sf libcpebble.so.$(soversion) $(DESTDIR)$(LIBDIR)/libcpebble.so
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(version)|' \
	  -e 's|@LIBDIR@|$(call in_prefix,$(LIBDIR))|; s|@INCLUDEDIR@|$(call in_prefix,$(INCLUDEDIR))|' \
	  cpebble.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/cpebble.pc
	install -m 644 man/*.3 $(DESTDIR)$(MANDIR)/man3/
	install -m 644 man/*.7 $(DESTDIR)$(MANDIR)/man7/
	@for page in man/*.3; do page=$$(basename $$page); \
	  for name in $$(sed -n '/^\.Nd/q; s/^\.Nm \([a-z_]*\).*/\1/p' man/$$page); do \
	    [ $$name.3 = $$page ] || ln -sf $$page $(DESTDIR)$(MANDIR)/man3/$$name.3 || exit 1; done; done

.PHONY: command install-command
command: | deps
	cd Command && $(SWIFT) build -c release --static-swift-stdlib --product pebble

install-command:
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(MANDIR)/man1
	install -m 755 Command/.build/release/pebble $(DESTDIR)$(PREFIX)/bin/
	install -m 644 Command/pebble.1 $(DESTDIR)$(MANDIR)/man1/

.PHONY: dist distcheck
dist:
	Tools/dist.sh make cpebble $(version)

distcheck:
	@Tools/deps.sh $(packages) mandoc man-db abigail-tools
	Tools/dist.sh check cpebble $(version)

.PHONY: deb
deb: dist
	@Tools/deps.sh $(packages) dpkg-dev debhelper fakeroot lintian
	Tools/deb.sh cpebble $(version)

.PHONY: check-abi abi
check-abi abi:
	@Tools/deps.sh gcc abigail-tools
	Tools/abi.sh $(if $(filter abi,$@),write,check) $(version)

lint: all
	@Tools/deps.sh mandoc
	Tools/lint.sh

clean:
	rm -rf build .build .build-asan .build-tsan .build-consumer Examples/Swift/.build Examples/Server/.build Command/.build Benchmarks/.build

.PHONY: help
help:
	@sed -n '/^#/!q; s/^# //p' Makefile
