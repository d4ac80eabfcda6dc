// d/dx x^3 at 2, through the installed package.
#include <iostream>
#include <xgrad/xgrad.hpp>

int main() {
  const auto slope = xgrad::grad([](xgrad::Variable x) { return x * x * x; });
  std::cout << slope(2.0) << ' ' << xgrad::grad(slope)(2.0) << '\n';
  return slope(2.0).item() == 12 && xgrad::grad(slope)(2.0).item() == 12 ? 0 : 1;
}
