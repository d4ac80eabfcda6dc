#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/reduce_columns.hpp>

namespace xgrad::kernel::detail {

template <class Op, class T>
ColumnsFunction<T> columns_function() {
  return xgrad::detail::Dispatch<Columns<Op, T>, const T*, std::int64_t, std::int64_t, std::int64_t,
                                 std::int64_t, T*, T*>::select();
}

template ColumnsFunction<float> columns_function<Sum, float>();
template ColumnsFunction<double> columns_function<Sum, double>();
template ColumnsFunction<std::int64_t> columns_function<Sum, std::int64_t>();
template ColumnsFunction<float> columns_function<Product, float>();
template ColumnsFunction<double> columns_function<Product, double>();
template ColumnsFunction<std::int64_t> columns_function<Product, std::int64_t>();
template ColumnsFunction<float> columns_function<Max, float>();
template ColumnsFunction<double> columns_function<Max, double>();
template ColumnsFunction<std::int64_t> columns_function<Max, std::int64_t>();
template ColumnsFunction<float> columns_function<Min, float>();
template ColumnsFunction<double> columns_function<Min, double>();
template ColumnsFunction<std::int64_t> columns_function<Min, std::int64_t>();

}  // namespace xgrad::kernel::detail
