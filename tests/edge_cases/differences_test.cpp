// The deliberate differences from PyTorch are what their table says, and so is their page.
#include "differences.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

TEST_CASE("differences: xgrad gives what the table says", "[edge][simd]") {
  std::size_t rows = 0;
  for (const differences::Section& section : differences::table()) {
    for (const differences::Row& row : section.rows) {
      INFO(row.what << ": " << row.xgrad);
      CHECK(run(row) == row.gives);
      CHECK(row.gives != row.torch_gives);
      ++rows;
    }
    for (const differences::Words& row : section.words) {
      INFO(row.what);
      CHECK(row.check());
      ++rows;
    }
  }
  CHECK(rows > 50);
}

TEST_CASE("differences: the page is written from the table", "[edge]") {
  std::ifstream file(XGRAD_SOURCE_DIR "/docs/differences-from-pytorch.md");
  REQUIRE(file);
  std::ostringstream written;
  written << file.rdbuf();
  INFO("scripts/differences writes the page anew");
  const bool same = written.str() == differences::page();
  CHECK(same);
}
