#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/reduce_rows.hpp>

namespace xgrad::kernel::detail {

template <class Op, class T>
RowsFunction<T> rows_function() {
  return xgrad::detail::Dispatch<Rows<Op, T>, const T*, std::int64_t, T*, std::int64_t>::select();
}

template RowsFunction<float> rows_function<Sum, float>();
template RowsFunction<double> rows_function<Sum, double>();
template RowsFunction<std::int64_t> rows_function<Sum, std::int64_t>();
template RowsFunction<float> rows_function<Max, float>();
template RowsFunction<double> rows_function<Max, double>();
template RowsFunction<std::int64_t> rows_function<Max, std::int64_t>();
template RowsFunction<float> rows_function<Min, float>();
template RowsFunction<double> rows_function<Min, double>();
template RowsFunction<std::int64_t> rows_function<Min, std::int64_t>();

}  // namespace xgrad::kernel::detail
