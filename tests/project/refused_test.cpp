// What fuse cannot vectorise fails to compile, with one sentence that says why, and not with pages.
#include <catch2/catch.hpp>

#include "documents.hpp"

namespace {

using namespace documents;

/// What the compiler says of fuse(lambda, inputs) in a user's source.
Run compile(const std::string& call) {
  const fs::path folder = binary / "refused_test";
  fs::create_directories(folder);
  std::ofstream(folder / "user.cpp") << "#include <cmath>\n#include <xgrad/ops/fuse.hpp>\n"
                                     << "using xgrad::Variable;\n"
                                     << "Variable g(const Variable& a, const Variable& b) {\n"
                                     << "  (void)b;\n  return " << call << ";\n}\n";
  const fs::path compiler = folder / "compiler";
  std::ofstream(compiler) << "#!/bin/sh\nexec " << quoted(XGRAD_COMPILER) << " -std=c++20 -fsyntax-only -I"
                          << quoted((binary / "include").string()) << ' '
                          << quoted((folder / "user.cpp").string()) << '\n';
  fs::permissions(compiler, fs::perms::owner_all);
  return run(compiler);
}

/// The first error is the sentence, and no more than `lines` are written.
void check_refused(const std::string& call, const std::string& sentence, std::ptrdiff_t lines = 40) {
  const Run result = compile(call);
  INFO(call);
  INFO(result.errors);
  CHECK(result.exit_code != 0);
  const std::size_t first = result.errors.find("error: ");
  REQUIRE(first != std::string::npos);
  const std::string error = result.errors.substr(first, result.errors.find('\n', first) - first);
  CHECK(error.find("fuse: the function " + sentence) != std::string::npos);
  CHECK(std::count(result.errors.begin(), result.errors.end(), '\n') <= lines);
}

/// How many errors the compiler counts.
int errors(const std::string& call) {
  const std::string text = compile(call).errors;
  int count = 0;
  for (std::size_t at = 0; (at = text.find("error: ", at)) != std::string::npos; ++at) ++count;
  return count;
}

}  // namespace

TEST_CASE("fuse: a good function compiles", "[refused]") {
  const Run result =
      compile("fuse([](auto x, const auto& y) { return where((x > 0) & !(y < x), x, 2 * y); }, a, b)");
  INFO(result.errors);
  CHECK(result.exit_code == 0);
  CHECK(result.errors.empty());
}

TEST_CASE("fuse: branches are refused in one sentence", "[refused]") {
  const std::string branches =
      "branches on a value; a vector of elements has no single truth: choose with where";
  check_refused("fuse([](auto x) { if (x > 0) return x; return -x; }, a)", branches);
  check_refused("fuse([](auto x) { return where(x > 0 && x < 1, x, -x); }, a)", branches);
}

TEST_CASE("fuse: functions of one number are refused in one sentence", "[refused]") {
  const std::string numbers =
      "hands a value to something that takes one number, as std::exp does; call exp(x)";
  for (const std::string body :
       {"return x * std::exp(x);", "return x * std::pow(x, 2);", "float y = x; return x * y;",
        "double y = x; return x * y;", "const int n = x; return x * n;"}) {
    check_refused("fuse([](auto x) { " + body + " }, a)", numbers, 24);
    CHECK(errors("fuse([](auto x) { " + body + " }, a)") == 1);
  }
  check_refused("fuse([](double x) { return x * x; }, a)", numbers);
}

TEST_CASE("fuse: wrong parameters and results are refused in one sentence", "[refused]") {
  check_refused("fuse([](auto x, auto y) { return x * y; }, a)",
                "cannot be called with one value for each tensor: give the lambda as many `auto` parameters");
  check_refused("fuse_sum([](auto x) { return x > 0; }, a)", "must return a number made of its arguments");
}

TEST_CASE("fuse: a variable that gains inputs is refused in one sentence", "[refused]") {
  check_refused("fuse_mean([](auto x, auto y) { auto s = x; s += y; return s; }, a, b)",
                "assigns to a variable a value that depends on more inputs than the variable did");
}
