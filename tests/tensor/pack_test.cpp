// Packs against long double and against scalar C++, on every instruction set this machine has.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>
#include <xgrad/tensor/pack.hpp>
#include <xgrad/tensor/pack_math.hpp>

using namespace xgrad::simd;

namespace {

template <class T>
constexpr T Inf = std::numeric_limits<T>::infinity();
template <class T>
constexpr T NaN = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T denormal = std::numeric_limits<T>::denorm_min();

// Elementwise out = f(in), as a kernel does it: whole packs, then a partial one.
template <class T, int N, class F>
[[gnu::always_inline]] inline void apply(F f, const T* in, T* out, int n) {
  int i = 0;
  for (; i + N <= n; i += N) f(Pack<T, N>::load(in + i)).store(out + i);
  if (i < n) f(Pack<T, N>::load_partial(in + i, n - i)).store_partial(out + i, n - i);
}

template <class T, int Bytes, class F>
__attribute__((flatten)) void plain(F f, const T* in, T* out, int n) {
  apply<T, Bytes / sizeof(T)>(f, in, out, n);
}

#if defined(__x86_64__) && !defined(__AVX2__)
#define XGRAD_TEST_TARGETS
template <class T, int Bytes, class F>
__attribute__((target("arch=x86-64-v3"), flatten)) void on_v3(F f, const T* in, T* out, int n) {
  apply<T, Bytes / sizeof(T)>(f, in, out, n);
}
template <class T, int Bytes, class F>
__attribute__((target("arch=x86-64-v4"), flatten)) void on_v4(F f, const T* in, T* out, int n) {
  apply<T, Bytes / sizeof(T)>(f, in, out, n);
}
#endif

// check(name of the instruction set, run), where run(in, out, n) applies f.
template <class T, class F, class Check>
void on_each_isa(F f, Check check) {
  using Run = void (*)(F, const T*, T*, int);
  auto with = [&](const char* isa, Run run) {
    check(std::string(isa), [&](const T* in, T* out, int n) { run(f, in, out, n); });
  };
  with("baseline, 16 bytes", plain<T, 16, F>);
#ifdef XGRAD_TEST_TARGETS
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) with("v3", on_v3<T, 32, F>);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) with("v4", on_v4<T, 64, F>);
#endif
#ifdef __AVX2__
  with("native, 32 bytes", plain<T, 32, F>);
#endif
#ifdef __AVX512F__
  with("native, 64 bytes", plain<T, 64, F>);
#endif
}

// Functions as types: a generic lambda has no name to print.
#define XGRAD_TEST_FUNCTION(f, reference)            \
  struct f##_row {                                   \
    static constexpr const char* name = #f;          \
    template <class P>                               \
    [[gnu::always_inline]] P operator()(P x) const { \
      return f(x);                                   \
    }                                                \
    template <class R>                               \
    static R exact(R x) {                            \
      return reference;                              \
    }                                                \
  };
XGRAD_TEST_FUNCTION(exp, std::exp(x))
XGRAD_TEST_FUNCTION(expm1, std::expm1(x))
XGRAD_TEST_FUNCTION(log, std::log(x))
XGRAD_TEST_FUNCTION(log1p, std::log1p(x))
XGRAD_TEST_FUNCTION(tanh, std::tanh(x))
XGRAD_TEST_FUNCTION(sigmoid, 1 / (1 + std::exp(-x)))
XGRAD_TEST_FUNCTION(softplus, x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)))
XGRAD_TEST_FUNCTION(sqrt, std::sqrt(x))
#undef XGRAD_TEST_FUNCTION

// Distance in units of the last place of the exact result; infinity stands one unit above the largest.
template <class T, class R>
double ulps(T got, R exact) {
  using L = std::numeric_limits<T>;
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got) ? 0 : 1e9;
  if (std::isinf(exact)) return R(got) == exact ? 0 : 1e9;
  auto wide = [](auto x) {
    return std::isinf(x) ? std::copysign(std::ldexp(R(1), L::max_exponent), R(x)) : R(x);
  };
  int exponent = std::max(exact == 0 ? L::min_exponent : std::ilogb(exact), L::min_exponent - 1);
  R ulp = std::ldexp(R(1), exponent - (L::digits - 1));
  if (exponent >= L::max_exponent) return std::isinf(got) ? 0 : 1e9;
  return double(std::abs(wide(got) - exact) / ulp);
}

