// The end by an exception that nobody catches, out of a noexcept function: std::terminate, with a
// handler of ours that was never called before, then abort's signal.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

struct Cleanup {
    ~Cleanup() { std::puts("cleanup"); }
};
static void thrower() { throw std::runtime_error("unwanted"); }
static void never() noexcept {
    Cleanup c;
    thrower();
}
static void last_words() {
    try {
        std::rethrow_exception(std::current_exception());
    } catch (const std::exception &e) {
        std::printf("terminating: %s\n", e.what());
    }
    std::fflush(stdout);
    std::abort();
}
int main() {
    std::set_terminate(last_words);
    never();
    return 0;
}
