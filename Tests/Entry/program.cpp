/* SPDX-License-Identifier: Apache-2.0
 * A C++ program whose initialisers allocate and print, as in C++ they do: they
 * are all run in a worker, once, and what they printed is not printed again. */
#include "entry.h"

#include <iostream>
#include <map>
#include <string>

namespace {

int runs;

struct Noisy {
    std::string text;
    explicit Noisy(const char *name) : text(std::string("an initialiser that allocates: ") + name)
    {
        std::cout << text << "\n";
        runs++;
    }
};

__attribute__((constructor(101))) void first()
{
    runs++;
}

__attribute__((constructor(65535))) void late()
{
    runs++;
}

Noisy noisy("noisy");
std::map<long, std::string> names{{7, "seven"}};
thread_local std::string of_thread = "of the thread";

int square(pebble_call *call)
{
    return runs == 3 && names.at(7) == "seven" && of_thread.size() == 13 ? entry_square(call) : 100 + runs;
}

int caught(pebble_call *call)
{
    long caught = 0;
    try {
        throw std::string("thrown");
    } catch (const std::string &) {
        caught = 1;
    }
    return pebble_call_write(call, &caught, sizeof caught);
}

int crash(pebble_call *call)
{
    return entry_crash(call);
}

} // namespace

int main()
{
    entry_main_entered();
    for (auto method : {PEBBLE_FORK_SERVER, PEBBLE_SPAWN}) {
        pebble_pool *pool = entry_pool(method);
        EXPECT(pool);
        if (entry_expect_value(pool, caught, 0, 1)) return 1;
        if (entry_finish(pool)) return 1;
    }
    return entry_check(square, crash);
}