template <class T>
std::vector<T> special_points() {
  using L = std::numeric_limits<T>;
  std::vector<T> v = {0,
                      denormal<T>,
                      3 * denormal<T>,
                      L::min() - denormal<T>,
                      L::min(),
                      3 * L::min(),
                      L::epsilon(),
                      L::epsilon() / 2,
                      L::epsilon() / 4,
                      T(0.25),
                      T(0.29289321),
                      T(0.41421356),
                      T(0.5),
                      T(0.625),
                      T(0.70710678),
                      T(1),
                      T(1.4142135),
                      T(2),
                      T(0.34657359),
                      T(1.0397208),
                      T(17.33),
                      T(37.43),
                      T(88.72),
                      T(88.73),
                      T(87.3),
                      T(103.9),
                      T(104),
                      T(105),
                      T(708.4),
                      T(709.78),
                      T(709.79),
                      T(745.1),
                      T(745.2),
                      T(746),
                      T(1e9),
                      T(1e30),
                      L::max(),
                      Inf<T>,
                      NaN<T>};
  const std::size_t count = v.size();
  for (std::size_t i = 0; i < count; ++i) {
    v.push_back(std::nextafter(v[i], T(0)));
    v.push_back(std::nextafter(v[i], Inf<T>));
  }
  const std::size_t both = v.size();
  for (std::size_t i = 0; i < both; ++i) v.push_back(-v[i]);
  return v;
}

std::vector<float> points(float) {
#ifdef __OPTIMIZE__
  constexpr int step = 997;
#else
  constexpr int step = 9973;
#endif
  auto v = special_points<float>();
  for (std::uint64_t b = 0; b < (1ull << 32); b += step) v.push_back(std::bit_cast<float>(std::uint32_t(b)));
  return v;
}

std::vector<double> points(double) {
  auto v = special_points<double>();
  std::mt19937_64 random(20240229);
  for (std::uint64_t high = 0; high < 4096; ++high) {  // 24 fractions for every sign and exponent
    for (int i = 0; i < 24; ++i) v.push_back(std::bit_cast<double>(high << 52 | random() >> 12));
  }
  for (double limit : {750.0, 40.0, 2.0, 0.01}) {
    std::uniform_real_distribution<double> near(-limit, limit);
    for (int i = 0; i < 30000; ++i) v.push_back(near(random));
  }
  std::uniform_real_distribution<double> near_one(0.98, 1.02);
  for (int i = 0; i < 20000; ++i) v.push_back(near_one(random));
  return v;
}

