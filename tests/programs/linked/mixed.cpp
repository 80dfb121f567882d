// The JIT-compiled half of native.cpp: exceptions cross between the two in both directions.
#include <iostream>
#include <stdexcept>
#include <string>

struct Interface {
    virtual ~Interface() = default;
    virtual std::string name() const = 0;
};
Interface *make_native();
int parse(const std::string &text);
std::size_t journal_size();
int call_and_catch(int (*callback)(int), int x);

static int throws_if_big(int x) {
    if (x > 10)
        throw std::runtime_error("too big");
    return x * 2;
}
int main() {
    std::cout << make_native()->name() << ' ' << parse("2") << ' ' << journal_size() << '\n';
    for (const char *text : {"", "x", "99999999999", "5"}) {
        try {
            std::cout << parse(text) << '\n';
        } catch (const std::invalid_argument &e) {
            std::cout << "invalid: " << e.what() << '\n';
        } catch (const std::exception &e) {
            std::cout << "other: " << e.what() << '\n';
        }
    }
    std::cout << call_and_catch(throws_if_big, 3) << ' ' << call_and_catch(throws_if_big, 30) << '\n';
    return 0;
}
