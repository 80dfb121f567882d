// C++ frames between a Python call and a function that can't be had. Built by the tests, with g++.
#include <stdexcept>

typedef long binary(long, long);

extern "C" {
int probe_destroyed = 0;
int probe_caught = 0;
}

namespace {
struct Witness {
    ~Witness() { probe_destroyed++; }
};
} // namespace

extern "C" long probe_cxx_through(binary *fn, long depth) {
    Witness witness;
    if (depth > 1)
        return probe_cxx_through(fn, depth - 1) + 1;
    return fn(1, 2);
}

// Its catch (...) takes the failure, and doesn't throw it on.
extern "C" long probe_cxx_swallow(binary *fn) {
    try {
        return fn(1, 2);
    } catch (...) {
        probe_caught++;
        return -7;
    }
}

extern "C" long probe_cxx_rethrow(binary *fn) {
    try {
        Witness witness;
        return fn(1, 2);
    } catch (...) {
        probe_caught++;
        throw;
    }
}

extern "C" long probe_cxx_throw(long a, long b) { throw std::runtime_error("thrown"); }

// An exception thrown by what a stub leads to passes the stub, which is no frame.
extern "C" long probe_cxx_catch(binary *fn) {
    try {
        return fn(1, 2);
    } catch (const std::runtime_error &) {
        return 17;
    }
}