template <class T>
bool same(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

template <class Row, class T, class Wide>
void sweep() {
  const auto in = points(T());
  const int n = int(in.size());
  std::vector<Wide> exact(in.size());
  for (int i = 0; i < n; ++i) exact[i] = Row::exact(Wide(in[i]));
  std::vector<T> out(in.size());
  on_each_isa<T>(Row{}, [&](const std::string& isa, auto run) {
    run(in.data(), out.data(), n);
    double worst = 0;
    int at = 0;
    for (int i = 0; i < n; ++i) {
      const double error = ulps(out[i], exact[i]);
      if (error > worst) worst = error, at = i;
    }
    INFO(Row::name << " on " << isa << ", x = " << in[at] << ", got " << out[at] << ", exact "
                   << double(exact[at]));
    CHECK(worst <= 2);
  });
}

// f at each x, in every lane and at every length of a partial pack: always the same bits.
template <class T, class F>
void at(F f, std::vector<std::pair<T, T>> rows) {
  on_each_isa<T>(f, [&](const std::string& isa, auto run) {
    for (auto [x, y] : rows) {
      for (int n = 1; n <= 33; ++n) {
        std::vector<T> in(n, T(0.75)), out(n);
        in[n / 2] = in[n - 1] = x;
        run(in.data(), out.data(), n);
        INFO(isa << ", x = " << x << ", n = " << n << ", got " << out[n - 1] << ", expected " << y);
        REQUIRE(same(out[n - 1], y));
        REQUIRE(same(out[n / 2], y));
      }
    }
  });
}

template <class T, int N>
void partial() {
  for (int n = 0; n <= N; ++n) {
    std::vector<T> exactly(n);  // the address sanitizer watches both ends
    for (int i = 0; i < n; ++i) exactly[i] = T(i + 2);
    auto x = Pack<T, N>::load_partial(exactly.data(), n);
    for (int i = 0; i < N; ++i) REQUIRE(x[i] == (i < n ? T(i + 2) : n > 0 ? T(2) : T(0)));

    std::vector<T> guarded(N + 2, T(-7));
    (x + 1).store_partial(guarded.data() + 1, n);
    for (int i = 0; i < N + 2; ++i) REQUIRE(guarded[i] == (i >= 1 && i <= n ? T(i + 2) : T(-7)));
    (x + 1).store_partial(exactly.data(), n);
    for (int i = 0; i < n; ++i) REQUIRE(exactly[i] == T(i + 3));
  }
  T odd[N + 1];  // whole packs at an address that is aligned for one element only
  for (int i = 0; i <= N; ++i) odd[i] = T(i);
  (Pack<T, N>::load(odd + 1) * 2).store(odd + 1);
  for (int i = 0; i <= N; ++i) REQUIRE(odd[i] == T(2 * i));
}

// Packs as wide as each set has them: what is read ends with its array, what is written has neighbours.
template <class T>
void first_elements() {
  on_each_isa<T>([](auto x) { return x + 1; },
                 [](const std::string& isa, auto run) {
                   INFO(isa);
                   for (int n = 0; n <= 33; ++n) {
                     std::vector<T> in(n), out(n + 2, T(-7));
                     for (int i = 0; i < n; ++i) in[i] = T(i + 2);
                     run(in.data(), out.data() + 1, n);
                     for (int i = 0; i < n + 2; ++i) REQUIRE(out[i] == (i >= 1 && i <= n ? T(i + 2) : T(-7)));
                   }
                 });
}

template <class T, int N>
void lanewise() {
  using P = Pack<T, N>;
  const T values[] = {T(-3), T(5), T(0), T(2), T(-1), T(7)};
  for (T a : values) {
    for (T b : values) {
      const P x = a, y = b;
      for (int i = 0; i < N; ++i) {
        REQUIRE((x + y)[i] == a + b);
        REQUIRE((x - 1)[i] == a - 1);
        REQUIRE((2 * x)[i] == 2 * a);
        REQUIRE((-x)[i] == -a);
        REQUIRE(abs(x)[i] == (a < 0 ? -a : a));
        REQUIRE(mul_add(x, y, 1)[i] == a * b + 1);
        REQUIRE(maximum(x, y)[i] == std::max(a, b));
        REQUIRE(minimum(x, y)[i] == std::min(a, b));
        REQUIRE((x < y)[i] == (a < b));
        REQUIRE((x <= y)[i] == (a <= b));
        REQUIRE((x > y)[i] == (a > b));
        REQUIRE((x >= y)[i] == (a >= b));
        REQUIRE((x == y)[i] == (a == b));
        REQUIRE((x != y)[i] == (a != b));
        REQUIRE(where(x > 0, 1, y)[i] == (a > 0 ? 1 : b));
        REQUIRE(where((x > 0) & !(y > 0), 1, 2)[i] == (a > 0 && !(b > 0) ? 1 : 2));
        REQUIRE(where((x > 0) | (y > 0), 1, 2)[i] == (a > 0 || b > 0 ? 1 : 2));
      }
      P z = x;
      z += y;
      z *= 2;
      z -= 1;
      REQUIRE(z[N - 1] == 2 * (a + b) - 1);
    }
  }
  for (int i = 0; i < N; ++i) {
    T lane[N] = {};
    lane[i] = 1;
    const auto one = P::load(lane) > 0;
    REQUIRE(any(one));
    REQUIRE(all(one) == (N == 1));
    REQUIRE(all(!one) == false);
    REQUIRE(any(!one) == (N > 1));
  }
  REQUIRE(all(P(1) == 1));
  REQUIRE_FALSE(any(P(1) == 2));
}

}  // namespace

