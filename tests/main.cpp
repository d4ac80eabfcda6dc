#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <iostream>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/simd.hpp>

int main(int argc, char* argv[]) {
  try {
    xgrad::simd_level();
  } catch (const xgrad::Error& error) {
    std::cerr << error.what() << '\n';
    return 77;  // the set that XGRAD_SIMD asks for is not there: skipped
  }
  return Catch::Session().run(argc, argv);
}
