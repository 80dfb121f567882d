// The standard library's templates: containers, algorithms, strings, regular expressions, functions,
// variants, smart pointers, ranges, random numbers, coroutines; all instantiated in this module.
#include <algorithm>
#include <any>
#include <array>
#include <bitset>
#include <charconv>
#include <chrono>
#include <coroutine>
#include <deque>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <ranges>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

template <typename T> struct Generator {
    struct promise_type {
        T current{};
        Generator get_return_object() { return Generator{std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(T value) { current = value; return {}; }
        void return_void() {}
        void unhandled_exception() { throw; }
    };
    explicit Generator(std::coroutine_handle<promise_type> h) : handle(h) {}
    Generator(Generator &&other) noexcept : handle(std::exchange(other.handle, {})) {}
    ~Generator() { if (handle) handle.destroy(); }
    bool next() { handle.resume(); return !handle.done(); }
    T value() const { return handle.promise().current; }
    std::coroutine_handle<promise_type> handle;
};
static Generator<long> fibonacci(int count) {
    long a = 0, b = 1;
    for (int i = 0; i < count; ++i) {
        co_yield a;
        a = std::exchange(b, a + b);
    }
}
template <typename... T> static auto fold(T... values) { return (... + values); }
template <std::size_t... I> static int indices(std::index_sequence<I...>) { return (int(I * I) + ...); }
template <typename T> concept Printable = requires(std::ostream &out, T t) { out << t; };
template <Printable T> static std::string show(const T &t) { std::ostringstream s; s << t; return s.str(); }
constexpr int factorial(int n) { return n ? n * factorial(n - 1) : 1; }

int main() {
    std::vector<int> numbers(100);
    std::iota(numbers.begin(), numbers.end(), 1);
    std::mt19937 random(12345);
    std::shuffle(numbers.begin(), numbers.end(), random);
    std::sort(numbers.begin(), numbers.begin() + 50);
    std::stable_sort(numbers.begin() + 50, numbers.end(), [](int a, int b) { return a % 10 < b % 10; });
    std::cout << numbers[0] << ' ' << numbers[49] << ' ' << numbers[50] % 10 << ' ' << numbers[99] % 10 << '\n';
    std::cout << std::accumulate(numbers.begin(), numbers.end(), 0) << ' ' << std::count_if(numbers.begin(), numbers.end(), [](int x) { return x % 3 == 0; }) << '\n';

    std::map<std::string, std::vector<int>> index;
    std::unordered_map<std::string, int> counts;
    std::istringstream text("the cat saw the dog and the dog saw the cat");
    std::string word;
    for (int position = 0; text >> word; ++position) {
        index[word].push_back(position);
        ++counts[word];
    }
    for (const auto &[key, positions] : index)
        std::cout << key << ':' << positions.size() << '@' << positions.front() << ' ';
    std::cout << counts["the"] << '\n';

    std::set<int> set{5, 3, 8, 3, 1};
    std::deque<int> deque(set.rbegin(), set.rend());
    std::list<int> list(deque.begin(), deque.end());
    list.sort();
    list.remove_if([](int x) { return x == 3; });
    std::priority_queue<int, std::vector<int>, std::greater<>> queue(list.begin(), list.end());
    std::cout << set.size() << ' ' << deque.front() << ' ' << list.size() << ' ' << queue.top() << '\n';

    std::regex pattern(R"((\w+)@(\w+)\.com)");
    std::string mail = "write to ann@example.com or bob@test.com";
    for (std::sregex_iterator it(mail.begin(), mail.end(), pattern), end; it != end; ++it)
        std::cout << (*it)[1] << " at " << (*it)[2] << "; ";
    std::cout << std::regex_replace(mail, pattern, "<$1>") << '\n';

    std::function<int(int)> add;
    int captured = 10;
    std::unique_ptr<int> owned = std::make_unique<int>(5);
    add = [captured, &numbers](int x) { return x + captured + int(numbers.size()); };
    auto moved = [owned = std::move(owned)](auto x) { return x * *owned; };
    std::cout << add(1) << ' ' << moved(3) << ' ' << moved(2.5) << ' ' << std::bind_front(std::plus<>(), 7)(8) << ' ' << std::invoke(&std::string::size, mail) << '\n';

    std::variant<int, std::string, double> variant = "text";
    auto visitor = [](const auto &v) { return show(v); };
    std::cout << std::visit(visitor, variant) << ' ' << variant.index() << ' ';
    variant = 2.5;
    std::cout << std::visit(visitor, variant) << '\n';
    std::optional<std::string> nothing, something = "some";
    std::any any = std::string("any");
    std::cout << nothing.value_or("none") << ' ' << *something << ' ' << std::any_cast<std::string>(any) << '\n';
    auto shared = std::make_shared<std::vector<int>>(3, 9);
    std::weak_ptr<std::vector<int>> weak = shared;
    auto tuple = std::make_tuple(1, std::string("two"), 3.0);
    std::cout << shared.use_count() << ' ' << weak.lock()->size() << ' ' << std::get<1>(tuple) << ' ' << std::apply([](auto... x) { return sizeof...(x); }, tuple) << '\n';

    std::cout << fold(1, 2.5, 3L) << ' ' << fold(std::string("a"), "b") << ' ' << indices(std::make_index_sequence<6>()) << ' ' << factorial(10) << ' ' << show(1.25) << '\n';
    auto squares = numbers | std::views::filter([](int x) { return x % 20 == 0; }) | std::views::transform([](int x) { return x * x; });
    std::vector<int> sorted(squares.begin(), squares.end());
    std::ranges::sort(sorted, std::ranges::greater());
    for (int square : sorted)
        std::cout << square << ' ';
    std::cout << '\n';
    auto generator = fibonacci(50);
    long sum = 0;
    while (generator.next())
        sum += generator.value() % 1000;
    std::cout << "coroutine " << sum << '\n';
    int parsed = 0;
    std::string_view view = "1234xyz";
    auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), parsed);
    std::cout << parsed << ' ' << end - view.data() << ' ' << int(error) << ' ' << std::bitset<12>(parsed) << ' ' << std::stod("2.75e2") << '\n';
    std::array<int, 5> array{5, 4, 3, 2, 1};
    std::span<int> span(array);
    std::ranges::reverse(span.subspan(1, 3));
    std::next_permutation(array.begin(), array.end());
    for (int x : array)
        std::cout << x;
    std::uniform_int_distribution<int> dice(1, 6);
    std::normal_distribution<double> normal;
    std::cout << ' ' << dice(random) << ' ' << (normal(random) < 100) << ' ' << (std::chrono::seconds(90) > std::chrono::minutes(1)) << '\n';
    std::string big(1000, 'a');
    big.replace(500, 3, "XYZ").insert(0, "start").append(std::bitset<4>(5).to_string());
    std::cout << big.size() << ' ' << big.find("XYZ") << ' ' << big.substr(0, 7) << ' ' << std::hash<std::string>()(big) % 1 << '\n';
    return 0;
}
