// Objects: virtual calls, multiple and virtual inheritance, RTTI, pointers to members, covariant
// returns, calls during construction, placement new, operators, and copy elision.
#include <iostream>
#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

struct Animal {
    explicit Animal(std::string n) : name(std::move(n)) { describe("constructing"); }
    virtual ~Animal() { describe("destroying"); }
    virtual std::string sound() const { return "..."; }
    virtual Animal *clone() const { return new Animal(*this); }
    void describe(const char *when) const { std::cout << when << ' ' << name << " (" << sound() << ")\n"; }
    std::string name;
};
struct Walker {
    virtual ~Walker() = default;
    virtual int legs() const = 0;
    long walked = 0;
};
struct Dog : Animal, Walker {
    using Animal::Animal;
    std::string sound() const override { return "woof"; }
    Dog *clone() const override { return new Dog(*this); }
    int legs() const override { return 4; }
};
struct Puppy final : Dog {
    using Dog::Dog;
    std::string sound() const override { return "yip, not " + Dog::sound(); }
};
struct Bird : Animal, Walker {
    using Animal::Animal;
    int legs() const override { return 2; }
};

struct Top { int top = 1; virtual int id() const { return top; } virtual ~Top() = default; };
struct A : virtual Top { int a = 2; int id() const override { return top * 10 + a; } };
struct B : virtual Top { int b = 3; };
struct Diamond : A, B { int d = 4; int id() const override { return A::id() * 100 + b * 10 + d; } };

struct Operations {
    int value = 10;
    int add(int x) { return value += x; }
    int subtract(int x) { return value -= x; }
    virtual int scale(int x) { return value *= x; }
};
struct Doubled : Operations { int scale(int x) override { return value *= 2 * x; } };

struct Number {
    long v;
    friend Number operator+(Number a, Number b) { return {a.v + b.v}; }
    friend Number operator*(Number a, Number b) { return {a.v * b.v}; }
    friend auto operator<=>(const Number &, const Number &) = default;
    Number &operator++() { ++v; return *this; }
    explicit operator bool() const { return v != 0; }
    long operator()(long x) const { return v * x; }
    long operator[](int bit) const { return v >> bit & 1; }
    friend std::ostream &operator<<(std::ostream &out, Number n) { return out << "N" << n.v; }
};
static Number operator""_n(unsigned long long v) { return {static_cast<long>(v)}; }

struct Counted {
    static inline int copies, moves;
    Counted() = default;
    Counted(const Counted &) { ++copies; }
    Counted(Counted &&) noexcept { ++moves; }
    int filler[10] = {};
};
static Counted produce(bool which) {
    Counted c;
    if (which)
        return Counted();
    return c;
}

int main() {
    {
        std::vector<std::unique_ptr<Animal>> zoo;
        zoo.emplace_back(new Dog("Rex"));
        zoo.emplace_back(new Puppy("Tiny"));
        zoo.emplace_back(new Bird("Tweety"));
        zoo.emplace_back(zoo[0]->clone());
        zoo.emplace_back(new Animal("Thing"));
        for (const auto &animal : zoo) {
            auto *walker = dynamic_cast<Walker *>(animal.get());
            auto *dog = dynamic_cast<const Dog *>(animal.get());
            std::cout << animal->name << ' ' << animal->sound() << ' ' << (walker ? walker->legs() : 0) << ' '
                      << (dog != nullptr) << ' ' << typeid(*animal).name() << ' '
                      << (walker && dynamic_cast<Animal *>(walker) == animal.get()) << '\n';
        }
        Walker *walker = dynamic_cast<Walker *>(zoo[1].get());
        std::cout << (typeid(*walker) == typeid(Puppy)) << ' ' << (dynamic_cast<void *>(walker) == zoo[1].get()) << '\n';
    }
    Diamond diamond;
    Top &top = diamond;
    B &b = diamond;
    std::cout << top.id() << ' ' << b.id() << ' ' << dynamic_cast<A &>(b).a << '\n';
    Doubled object;
    int (Operations::*const members[])(int) = {&Operations::add, &Operations::subtract, &Operations::scale};
    for (auto member : members)
        std::cout << (object.*member)(3) << ' ';
    int Operations::*field = &Operations::value;
    std::cout << object.*field << '\n';
    Number n = 5_n + 3_n * 2_n;
    std::cout << ++n << ' ' << (n > 10_n) << ' ' << (n == 12_n) << ' ' << n(4) << ' ' << n[2] << ' ' << bool(0_n) << '\n';
    Counted one = produce(true), two = produce(false), three(one), four(std::move(two));
    (void)three, (void)four;
    std::cout << Counted::copies << '\n';
    alignas(Dog) unsigned char storage[sizeof(Dog)];
    Dog *placed = new (storage) Dog("Placed");
    placed->~Dog();
    return 0;
}
