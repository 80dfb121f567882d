"""Black-Scholes: prices of a column of options, with functions of the C library.

    price = S N(d1) - K exp(-r t) N(d2),    N(x) = erfc(-x / sqrt 2) / 2
    d1 = (log(S / K) + (r + v v / 2) t) / (v sqrt t),    d2 = d1 - v sqrt t

`call` is a function of numbers, which Python can call by itself; `calls` applies it to arrays. Both
are compiled together, so that LLVM may inline the one in the other.
"""

import numpy as np

import lazyjit

SOURCE = """
declare double @erfc(double)
declare double @exp(double)
declare double @log(double)
declare double @llvm.sqrt.f64(double)

define internal double @normal(double %x) {
  %scaled = fmul double %x, 0xBFE6A09E667F3BCD          ; -1 / sqrt 2
  %tail = call double @erfc(double %scaled)
  %half = fmul double %tail, 0.5
  ret double %half
}
define double @call(double %spot, double %strike, double %years, double %rate, double %volatility) {
  %root = call double @llvm.sqrt.f64(double %years)
  %spread = fmul double %volatility, %root
  %ratio = fdiv double %spot, %strike
  %log = call double @log(double %ratio)
  %square = fmul double %volatility, %volatility
  %half = fmul double %square, 0.5
  %drift = fadd double %rate, %half
  %drifted = fmul double %drift, %years
  %sum = fadd double %log, %drifted
  %d1 = fdiv double %sum, %spread
  %d2 = fsub double %d1, %spread
  %n1 = call double @normal(double %d1)
  %n2 = call double @normal(double %d2)
  %minus = fneg double %rate
  %exponent = fmul double %minus, %years
  %discount = call double @exp(double %exponent)
  %present = fmul double %strike, %discount
  %gain = fmul double %spot, %n1
  %cost = fmul double %present, %n2
  %price = fsub double %gain, %cost
  ret double %price
}
define void @calls(ptr %spots, i64 %n, ptr %strikes, ptr %years, double %r, double %v,
                   ptr %prices) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %next, label %done
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %sp = getelementptr double, ptr %spots, i64 %i
  %kp = getelementptr double, ptr %strikes, i64 %i
  %tp = getelementptr double, ptr %years, i64 %i
  %pp = getelementptr double, ptr %prices, i64 %i
  %s = load double, ptr %sp
  %k = load double, ptr %kp
  %t = load double, ptr %tp
  %price = call double @call(double %s, double %k, double %t, double %r, double %v)
  store double %price, ptr %pp
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %n
  br i1 %more, label %next, label %done
done:
  ret void
}
"""

with lazyjit.JIT() as jit:
    jit.add(SOURCE, name="options.ll")
    print(f"one: {jit['call'](100.0, 100.0, 1.0, 0.05, 0.2):.4f}")

    calls = jit.callable(
        "calls",
        "void(const double[:] shape spots, const double[:] strikes, const double[:] years,"
        " double rate, double volatility, double[:] prices)",
    )
    random = np.random.default_rng(7)
    spots, strikes = random.uniform(50, 150, (2, 100_000))
    years, prices = random.uniform(0.1, 2, 100_000), np.empty(100_000)
    calls(spots, strikes, years, 0.05, 0.2, prices)
    least = np.maximum(spots - strikes * np.exp(-0.05 * years), 0)
    print("all within their bounds:", bool(np.all((prices >= least - 1e-9) & (prices <= spots))))
