// The bridge: nine layouts and all element types in, an adaptor out.
#include <algorithm>
#include <catch2/catch.hpp>
#include <complex>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <xgrad/tensor/xtensor.hpp>
#include <xtensor/xbroadcast.hpp>
#include <xtensor/xfixed.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xview.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xt::placeholders;
using test::same_bits;

namespace {

// 4 x 6 different values that int8 and unsigned can hold too.
template <class T>
xt::xarray<T> sample() {
  xt::xarray<T> a = xt::xarray<T>::from_shape({4, 6});
  for (std::size_t i = 0; i < a.size(); ++i)
    a.data()[i] = static_cast<T>(std::is_same_v<T, bool> ? i % 3 : i + 1);
  return a;
}

// What the bridge must make of e: its elements, read one at a time.
template <class E>
Tensor copied(const E& e) {
  using Stored = detail::StoredAs<typename E::value_type>;
  Tensor result(detail::shape_of(e.shape()), dtype_of<Stored>);
  auto* out = detail::mutable_data<Stored>(result);
  std::vector<std::size_t> place(e.dimension());
  test::for_each_index(result.shape(), [&](const std::vector<std::int64_t>& index) {
    std::copy(index.begin(), index.end(), place.begin());
    *out++ = static_cast<Stored>(e.element(place.begin(), place.end()));
  });
  return result;
}

template <class E>
void check(const char* layout, const E& e) {
  INFO(layout);
  const Tensor t = e;
  CHECK(same_bits(t, copied(e)));
  CHECK(t.unique());
}

template <class T>
concept Viewable = requires(T t) {
  std::forward<T>(t).template as<float>();
};

}  // namespace

TEMPLATE_TEST_CASE("xtensor: any layout is copied right", "", float, bool, int, unsigned) {
  using T = TestType;
  const xt::xarray<T> a = sample<T>();
  xt::xarray<T> mutable_a = a;
  check("contiguous", a);
  check("mutable", mutable_a);
  check("transposed", xt::transpose(a));
  check("transposed, three axes",
        xt::transpose(xt::xarray<T>(xt::reshape_view(a, std::vector<std::size_t>{2, 3, 4})), {2, 0, 1}));
  check("column-major", xt::xarray<T, xt::layout_type::column_major>(a));
  check("column-major xtensor", xt::xtensor<T, 2, xt::layout_type::column_major>(a));
  xt::xarray<T, xt::layout_type::dynamic> dynamic;
  dynamic.resize({4, 6}, xt::layout_type::column_major);
  std::copy(a.begin(), a.end(), dynamic.template begin<xt::layout_type::row_major>());
  check("dynamic layout", dynamic);
  check("view of a row", xt::row(a, 2));
  check("view of a column", xt::col(a, 2));
  check("strided view", xt::view(a, xt::range(0, 4, 2), xt::range(1, 6, 2)));
  check("dynamic strided view", xt::strided_view(a, {xt::range(1, 4, 2), xt::all()}));
  check("negative step", xt::view(a, xt::range(_, _, -1), xt::range(5, 0, -2)));
  check("flipped", xt::flip(a, 1));
  check("broadcast row", xt::broadcast(xt::xarray<T>(xt::view(a, xt::range(0, 1))), {5, 6}));
  check("broadcast column", xt::broadcast(xt::xarray<T>(xt::view(a, xt::all(), xt::range(0, 1))), {4, 5}));
  check("broadcast to a new axis", xt::broadcast(a, {3, 4, 6}));
  check("stride 0", xt::adapt(a.data(), 4, xt::no_ownership(), std::vector<std::size_t>{2, 2},
                              std::vector<std::ptrdiff_t>{0, 1}));
  check("newaxis", xt::view(a, xt::all(), xt::newaxis(), xt::all()));
  check("newaxis in front, last column", xt::view(a, xt::newaxis(), xt::all(), 5));
  check("kept and dropped", xt::view(a, xt::keep(3, 0, 0), xt::drop(1, 4)));
  check("view of a view", xt::view(xt::transpose(xt::view(a, xt::range(1, 4))), xt::range(_, _, -2), 1));
  check("diagonal view", xt::strided_view(a, {2, xt::ellipsis()}));
  check("fixed", xt::xtensor_fixed<T, xt::xshape<4, 6>>(a));
  check("xtensor", xt::xtensor<T, 2>(a));
  check("adaptor", xt::adapt(a.data(), a.size(), xt::no_ownership(), std::vector<std::size_t>{2, 12}));
  check("comparison", xt::equal(a, a));
  check("cast expression", xt::cast<double>(a));
  if constexpr (!std::is_same_v<T, bool>) {
    check("expression", a + a);
    check("expression of a transposed view", xt::transpose(a) * T(2));
    check("broadcast expression", a + xt::xarray<T>(xt::view(a, xt::all(), xt::range(0, 1))));
  }
}

TEST_CASE("xtensor: a broadcast view") {
  // Its elements cannot be read one at a time: xtensor 0.24 runs past the view's end.
  const xt::xarray<float> a = sample<float>();
  const Tensor t = xt::broadcast(xt::view(a, xt::range(0, 1), xt::all()), {2, 6});
  CHECK(equal(t, tensor({{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}})));
}

