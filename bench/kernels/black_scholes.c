/* Prices of European call options. The normal distribution is the polynomial 26.2.17 of Abramowitz
 * and Stegun, as NumPy and numexpr have none; logarithm and exponential are the C library's. */
#include <math.h>
#include <stdint.h>

static double normal(double x) {
    double k = 1 / (1 + 0.2316419 * fabs(x));
    double sum = 1.781477937 + k * (-1.821255978 + k * 1.330274429);
    double tail = 0.3989422804014327 * exp(-0.5 * x * x) * k *
                  (0.319381530 + k * (-0.356563782 + k * sum));
    return x < 0 ? tail : 1 - tail;
}

void black_scholes(const double *restrict spots, const double *restrict strikes,
                   const double *restrict years, double *restrict prices, double rate,
                   double volatility, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double spread = volatility * sqrt(years[i]);
        double drift = (rate + 0.5 * volatility * volatility) * years[i];
        double d1 = (log(spots[i] / strikes[i]) + drift) / spread;
        double present = strikes[i] * exp(-rate * years[i]);
        prices[i] = spots[i] * normal(d1) - present * normal(d1 - spread);
    }
}
