// Exceptions thrown across functions that were compiled apart and late: through cleanups, filters,
// rethrow, nested and stored exceptions, from constructors, out of code that the C library called.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

struct Trace {
    explicit Trace(const char *n) : name(n) { std::cout << "+" << name << ' '; }
    ~Trace() { std::cout << "-" << name << ' '; }
    const char *name;
};

struct Base {
    virtual ~Base() = default;
    virtual const char *what() const { return "Base"; }
};
struct Left : virtual Base {
    const char *what() const override { return "Left"; }
};
struct Right : virtual Base {};
struct Bottom : Left, Right {
    int payload[20] = {7};
};

[[gnu::noinline]] static void raise(int kind) {
    Trace t("raise");
    switch (kind) {
    case 0: throw 42;
    case 1: throw std::string("a string");
    case 2: throw std::runtime_error("runtime");
    case 3: throw Bottom();
    case 4: throw "literal";
    case 5: throw std::out_of_range("range");
    case 6: throw std::make_unique<int>(6);
    case 7: throw nullptr;
    case 8: (void)std::vector<int>().at(1);
    }
}
[[gnu::noinline]] static void through(int depth, int kind) {
    Trace t(depth % 2 ? "odd" : "even");
    std::string local(depth * 10, 'x');
    if (depth == 0)
        raise(kind);
    else
        through(depth - 1, kind);
}
static std::string catcher(int kind) {
    try {
        through(3, kind);
        return "nothing";
    } catch (int i) {
        return "int " + std::to_string(i);
    } catch (const std::string &s) {
        return s;
    } catch (const std::out_of_range &) {
        return "out_of_range";
    } catch (const std::exception &e) {
        return std::string("exception ") + e.what();
    } catch (const Base &b) {
        return b.what();
    } catch (const char *c) {
        return c ? c : "nullptr";
    } catch (...) {
        return "something";
    }
}
struct Member {
    explicit Member(int n) : n(n) {
        if (n == 3)
            throw std::invalid_argument("member 3");
        std::cout << "m" << n << ' ';
    }
    ~Member() { std::cout << "~m" << n << ' '; }
    int n;
};
struct Whole {
    Member a{1}, b{2}, c{3};
    Whole() try { } catch (const std::exception &e) { std::cout << "[" << e.what() << "] "; }
};
static int refuse(const void *a, const void *b) {
    if (*static_cast<const int *>(a) == 5)
        throw std::logic_error("comparison");
    return *static_cast<const int *>(a) - *static_cast<const int *>(b);
}
static void nested(int level) {
    try {
        if (level == 0)
            throw std::runtime_error("root");
        nested(level - 1);
    } catch (...) {
        std::throw_with_nested(std::runtime_error("level " + std::to_string(level)));
    }
}
static void unwrap(const std::exception &e) {
    std::cout << e.what() << " < ";
    try {
        std::rethrow_if_nested(e);
        std::cout << "end\n";
    } catch (const std::exception &inner) {
        unwrap(inner);
    }
}
struct Noisy {
    ~Noisy() { std::cout << "uncaught " << std::uncaught_exceptions() << ' '; }
};
static bool quiet() noexcept { return true; }

int main() {
    for (int kind = 0; kind <= 8; ++kind)
        std::cout << "=> " << catcher(kind) << '\n';
    try {
        Whole w;
    } catch (const std::invalid_argument &e) {
        std::cout << "=> " << e.what() << '\n';
    }
    int numbers[] = {1, 5, 3, 2, 4};
    try {
        std::qsort(numbers, 5, sizeof(int), refuse);
    } catch (const std::logic_error &e) {
        std::cout << "qsort => " << e.what() << '\n';
    }
    try {
        std::vector<int> v{3, 1, 2};
        std::for_each(v.begin(), v.end(), [](int x) { if (x == 1) throw x; });
    } catch (int x) {
        std::cout << "for_each => " << x << '\n';
    }
    try {
        nested(3);
    } catch (const std::exception &e) {
        unwrap(e);
    }
    std::exception_ptr stored;
    try {
        through(1, 2);
    } catch (...) {
        stored = std::current_exception();
    }
    try {
        std::rethrow_exception(stored);
    } catch (const std::runtime_error &e) {
        std::cout << "stored => " << e.what() << '\n';
    }
    try {
        try {
            Noisy n;
            throw 1;
        } catch (int) {
            Trace t("rethrow");
            throw;
        }
    } catch (int i) {
        std::cout << "=> " << i << '\n';
    }
    try {
        std::function<void(int)> recursive = [&](int n) { if (!n) throw n; recursive(n - 1); };
        recursive(20);
    } catch (int n) {
        std::cout << "function => " << n << '\n';
    }
    try {
        volatile std::size_t too_much = static_cast<std::size_t>(-1) / 2;
        (void)::operator new(too_much);
    } catch (const std::bad_alloc &) {
        std::cout << "bad_alloc\n";
    }
    try {
        (void)dynamic_cast<Bottom &>(static_cast<Base &>(*std::make_unique<Left>()));
    } catch (const std::bad_cast &) {
        std::cout << "bad_cast\n";
    }
    int caught = 0;
    for (int i = 0; i < 2000; ++i) {
        try {
            if (i % 2)
                throw i;
        } catch (int) {
            ++caught;
        }
    }
    std::cout << caught << ' ' << quiet() << '\n';
    return 0;
}
