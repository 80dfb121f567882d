// Compiled by gcc to an object: exceptions, virtual functions, static data and thread-local ones in
// code that the JIT only links.
#include <stdexcept>
#include <string>
#include <vector>

struct Interface {
    virtual ~Interface() = default;
    virtual std::string name() const = 0;
};
struct Native : Interface {
    std::string name() const override { return "native"; }
};
static std::vector<std::string> journal = {"made by gcc"};
static thread_local int per_thread = 40;

Interface *make_native() {
    static Native only;
    return &only;
}
int parse(const std::string &text) {
    ++per_thread;
    journal.push_back(text);
    if (text.empty())
        throw std::invalid_argument("empty");
    return std::stoi(text) + per_thread;
}
std::size_t journal_size() { return journal.size(); }
int call_and_catch(int (*callback)(int), int x) {
    try {
        return callback(x);
    } catch (const std::runtime_error &e) {
        return -static_cast<int>(std::string(e.what()).size());
    }
}
