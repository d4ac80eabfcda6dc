#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/reduce_rows.hpp>

namespace xgrad::kernel::detail {

template <class Op, class T>
RowsFunction<T> rows_function() {
  return xgrad::detail::Dispatch<Rows<Op, T>, const T*, std::int64_t, T*, std::int64_t>::select();
}

template <class Op, class T>
LongRow<T> long_row() {
  return {xgrad::detail::Dispatch<Branches<Op, T>, const T*, std::int64_t, T*>::select(),
          xgrad::detail::Dispatch<FromBranches<Op, T>, const T*, std::int64_t, const T*, std::int64_t,
                                  T*>::select()};
}

template RowsFunction<float> rows_function<Sum, float>();
template LongRow<float> long_row<Sum, float>();
template RowsFunction<double> rows_function<Sum, double>();
template LongRow<double> long_row<Sum, double>();
template RowsFunction<std::int64_t> rows_function<Sum, std::int64_t>();
template LongRow<std::int64_t> long_row<Sum, std::int64_t>();
template RowsFunction<float> rows_function<SquareSum, float>();
template LongRow<float> long_row<SquareSum, float>();
template RowsFunction<double> rows_function<SquareSum, double>();
template LongRow<double> long_row<SquareSum, double>();
template RowsFunction<float> rows_function<Product, float>();
template LongRow<float> long_row<Product, float>();
template RowsFunction<double> rows_function<Product, double>();
template LongRow<double> long_row<Product, double>();
template RowsFunction<std::int64_t> rows_function<Product, std::int64_t>();
template LongRow<std::int64_t> long_row<Product, std::int64_t>();
template RowsFunction<float> rows_function<Max, float>();
template LongRow<float> long_row<Max, float>();
template RowsFunction<double> rows_function<Max, double>();
template LongRow<double> long_row<Max, double>();
template RowsFunction<std::int64_t> rows_function<Max, std::int64_t>();
template LongRow<std::int64_t> long_row<Max, std::int64_t>();
template RowsFunction<float> rows_function<Min, float>();
template LongRow<float> long_row<Min, float>();
template RowsFunction<double> rows_function<Min, double>();
template LongRow<double> long_row<Min, double>();
template RowsFunction<std::int64_t> rows_function<Min, std::int64_t>();
template LongRow<std::int64_t> long_row<Min, std::int64_t>();

}  // namespace xgrad::kernel::detail