TEMPLATE_TEST_CASE("xtensor: empty arrays and arrays without axes", "", float, bool, int) {
  using T = TestType;
  check("no rows", xt::xarray<T>(xt::xarray<T>::from_shape({0, 3})));
  check("no columns", xt::xtensor<T, 2>(xt::xtensor<T, 2>::from_shape({3, 0})));
  check("empty view", xt::view(sample<T>(), xt::range(2, 2), xt::all()));
  check("scalar array", xt::xarray<T>(T(1)));
  check("scalar xtensor", xt::xtensor<T, 0>(T(1)));
  check("view of one element", xt::view(sample<T>(), 1, 2));
  const Tensor empty = xt::xarray<float>::from_shape({0, 3}), one = xt::xarray<float>(5.f);
  CHECK(empty.shape() == Shape{0, 3});
  CHECK(one.rank() == 0);
  CHECK(one.item() == 5);
  auto no_elements = empty.as<float>();
  CHECK(no_elements.size() == 0);
  CHECK(no_elements.dimension() == 2);
  auto scalar_view = one.as<float>();
  CHECK(scalar_view.dimension() == 0);
  CHECK(scalar_view() == 5);
}

TEST_CASE("xtensor: element types") {
  CHECK(Tensor(sample<float>()).dtype() == float32);
  CHECK(Tensor(sample<double>()).dtype() == float64);
  CHECK(Tensor(sample<bool>()).dtype() == bool_);
  CHECK(Tensor(sample<int>()).dtype() == int64);
  CHECK(Tensor(sample<char>()).dtype() == int64);
  CHECK(Tensor(sample<std::uint16_t>()).dtype() == int64);
  CHECK(Tensor(xt::greater(sample<int>(), 3)).dtype() == bool_);
  // Only what xgrad can hold converts at all.
  STATIC_REQUIRE(std::is_convertible_v<xt::xarray<int>, Tensor>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<xt::xarray<std::complex<float>>, Tensor>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::vector<float>, Tensor>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<float, Tensor>);
}

TEMPLATE_TEST_CASE("xtensor: a moved array keeps its memory, for as long as a Tensor uses it", "", float,
                   double, bool, std::int64_t) {
  using T = TestType;
  const MemoryStats before = memory_stats();
  const xt::xarray<T> expected = sample<T>();
  Tensor survivor;
  {
    xt::xarray<T> a = expected;
    const T* data = a.data();
    Tensor t = std::move(a);
    CHECK(t.data<T>() == data);
    CHECK(t.unique());
    CHECK(memory_stats().live_blocks == before.live_blocks + 1);
    xt::xtensor<T, 2> b = expected;
    data = b.data();
    CHECK(Tensor(std::move(b)).data<T>() == data);
    survivor = t.reshape({24});
  }
  CHECK(same_bits(survivor, copied(expected).reshape({24})));
  survivor = Tensor();
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("xtensor: what cannot be taken over is copied, though it is moved from") {
  xt::xarray<float, xt::layout_type::column_major> columns = sample<float>();
  const Tensor expected = copied(columns);
  CHECK(same_bits(Tensor(std::move(columns)), expected));
  const xt::xarray<float> constant = sample<float>();
  const Tensor t = std::move(constant);  // NOLINT(performance-move-const-arg)
  CHECK(t.raw() != constant.data());
  CHECK(same_bits(Tensor(xt::xtensor_fixed<float, xt::xshape<4, 6>>(sample<float>())), expected));
  xt::xarray<int> whole = sample<int>();
  CHECK(Tensor(std::move(whole)).dtype() == int64);
}

TEST_CASE("xtensor: a copy does not change with the array") {
  xt::xarray<float> a = sample<float>();
  const Tensor t = a, view = xt::view(a, 1);
  a.fill(0);
  CHECK(t.at({0, 0}) == 1);
  CHECK(view.at({0}) == 7);
}

TEST_CASE("xtensor: as() is a view, usable in any expression") {
  const Tensor t = sample<float>();
  auto view = t.as<float>();
  CHECK(view.data() == t.data<float>());
  CHECK(view.dimension() == 2);
  CHECK(view.shape(1) == 6);
  CHECK(view(3, 5) == 24);
  const xt::xarray<float> doubled = view * 2.f + xt::view(view, 0);
  CHECK(doubled(1, 0) == 15);
  CHECK(xt::sum(view)() == 300);
  CHECK(&xt::view(view, 2, xt::all())(0) == t.data<float>() + 12);
  // There and back.
  CHECK(same_bits(Tensor(view), t));
  CHECK(same_bits(Tensor(xt::transpose(view)), copied(xt::transpose(sample<float>()))));
  CHECK(t.storage().unique());
  STATIC_REQUIRE(Viewable<const Tensor&>);
  STATIC_REQUIRE_FALSE(Viewable<Tensor>);  // would dangle
  CHECK_THROWS_WITH(t.as<double>(),
                    "the tensor (4, 6) holds float32, not float64; convert it with astype(float64)");
  const Tensor flags = sample<bool>(), counts = sample<int>();
  CHECK(flags.as<bool>()(0, 1));
  CHECK(counts.as<std::int64_t>()(0, 1) == 2);
}
