// std::thread and what goes with it: first calls of one function from many threads, thread_local
// objects with constructors and destructors, futures, exceptions that cross threads, atomics.
#include <atomic>
#include <condition_variable>
#include <future>
#include <iostream>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> made, destroyed, total;
struct PerThread {
    PerThread() { ++made; }
    ~PerThread() { ++destroyed; }
    int value = 0;
    std::string text = "thread text that does not fit a small string";
};
static thread_local PerThread object;
static thread_local int plain = 7;
thread_local std::vector<int> exported_vector{1, 2, 3};
inline thread_local int inline_local = 11;

template <int N> [[gnu::noinline]] int step(int x) {
    if constexpr (N == 0)
        return x;
    else
        return step<N - 1>((x * 3 + N) % 1000003);
}
struct Shape {
    virtual ~Shape() = default;
    virtual int area(int) const = 0;
};
struct Square : Shape {
    int area(int n) const override { return n * n; }
};
struct Circle : Shape {
    int area(int n) const override { return 3 * n * n; }
};

static std::mutex lock;
static std::condition_variable changed;
static bool go;
static std::once_flag once;
static int once_count;

static void work(int id, long *result) {
    {
        std::unique_lock<std::mutex> held(lock);
        changed.wait(held, [] { return go; });
    }
    std::call_once(once, [] { ++once_count; });
    object.value += id;
    plain += id;
    inline_local *= 2;
    exported_vector.push_back(id);
    long sum = step<30>(id) + object.value + plain + inline_local;
    const Square square;
    const Circle circle;
    const Shape *shapes[] = {&square, &circle};
    for (int i = 0; i < 100; ++i)
        sum += shapes[(i + id) % 2]->area(i);
    sum += std::accumulate(exported_vector.begin(), exported_vector.end(), 0);
    total += id;
    *result = sum;
}

int main() {
    constexpr int count = 12;
    std::vector<std::thread> threads;
    std::vector<long> results(count);
    for (int i = 0; i < count; ++i)
        threads.emplace_back(work, i, &results[i]);
    {
        std::lock_guard<std::mutex> held(lock);
        go = true;
    }
    changed.notify_all();
    for (auto &thread : threads)
        thread.join();
    for (long result : results)
        std::cout << result << ' ';
    std::cout << '\n' << total << ' ' << once_count << ' ' << (made == destroyed) << ' ' << made << '\n';
    std::cout << plain << ' ' << inline_local << ' ' << exported_vector.size() << ' ' << object.text << '\n';

    auto future = std::async(std::launch::async, [](int n) { return step<20>(n); }, 5);
    auto failing = std::async(std::launch::async, []() -> int { throw std::runtime_error("in a thread"); });
    std::cout << future.get() << '\n';
    try {
        failing.get();
    } catch (const std::runtime_error &e) {
        std::cout << e.what() << '\n';
    }
    std::promise<std::string> promise;
    auto answer = promise.get_future();
    std::thread([](std::promise<std::string> p) { p.set_value("kept"); }, std::move(promise)).join();
    std::cout << answer.get() << '\n';

    std::shared_mutex shared;
    long guarded = 0;
    std::vector<std::thread> mixed;
    for (int i = 0; i < 4; ++i) {
        mixed.emplace_back([&] { for (int k = 0; k < 1000; ++k) { std::unique_lock<std::shared_mutex> w(shared); ++guarded; } });
        mixed.emplace_back([&] { for (int k = 0; k < 1000; ++k) { std::shared_lock<std::shared_mutex> r(shared); if (guarded < 0) std::abort(); } });
    }
    for (auto &thread : mixed)
        thread.join();
    std::cout << guarded << '\n';
    return 0;
}
