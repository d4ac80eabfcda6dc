// What the library says of itself, and how the instruction set is chosen.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <string>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/simd.hpp>
#include <xgrad/tensor/version.hpp>

using namespace xgrad;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// Sets an environment variable and puts it, and the set in use, back at the end.
class Environment {
 public:
  Environment(const char* variable, const char* value) : variable_(variable) {
    if (const char* old = std::getenv(variable)) old_ = old;
    setenv(variable, value, 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    old_ ? setenv(variable_, old_->c_str(), 1) : unsetenv(variable_);
    set_simd_level(level_);
  }

 private:
  const char* variable_;
  std::optional<std::string> old_;
  SimdLevel level_ = simd_level();
};

constexpr SimdLevel levels[] = {SimdLevel::sse2, SimdLevel::avx2, SimdLevel::avx512};

}  // namespace

TEST_CASE("version_info: every field says something") {
  const VersionInfo info = version_info();
  CHECK(std::count(info.version.begin(), info.version.end(), '.') == 2);
  CHECK_THAT(info.compiler, StartsWith("GCC ") || StartsWith("Clang "));
  CHECK_THAT(info.blas, Contains("OpenBLAS"));
  CHECK_FALSE(info.blas_core.empty());
  CHECK(info.blas_core != "unknown");
  CHECK(info.blas_threads >= 1);
  CHECK(info.simd == name(simd_level()));
  CHECK(info.best_simd == name(best_simd_level()));
}

TEST_CASE("version_info: as text") {
  const VersionInfo info = version_info();
  const std::string text = to_string(info);
  for (const std::string& field :
       {info.version, info.compiler, info.blas, info.blas_core, info.simd, info.warning}) {
    CHECK_THAT(text, Contains(field));
  }
  VersionInfo slow{"1.2.3", "GCC 1", "BLAS 1", "Old", 2, "sse2", "avx2", "slow"};
  CHECK(to_string(slow) ==
        "xgrad 1.2.3 (GCC 1), kernels: sse2 (the processor has avx2)\n"
        "BLAS: BLAS 1, core Old, 2 threads\n"
        "warning: slow");
  slow.simd = "avx2", slow.warning = "", slow.blas_threads = 1;
  CHECK(to_string(slow) ==
        "xgrad 1.2.3 (GCC 1), kernels: avx2\n"
        "BLAS: BLAS 1, core Old, 1 thread");
}

TEST_CASE("simd: names") {
  CHECK(std::string(name(SimdLevel::sse2)) == "sse2");
  CHECK(std::string(name(SimdLevel::avx2)) == "avx2");
  CHECK(std::string(name(SimdLevel::avx512)) == "avx512");
}

TEST_CASE("simd: XGRAD_SIMD forces a set, which version_info shows", "[simd]") {
  for (SimdLevel level : levels) {
    if (level > best_simd_level()) continue;
    const Environment forced("XGRAD_SIMD", name(level));
    CHECK(detail::choose_simd_level() == level);
    CHECK(simd_level() == level);
    CHECK(version_info().simd == name(level));
    CHECK(version_info().best_simd == name(best_simd_level()));
  }
}

TEST_CASE("simd: without XGRAD_SIMD, or with an empty one, the best set") {
  const Environment empty("XGRAD_SIMD", "");
  CHECK(detail::choose_simd_level() == best_simd_level());
  unsetenv("XGRAD_SIMD");
  set_simd_level(SimdLevel::sse2);
  CHECK(detail::choose_simd_level() == best_simd_level());
  CHECK(simd_level() == best_simd_level());
}

TEST_CASE("simd: XGRAD_SIMD that names nothing is an error and changes nothing") {
  const SimdLevel before = simd_level();
  for (const char* value : {"garbage", "AVX2", "avx2 ", "avx5122"}) {
    const Environment forced("XGRAD_SIMD", value);
    CHECK_THROWS_WITH(detail::choose_simd_level(),
                      std::string("XGRAD_SIMD: '") + value + "' is none of sse2, avx2, avx512");
    CHECK_THROWS_AS(detail::choose_simd_level(), Error);
    CHECK(simd_level() == before);
  }
}

TEST_CASE("simd: a set that the processor lacks is an error by name") {
  for (SimdLevel level : levels) {
    if (level <= best_simd_level()) continue;
    const Environment forced("XGRAD_SIMD", name(level));
    CHECK_THROWS_WITH(detail::choose_simd_level(), std::string("XGRAD_SIMD: this processor has no ") +
                                                       name(level) + "; its best set is " +
                                                       name(best_simd_level()));
    CHECK_THROWS_AS(set_simd_level(level), Error);
  }
}
