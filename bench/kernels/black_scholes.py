"""Prices of a column of options; constants and formula are the C file's."""

import math
from typing import Any

import numpy as np

from bench.kernels import Kernel


def python(spots, strikes, years, prices, rate, volatility, n):  # type: ignore[no-untyped-def]
    # Within the function: Numba compiles what a function calls, too, and one is quicker than two.
    for i in range(n):
        spread = volatility * math.sqrt(years[i])
        drift = (rate + 0.5 * volatility * volatility) * years[i]
        d1 = (math.log(spots[i] / strikes[i]) + drift) / spread
        d2 = d1 - spread
        k = 1 / (1 + 0.2316419 * abs(d1))
        part = 1.781477937 + k * (-1.821255978 + k * 1.330274429)
        part = k * (0.319381530 + k * (-0.356563782 + k * part))
        tail = 0.3989422804014327 * math.exp(-0.5 * d1 * d1) * part
        n1 = tail if d1 < 0 else 1 - tail
        k = 1 / (1 + 0.2316419 * abs(d2))
        part = 1.781477937 + k * (-1.821255978 + k * 1.330274429)
        part = k * (0.319381530 + k * (-0.356563782 + k * part))
        tail = 0.3989422804014327 * math.exp(-0.5 * d2 * d2) * part
        n2 = tail if d2 < 0 else 1 - tail
        present = strikes[i] * math.exp(-rate * years[i])
        prices[i] = spots[i] * n1 - present * n2


def normal(x: Any) -> Any:
    k = 1 / (1 + 0.2316419 * np.abs(x))
    part = 1.781477937 + k * (-1.821255978 + k * 1.330274429)
    part = k * (0.319381530 + k * (-0.356563782 + k * part))
    tail = 0.3989422804014327 * np.exp(-0.5 * x * x) * part
    return np.where(x < 0, tail, 1 - tail)


def numpy(
    spots: Any, strikes: Any, years: Any, prices: Any, rate: float, volatility: float, n: int
) -> None:
    spread = volatility * np.sqrt(years)
    drift = (rate + 0.5 * volatility * volatility) * years
    d1 = (np.log(spots / strikes) + drift) / spread
    present = strikes * np.exp(-rate * years)
    np.subtract(spots * normal(d1), present * normal(d1 - spread), out=prices)


def numexpr(module: Any) -> Any:
    """As few passes as numexpr's language, which has no names within an expression, allows."""
    part = "1.781477937 + k * (-1.821255978 + k * 1.330274429)"
    part = f"k * (0.319381530 + k * (-0.356563782 + k * ({part})))"
    tail = f"0.3989422804014327 * exp(-0.5 * x * x) * {part}"
    evaluate = module.evaluate

    def normal(x: Any) -> Any:
        k = evaluate("1 / (1 + 0.2316419 * abs(x))")
        return evaluate(f"where(x < 0, {tail}, 1 - {tail})", {"x": x, "k": k})

    def call(
        spots: Any, strikes: Any, years: Any, prices: Any, rate: float, volatility: float, n: int
    ) -> None:
        spread = evaluate("volatility * sqrt(years)")
        drift = rate + 0.5 * volatility * volatility
        names = {"spots": spots, "strikes": strikes, "years": years}
        names |= {"drift": drift, "spread": spread}
        d1 = evaluate("(log(spots / strikes) + drift * years) / spread", names)
        names = {"spots": spots, "strikes": strikes, "years": years, "rate": rate}
        names |= {"n1": normal(d1), "n2": normal(d1 - spread)}
        evaluate("spots * n1 - strikes * exp(-rate * years) * n2", names, out=prices)

    return call


def arguments(size: int) -> list[Any]:
    random = np.random.default_rng(7)
    spots, strikes = random.uniform(50, 150, (2, size))
    years = random.uniform(0.1, 2, size)
    return [spots.copy(), strikes.copy(), years, np.zeros(size), 0.05, 0.2, size]


KERNEL = Kernel(
    "black_scholes",
    "void black_scholes(const double *, const double *, const double *, double *, double, double,"
    " int64_t);",
    "void(const double[:], const double[:], const double[:], double[:] prices, double, double,"
    " int64)",
    python,
    numpy,
    numexpr,
    arguments,
    outputs=(3,),
    sizes=(20_000, 2000, 100),
)