TEMPLATE_TEST_CASE("pack functions stay within 2 ulp", "[pack]", exp_row, expm1_row, log_row, log1p_row,
                   tanh_row, sigmoid_row, softplus_row, sqrt_row) {
  sweep<TestType, float, double>();
  sweep<TestType, double, long double>();
}

TEMPLATE_TEST_CASE("pack functions at special points, in any lane", "[pack]", float, double) {
  using T = TestType;
  const T big = std::numeric_limits<T>::max(), d = denormal<T>;
  at<T>(exp_row{}, {{0, 1},
                    {-T(0), 1},
                    {d, 1},
                    {-Inf<T>, 0},
                    {-big, 0},
                    {Inf<T>, Inf<T>},
                    {big, Inf<T>},
                    {NaN<T>, NaN<T>}});
  at<T>(expm1_row{},
        {{0, 0}, {-T(0), -T(0)}, {d, d}, {-d, -d}, {-Inf<T>, -1}, {Inf<T>, Inf<T>}, {NaN<T>, NaN<T>}});
  at<T>(log_row{}, {{0, -Inf<T>},
                    {-T(0), -Inf<T>},
                    {1, 0},
                    {-1, NaN<T>},
                    {-d, NaN<T>},
                    {-Inf<T>, NaN<T>},
                    {Inf<T>, Inf<T>},
                    {NaN<T>, NaN<T>}});
  at<T>(log1p_row{}, {{0, 0},
                      {-T(0), -T(0)},
                      {d, d},
                      {-d, -d},
                      {-1, -Inf<T>},
                      {-2, NaN<T>},
                      {-Inf<T>, NaN<T>},
                      {Inf<T>, Inf<T>},
                      {NaN<T>, NaN<T>}});
  at<T>(tanh_row{},
        {{0, 0}, {-T(0), -T(0)}, {d, d}, {-d, -d}, {-Inf<T>, -1}, {Inf<T>, 1}, {big, 1}, {NaN<T>, NaN<T>}});
  at<T>(sigmoid_row{},
        {{0, T(0.5)}, {d, T(0.5)}, {-Inf<T>, 0}, {-big, 0}, {Inf<T>, 1}, {big, 1}, {NaN<T>, NaN<T>}});
  at<T>(softplus_row{},
        {{-Inf<T>, 0}, {-big, 0}, {100, 100}, {big, big}, {Inf<T>, Inf<T>}, {NaN<T>, NaN<T>}});
  at<T>(sqrt_row{}, {{0, 0}, {-T(0), -T(0)}, {-1, NaN<T>}, {4, 2}, {Inf<T>, Inf<T>}, {NaN<T>, NaN<T>}});
  if (sizeof(T) == 4) {
    const T tail = T(3.783505853677006e-44);  // e^-100, a denormal float
    at<T>(exp_row{}, {{-100, tail}});
    at<T>(sigmoid_row{}, {{-100, tail}});
    at<T>(softplus_row{}, {{-100, tail}});
  }
}

TEMPLATE_TEST_CASE("a lane's result does not depend on its place", "[pack]", float, double) {
  using T = TestType;
  auto check = [](auto row) {
    std::vector<T> in = special_points<T>(), whole(in.size()), one(1);
    on_each_isa<T>(row, [&](const std::string& isa, auto run) {
      run(in.data(), whole.data(), int(in.size()));
      for (std::size_t i = 0; i < in.size(); ++i) {
        run(&in[i], one.data(), 1);
        INFO(row.name << " on " << isa << ", x = " << in[i]);
        REQUIRE(same(one[0], whole[i]));
      }
    });
  };
  check(exp_row{}), check(expm1_row{}), check(log_row{}), check(log1p_row{}), check(tanh_row{}),
      check(sigmoid_row{});
  check(softplus_row{}), check(sqrt_row{});
}

