#include <xgrad/ops/per_axis.hpp>

namespace xgrad::detail {

std::int64_t number_of(const Call& call, const char* what, const PerAxis& given, int axes, int axis,
                       std::int64_t least) {
  const auto [high, wide] = given.sizes;
  if (axes == 1 && high != wide) {
    call.fail<Error>(std::string("x has one axis to move along, but the ") + what + " is (" +
                     std::to_string(high) + ", " + std::to_string(wide) + ")");
  }
  const std::int64_t value = axes == 2 && axis == 0 ? high : wide;
  if (value < least) {
    call.fail<Error>(std::string("the ") + what + " must be at least " + std::to_string(least) + ", not " +
                     std::to_string(value));
  }
  if (value >= per_axis_limit) {
    call.fail<Error>(std::string("the ") + what + " must be below 2^31, not " + std::to_string(value));
  }
  return value;
}

void require_fit(const Call& call, std::int64_t kernel, bool dilated, std::int64_t padded, int axis,
                 const std::string& shown) {
  if (kernel <= padded) return;
  call.fail<ShapeError>("the kernel covers " + std::to_string(kernel) + " places" +
                        (dilated ? " with its dilation" : "") + ", and axis " + std::to_string(axis) +
                        " has " + std::to_string(padded) + " with its padding: " + shown);
}

}  // namespace xgrad::detail
