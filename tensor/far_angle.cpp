#include <cmath>
#include <cstdint>
#include <xgrad/tensor/pack_trigonometric.hpp>

namespace xgrad::simd::detail {

namespace {

__extension__ typedef unsigned __int128 Wide;
__extension__ typedef __int128 SignedWide;

// 64 zeros and then the digits of 2/pi after the point.
constexpr std::uint64_t two_over_pi[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
    0xf0cfbc209af4361d};

}  // namespace

// Payne and Hanek: of the product |x| (2/pi) = m 2^e (2/pi) only what is left modulo 4 counts. 192 digits of 2/pi
// from the one of weight 4 / 2^e on give it to 126 digits after the point, of which a number of 64 bits cancels 62 at most.
FarAngle far_angle(double x) {
  if (!std::isfinite(x)) return {x - x, 0, 0};
  int e;
  const auto m = static_cast<std::uint64_t>(std::ldexp(std::frexp(std::abs(x), &e), 53));
  e -= 53;
  const int place = e - 1 + 63, shift = place % 64;
  const auto window = [&](int k) {
    const std::uint64_t* word = two_over_pi + place / 64 + k;
    return shift == 0 ? word[0] : word[0] << shift | word[1] >> (64 - shift);
  };
  const Wide low = Wide(m) * window(2), middle = Wide(m) * window(1) + (low >> 64);
  const std::uint64_t high = m * window(0) + static_cast<std::uint64_t>(middle >> 64);
  // The product modulo 4, times 2^126. Of its fraction, 1/2 and more count as that less 1.
  const Wide product = (Wide(high) << 64) | static_cast<std::uint64_t>(middle);
  constexpr Wide one = Wide(1) << 126;
  auto fraction = static_cast<SignedWide>(product & (one - 1));
  int quadrant = static_cast<int>(high >> 62);
  if (fraction >= static_cast<SignedWide>(one / 2)) {
    fraction -= static_cast<SignedWide>(one);
    ++quadrant;
  }
  const double f = static_cast<double>(fraction),
               rest = static_cast<double>(fraction - static_cast<SignedWide>(f));
  constexpr double unit = 1.57079632679489661923 * 0x1p-126, unit_low = 6.12323399573676588613e-17 * 0x1p-126;
  const double r = f * unit, low_r = std::fma(f, unit, -r) + (f * unit_low + rest * unit);
  const double near = r + low_r, missed = low_r - (near - r);
  return x < 0 ? FarAngle{-near, -missed, -quadrant} : FarAngle{near, missed, quadrant};
}

}  // namespace xgrad::simd::detail
