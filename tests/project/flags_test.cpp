// fuse is compiled in the user's source: whatever the flags there, the numbers are the same.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "documents.hpp"

using namespace documents;

TEST_CASE("fuse: the user's compiler flags do not change the numbers", "[flags]") {
  const auto numbers = [](const std::string& flags) {
    const Run result = run(binary / "tests" / ("fuse_" + flags));
    INFO(flags + ": " + result.errors);
    REQUIRE(result.exit_code == 0);
    return result.output;
  };
  const Lines baseline = numbers("baseline");
  CHECK(baseline.size() > 400);
  for (const std::string flags : {"native", "O0", "O1", "Os"}) {
    const Lines other = numbers(flags);
    REQUIRE(other.size() == baseline.size());
    for (std::size_t i = 0; i < other.size(); ++i) {
      INFO(flags << ": " << other[i] << ", not " << baseline[i]);
      const double x = std::stod(other[i].substr(8)), y = std::stod(baseline[i].substr(8));
      const bool narrow = other[i].rfind("float32", 0) == 0;
      const double unit =
          narrow ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
      CHECK(std::abs(x - y) <= 4 * unit * std::abs(y));
    }
  }
}
