# Builds a component of C: included at the end of a skill's Makefile, which names
#
#   SOURCES   its files, relative to the Makefile: hash.c lib/table.c
#   WORLD     the world, where wit/ has several
#   CFLAGS    further flags of the compiler, such as -Ilib or -DNDEBUG
#   LIBS      further flags of the linker, such as -lm
#
# `bailiwick build` says where everything is. `make` alone works in a package that
# it was run in before: these are the same places.

BAILIWICK ?= bailiwick
SDK ?= .build/sdk/c
WIT ?= .build/sdk/wit
WORK ?= .build
TARGET := wasm32-wasip2

ifeq ($(strip $(SOURCES)),)
$(error SOURCES names no file: write `SOURCES = skill.c` above the line that includes skill.mk)
endif
missing := $(filter-out $(wildcard $(SOURCES)),$(SOURCES))
ifneq ($(missing),)
$(error SOURCES names $(missing), and there is no such file in $(CURDIR))
endif

# --- where the linker, the C library and the compiler's own library are ---

# The C library asks the linker for the end of the heap, which it knows since LLD 15.
LINKER := $(shell for program in "$$BAILIWICK_TOOLCHAINS/c/bin/wasm-ld" wasm-ld \
    wasm-ld-22 wasm-ld-21 wasm-ld-20 wasm-ld-19 wasm-ld-18 wasm-ld-17 wasm-ld-16 wasm-ld-15; do \
    release=$$("$$program" --version 2>/dev/null | sed -n 's/.*LLD \([0-9]*\)\..*/\1/p'); \
    if [ "$${release:-0}" -ge 15 ]; then printf %s "$$program"; break; fi; done)
ifeq ($(LINKER),)
$(error There is no wasm-ld of LLD 15 or newer here. Install it with: sudo apt-get install lld, or lld-16 where that is older)
endif

# Places are tried in this order; a folder may have blanks in its name.
SYSROOT := $(shell for place in "$$WASI_SYSROOT" "$$BAILIWICK_TOOLCHAINS/c/sysroot" \
    "$$WASI_SDK_PATH/share/wasi-sysroot" /opt/wasi-sdk/share/wasi-sysroot /usr; do \
    if [ -f "$$place/lib/$(TARGET)/crt1-reactor.o" ]; then printf %s "$$place"; break; fi; done)
ifeq ($(SYSROOT),)
$(error There is no C library for $(TARGET) here. Install a WASI SDK of release 24 or newer in /opt/wasi-sdk or where WASI_SDK_PATH says, or Debian's wasi-libc of trixie-backports or newer)
endif
BUILTINS := $(shell for file in "$(SYSROOT)/lib/$(TARGET)/libclang_rt.builtins-wasm32.a" \
    "$$(clang --target=$(TARGET) -rtlib=compiler-rt -print-libgcc-file-name 2>/dev/null)" \
    /usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a \
    "$(SYSROOT)"/../../lib/clang/*/lib/wasi*/libclang_rt.builtins*.a \
    "$(SYSROOT)"/../../lib/clang/*/lib/*wasip2/libclang_rt.builtins.a; do \
    if [ -f "$$file" ]; then printf %s "$$file"; break; fi; done)
ifeq ($(BUILTINS),)
$(error clang has no library of its own for WebAssembly. Install it with: sudo apt-get install libclang-rt-dev-wasm32)
endif

# The printf and strtod of this library know long double. Those of the C library itself
# complain of it on stderr, and for that every skill would import stdio.
PRINTF := -lc-printscan-long-double

# --- how files are compiled ---

# The bytes must not depend on the folder or the time: what would put them in is an error.
# A mistake that C would let pass and that traps in WebAssembly is one too.
FLAGS := --target=$(TARGET) -nostdlibinc -isystem "$(SYSROOT)/include/$(TARGET)" \
    -std=c11 -D_GNU_SOURCE -O2 -ffile-prefix-map="$(CURDIR)"=. -Werror=date-time \
    -I$(WORK)/gen -I$(SDK)
STRICT := -Wall -Wextra -Wno-unused-parameter -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
    -Werror=int-conversion -Werror=return-type

SDK_SOURCES := bailiwick bailiwick_json bailiwick_runtime
OBJECTS := $(SOURCES:%.c=$(WORK)/obj/skill/%.o) $(SDK_SOURCES:%=$(WORK)/obj/sdk/%.o) $(WORK)/obj/bindings.o
WORLDS := $(shell find wit -name '*.wit' 2>/dev/null)

.DELETE_ON_ERROR:
.DEFAULT_GOAL := $(WORK)/skill.wasm

$(WORK)/skill.wasm: $(WORK)/core.wasm
	@"$(BAILIWICK)" wit componentize $< -o $@

# With the stack first, its overflow is a trap and doesn't overwrite anything.
$(WORK)/core.wasm: $(OBJECTS) $(WORK)/gen/skill_component_type.o
	@"$(LINKER)" -o $@ "$(SYSROOT)/lib/$(TARGET)/crt1-reactor.o" $^ \
	    -L"$(SYSROOT)/lib/$(TARGET)" $(LIBS) $(PRINTF) -lc "$(BUILTINS)" \
	    --entry=_initialize --fatal-warnings --gc-sections --stack-first -z stack-size=1048576 \
	    --strip-debug 2>$(WORK)/link.log || { $(EXPLAIN); exit 1; }

# What the linker says, and of functions that the world has and the source doesn't what to do.
EXPLAIN = grep -v 'undefined symbol: exports_' $(WORK)/link.log >&2; \
    sed -n "s/.*undefined symbol: \(exports_[A-Za-z0-9_]*\).*/wit: the world exports a function that no file of SOURCES defines: write \1 as skill.h declares it/p" \
    $(WORK)/link.log | sort -u >&2

# Flags stand in the Makefile and here, so that a change of either makes everything anew.
RULES := $(MAKEFILE_LIST)

$(WORK)/obj/skill/%.o: %.c $(WORK)/gen/skill.h $(RULES)
	@mkdir -p $(@D)
	@clang $(FLAGS) $(STRICT) $(CFLAGS) -MMD -MP -c $< -o $@

$(WORK)/obj/sdk/%.o: $(SDK)/%.c $(SDK)/bailiwick.h $(WORK)/gen/skill.h $(RULES)
	@mkdir -p $(@D)
	@clang $(FLAGS) -c $< -o $@

$(WORK)/obj/bindings.o: $(WORK)/gen/skill.h $(RULES)
	@mkdir -p $(@D)
	@clang $(FLAGS) -w -c $(WORK)/gen/skill.c -o $@

# The author's WIT, beside that of the host which it may use. What is made of it keeps its
# time where nothing changed, so that a touched file compiles nothing anew.
$(WORK)/gen/skill.h $(WORK)/gen/skill_component_type.o: $(WORK)/gen/made ;
$(WORK)/gen/made: $(WORLDS) $(wildcard $(WIT)/*/*.wit)
	@rm -rf $(WORK)/wit
	@mkdir -p $(WORK)/wit/deps $(@D)
	@cp -R $(WIT)/. $(WORK)/wit/deps/
	@if [ -d wit ]; then cp -R wit/. $(WORK)/wit/; fi
	@"$(BAILIWICK)" wit bindings --lang c --wit wit --deps $(WIT) $(if $(WORLD),--world $(WORLD)) --out $(WORK)/gen
	@touch $@

-include $(OBJECTS:.o=.d)