TEMPLATE_TEST_CASE("rounding, signs and NaN of packs", "[pack]", float, double) {
  using T = TestType;
  std::vector<T> in = special_points<T>();
  for (int i = -40; i <= 40; ++i) in.push_back(T(i) / 4);
  const T whole = 1 / std::numeric_limits<T>::epsilon();
  for (T x : {whole - T(0.5), whole / 2 + T(0.5), whole, whole + 1, whole * 4})
    in.push_back(x), in.push_back(-x);
  std::vector<T> out(in.size());
  auto against = [&](auto f, auto reference) {
    on_each_isa<T>(f, [&](const std::string& isa, auto run) {
      run(in.data(), out.data(), int(in.size()));
      for (std::size_t i = 0; i < in.size(); ++i) {
        INFO(isa << ", x = " << in[i] << ", got " << out[i]);
        REQUIRE(same(out[i], reference(in[i])));
      }
    });
  };
  against([](auto x) { return round(x); }, [](T x) { return std::nearbyint(x); });
  against([](auto x) { return floor(x); }, [](T x) { return std::floor(x); });
  against([](auto x) { return abs(x); }, [](T x) { return std::abs(x); });
  against([](auto x) { return copysign(2, x); }, [](T x) { return std::copysign(T(2), x); });
  against([](auto x) { return maximum(x, 1); }, [](T x) { return std::isnan(x) ? x : std::max(x, T(1)); });
  against([](auto x) { return minimum(1, x); }, [](T x) { return std::isnan(x) ? x : std::min(x, T(1)); });
  against([](auto x) { return maximum(x, NaN<T>); }, [](T) { return NaN<T>; });
  against([](auto x) { return maximum(NaN<T>, x); }, [](T) { return NaN<T>; });
  against([](auto x) { return minimum(x, NaN<T>); }, [](T) { return NaN<T>; });
  against([](auto x) { return minimum(NaN<T>, x); }, [](T) { return NaN<T>; });
  against([](auto x) { return where(isnan(x), 1, x); }, [](T x) { return std::isnan(x) ? T(1) : x; });
  against([](auto x) { return where((x > 1) | (x < -1), 0, 1 - x); },
          [](T x) { return x > 1 || x < -1 ? T(0)
                           : std::isnan(x) ? x
                                           : T(1 - x); });
  against([](auto x) { return where(x < -1, 0, where(x > 1, 0, 1)); },
          [](T x) { return T(!(x < -1 || x > 1)); });
  against([](auto x) { return pow(x, 2.5); }, [](T x) { return T(std::pow(x, T(2.5))); });
  against([](auto x) { return pow(-2, x); }, [](T x) { return T(std::pow(T(-2), x)); });
  REQUIRE(std::signbit(Pack<T, 2>(-T(0))[1]));
}

TEST_CASE("a function that is not inlined gets and gives whole packs", "[pack]") {
  std::vector<float> in(37), out(37);
  for (int i = 0; i < 37; ++i) in[i] = float(i);
  auto f = [](auto x) __attribute__((noinline)) {
    return where((x > 1) & (x < 30), x * x, where(x == 1, 5, x));
  };
  on_each_isa<float>(f, [&](const std::string& isa, auto run) {
    run(in.data(), out.data(), 37);
    for (int i = 0; i < 37; ++i) {
      INFO(isa << ", i = " << i);
      REQUIRE(out[i] == (i > 1 && i < 30 ? float(i * i) : i == 1 ? 5.0f : float(i)));
    }
  });
}

TEST_CASE("partial packs touch n elements", "[pack]") {
  partial<float, 1>(), partial<float, 2>(), partial<float, 4>();
  partial<double, 1>(), partial<double, 2>();
  partial<std::int64_t, 1>(), partial<std::int64_t, 2>();
  first_elements<float>(), first_elements<double>(), first_elements<std::int64_t>();
}

TEST_CASE("pack operators work lane by lane", "[pack]") {
  lanewise<float, 1>(), lanewise<float, 4>(), lanewise<double, 2>(), lanewise<std::int64_t, 2>();
  lanewise<float, 8>(), lanewise<double, 4>(), lanewise<std::int64_t, 4>();
  lanewise<float, 16>(), lanewise<double, 8>(), lanewise<std::int64_t, 8>();
}
