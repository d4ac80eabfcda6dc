// For scripts/differences: the page, or with an argument what is to be tried in PyTorch, one row a line.
#include <iostream>

#include "differences.hpp"

int main(int argc, char**) {
  if (argc < 2) {
    std::cout << differences::page();
    return 0;
  }
  for (const differences::Section& section : differences::table()) {
    for (const differences::Row& row : section.rows) {
      std::cout << row.what << '\t' << (row.at ? differences::to_line(*row.at) : "") << '\t' << row.torch
                << '\t' << row.torch_gives << '\n';
    }
  }
}
