// What a call says when it throws.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <typeinfo>

/// The message of the E, exactly an E, that f() throws.
template <class E, class F>
std::string complaint(F&& f) {
  try {
    f();
  } catch (const E& error) {
    REQUIRE(typeid(error) == typeid(E));
    return error.what();
  }
  return "(no complaint)";
}
