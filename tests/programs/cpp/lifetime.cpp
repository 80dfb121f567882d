// Static storage: constructors before main in order, destructors after it in reverse, function-local
// statics made at first use (and tried again after an exception), inline variables, iostream itself.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

// Through the C library: inline and template variables may be made before std::cout is.
static void say(const char *what, const std::string &name) {
    std::printf("%s %s\n", what, name.c_str());
    std::fflush(stdout);
}
struct Announced {
    explicit Announced(std::string n) : name(std::move(n)) { say("make", name); }
    ~Announced() { say("destroy", name); }
    std::string name;
};

Announced first("first");
static Announced second("second, after " + first.name);
namespace {
Announced anonymous("anonymous");
}
[[gnu::init_priority(200)]] Announced early("early");
inline Announced shared_inline("inline");
template <typename T> struct Holder {
    static Announced value;
};
template <typename T> Announced Holder<T>::value("template static");
template struct Holder<int>;

static std::map<std::string, int> table = {{"one", 1}, {"two", 2}, {"three", 3}};
static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const auto &[name, value] : table)
        result.push_back(name + "=" + std::to_string(value));
    return result;
}();

static Announced &lazy() {
    static Announced local("function static");
    return local;
}
static int attempts;
struct Stubborn {
    Stubborn() {
        if (++attempts < 3)
            throw attempts;
    }
};
static void stubborn() { static Stubborn s; }
static int constant_initialized = 5;
static int dynamic_initialized = constant_initialized * std::atoi("4");

int main(int argc, char **argv) {
    std::cout << "main " << argc << ' ' << names.size() << ' ' << names[1] << std::endl;
    lazy();
    lazy();
    for (int i = 0; i < 4; ++i) {
        try {
            stubborn();
            std::cout << "made after " << attempts << '\n';
        } catch (int n) {
            std::cout << "attempt " << n << '\n';
        }
    }
    std::cout << constant_initialized << ' ' << dynamic_initialized << '\n';
    std::cout << std::hex << 255 << ' ' << std::showbase << 255 << std::dec << ' ' << std::setw(8)
              << std::setfill('*') << 42 << ' ' << std::fixed << std::setprecision(3) << 3.14159 << ' '
              << std::scientific << 12345.678 << ' ' << std::boolalpha << true << '\n';
    std::istringstream words("10 20 thirty 40");
    int number, sum = 0;
    while (words >> number)
        sum += number;
    words.clear();
    std::string word;
    words >> word;
    std::cout << std::defaultfloat << sum << ' ' << word << '\n';
    std::string line;
    int lines = 0;
    while (std::getline(std::cin, line))
        std::cout << ++lines << ": " << std::quoted(line) << '\n';
    {
        std::ofstream out("lifetime.txt");
        out << "written " << 1.5 << '\n';
    }
    std::ifstream in("lifetime.txt");
    std::getline(in, line);
    std::cout << line << '\n';
    std::cerr << "to cerr\n";
    std::clog << "to clog\n";
    std::atexit([] { std::cout << "atexit" << std::endl; });
    if (argc > 2)
        std::exit(9);
    return argc;
}
