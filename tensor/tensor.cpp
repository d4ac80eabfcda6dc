#include <cmath>
#include <cstring>
#include <ostream>
#include <sstream>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad {

void Tensor::too_large(const Shape& shape) {
  throw ShapeError("the tensor " + to_string(shape) + " is larger than the address space");
}

void Tensor::wrong_type(DType wanted) const {
  throw DTypeError(std::string("the tensor ") + to_string(shape_) + " holds " + name(dtype_) + ", not " +
                   name(wanted) + "; convert it with astype(" + name(wanted) + ")");
}

void Tensor::copy_in(const void* values, std::size_t count) {
  if (count != static_cast<std::size_t>(size())) {
    throw ShapeError("Tensor: the shape " + to_string(shape_) + " needs " + std::to_string(size()) +
                     " values, not " + std::to_string(count));
  }
  if (count > 0) std::memcpy(detail::mutable_data<void>(*this), values, bytes());
}

double Tensor::only() const {
  if (size() != 1) {
    throw ShapeError("item: the tensor " + to_string(shape_) + " has " + std::to_string(size()) +
                     " elements, not one");
  }
  if (detail::capturing != nullptr) detail::note_item(storage_);
  return detail::visit(
      dtype_, [&](auto zero) { return static_cast<double>(*detail::address<decltype(zero)>(*this)); });
}

std::int64_t Tensor::only_int() const {
  only();
  return *detail::address<std::int64_t>(*this);
}

double Tensor::at(std::initializer_list<std::int64_t> index) const {
  if (static_cast<int>(index.size()) != rank()) {
    throw ShapeError("at: " + std::to_string(index.size()) + " indices for the tensor " + to_string(shape_));
  }
  std::int64_t place = 0;
  int axis = 0;
  for (std::int64_t i : index) {
    const std::int64_t size = shape_[axis];
    if (i < -size || i >= size) {
      throw ShapeError("at: index " + std::to_string(i) + " is out of range for axis " +
                       std::to_string(axis) + " of " + to_string(shape_));
    }
    place = place * size + (i < 0 ? i + size : i);
    ++axis;
  }
  return detail::visit(dtype_, [&](auto zero) {
    return static_cast<double>(static_cast<const decltype(zero)*>(raw())[place]);
  });
}

Shape detail::infer_shape(std::span<const std::int64_t> sizes, const Shape& from) {
  std::int64_t few[Shape::inline_axes];
  std::vector<std::int64_t> many(sizes.size() > Shape::inline_axes ? sizes.size() : 0);
  const std::span<std::int64_t> result(many.empty() ? few : many.data(), sizes.size());
  std::copy(sizes.begin(), sizes.end(), result.begin());
  std::int64_t known = 1, *unknown = nullptr;
  for (std::int64_t& s : result) {
    if (s == -1) {
      if (unknown != nullptr) throw ShapeError("only one size can be -1");
      unknown = &s;
    } else if (__builtin_mul_overflow(known, s, &known)) {
      throw ShapeError("the number of elements overflows 64 bits");
    }
  }
  if (unknown != nullptr) {
    if (known <= 0 || from.size() % known != 0) {
      throw ShapeError("no size fits for -1: " + to_string(from) + " has " + std::to_string(from.size()) +
                       " elements");
    }
    *unknown = from.size() / known;
  }
  Shape shape{std::span<const std::int64_t>(result.data(), result.size())};
  if (shape.size() != from.size()) {
    throw ShapeError("the number of elements differs: " + to_string(from) + " to " + to_string(shape));
  }
  return shape;
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.size() != size()) {
    throw ShapeError("reshape: the number of elements differs: " + to_string(shape_) + " to " +
                     to_string(shape));
  }
  return Tensor(shape, dtype_, storage_);
}

Tensor Tensor::reshape(std::initializer_list<std::int64_t> sizes) const {
  try {
    return Tensor(detail::infer_shape(std::span(sizes.begin(), sizes.size()), shape_), dtype_, storage_);
  } catch (const ShapeError& error) {
    throw ShapeError(std::string("reshape: ") + error.what());
  }
}

Tensor Tensor::astype(DType dtype) const {
  if (dtype == dtype_) return *this;
  const Tensor result(shape_, dtype);
  const auto convert = [n = size(), from = dtype_, to = dtype](void* const* out, const void* const* in) {
    detail::visit(from, [&](auto source) {
      detail::visit(to, [&](auto target) {
        const auto* p = static_cast<const decltype(source)*>(in[0]);
        auto* q = static_cast<decltype(target)*>(out[0]);
        for (std::int64_t i = 0; i < n; ++i) q[i] = static_cast<decltype(target)>(p[i]);
      });
    });
  };
  detail::launch({&result}, {this}, convert);
  return result;
}

Tensor zeros(const Shape& shape, DType dtype) {
  Tensor result(shape, dtype);
  if (result.bytes() > 0) std::memset(detail::mutable_data<void>(result), 0, result.bytes());
  return result;
}

namespace {
// f(i) for each index, converted to the dtype.
template <class F>
Tensor generate(const Shape& shape, DType dtype, F f) {
  Tensor result(shape, dtype);
  detail::visit(dtype, [&](auto zero) {
    auto* p = detail::mutable_data<decltype(zero)>(result);
    for (std::int64_t i = 0, n = result.size(); i < n; ++i) p[i] = static_cast<decltype(zero)>(f(i));
  });
  return result;
}
}  // namespace

Tensor full(const Shape& shape, double value, DType dtype) {
  return generate(shape, dtype, [=](std::int64_t) { return value; });
}
Tensor ones(const Shape& shape, DType dtype) { return full(shape, 1, dtype); }
Tensor scalar(double value, DType dtype) { return full({}, value, dtype); }

Tensor arange(double start, double stop, double step, DType dtype) {
  if (step == 0 || !std::isfinite(start) || !std::isfinite(stop) || !std::isfinite(step)) {
    throw Error("arange: the bounds and the step must be finite, and the step not 0");
  }
  const double count = std::max(0.0, std::ceil((stop - start) / step));
  if (count > 1e15) throw ShapeError("arange: too many elements");
  return generate({static_cast<std::int64_t>(count)}, dtype,
                  [=](std::int64_t i) { return start + static_cast<double>(i) * step; });
}

Tensor linspace(double start, double stop, std::int64_t count, DType dtype) {
  if (count < 0) throw ShapeError("linspace: the count is negative: " + std::to_string(count));
  return generate({count}, dtype, [=](std::int64_t i) {
    return i == count - 1 && i > 0 ? stop
                                   : start + (stop - start) * static_cast<double>(i) /
                                                 static_cast<double>(std::max<std::int64_t>(count - 1, 1));
  });
}

Tensor eye(std::int64_t n, DType dtype) {
  return generate({n, n}, dtype, [=](std::int64_t i) { return i / n == i % n ? 1.0 : 0.0; });
}

Tensor tensor(std::initializer_list<detail::Entry> values, DType dtype) {
  return generate({static_cast<std::int64_t>(values.size())}, dtype,
                  [&](std::int64_t i) { return values.begin()[i].value; });
}

Tensor tensor(std::initializer_list<std::initializer_list<double>> rows, DType dtype) {
  std::vector<double> values;
  const std::size_t columns = rows.size() == 0 ? 0 : rows.begin()->size();
  for (const auto& row : rows) {
    if (row.size() != columns) {
      throw ShapeError("tensor: the rows differ in length: " + std::to_string(columns) + " and " +
                       std::to_string(row.size()));
    }
    values.insert(values.end(), row.begin(), row.end());
  }
  return generate({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)}, dtype,
                  [&](std::int64_t i) { return values[static_cast<std::size_t>(i)]; });
}

bool equal(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  return detail::visit(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto *p = static_cast<const T*>(a.raw()), *q = static_cast<const T*>(b.raw());
    return std::equal(p, p + a.size(), q);
  });
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol) {
  if (a.shape() != b.shape()) return false;
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool close = x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i])) ||
                       (std::isfinite(y[i]) && std::abs(x[i] - y[i]) <= atol + rtol * std::abs(y[i]));
    if (!close) return false;
  }
  return true;
}

namespace {

constexpr std::int64_t print_threshold = 1000;  // more elements than this: long axes show their ends only
constexpr std::int64_t edge_items = 3;

struct Printer {
  const Tensor& tensor;
  std::vector<std::string> texts;  // of all elements that are shown, in order
  std::size_t width = 0;
  bool shorten;

  // Rank is bounded by the caller's nesting, so this recursion is as shallow as the printed brackets.
  template <class F>
  void visit(int axis, std::int64_t offset, F& f) const {
    if (axis == tensor.rank()) return f.element(offset);
    const std::int64_t size = tensor.shape()[axis];
    f.open();
    for (std::int64_t i = 0; i < size; ++i) {
      if (shorten && i == edge_items && size > 2 * edge_items) {
        f.dots(axis);
        i = size - edge_items;
      }
      if (i > 0) f.separator(axis);
      visit(axis + 1, offset * size + i, f);
    }
    f.close();
  }
};

std::string text_of(const Tensor& tensor, std::int64_t place) {
  std::ostringstream out;
  detail::visit(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T value = static_cast<const T*>(tensor.raw())[place];
    if constexpr (std::is_floating_point_v<T>) {
      out.precision(std::is_same_v<T, float> ? 6 : 8);
      if (std::isnan(value)) return void(out << "nan");  // without the sign a NaN may have
      out << value;
      if (out.str().find_first_of(".en") == std::string::npos) out << '.';
    } else if constexpr (std::is_same_v<T, bool>) {
      out << (value ? "true" : "false");
    } else {
      out << value;
    }
  });
  return out.str();
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (tensor.size() == 0) return out << "[]";
  Printer printer{tensor, {}, 0, tensor.size() > print_threshold};
  struct Collect {
    Printer& p;
    void open() {}
    void close() {}
    void dots(int) {}
    void separator(int) {}
    void element(std::int64_t place) {
      p.texts.push_back(text_of(p.tensor, place));
      p.width = std::max(p.width, p.texts.back().size());
    }
  } collect{printer};
  printer.visit(0, 0, collect);
  struct Write {
    const Printer& p;
    std::ostream& out;
    std::size_t next = 0;
    void open() { out << '['; }
    void close() { out << ']'; }
    void dots(int axis) { separator(axis), out << "..."; }
    void separator(int axis) {
      const int depth = p.tensor.rank() - 1 - axis;
      if (depth == 0) {
        out << ", ";
      } else {
        out << ',' << std::string(static_cast<std::size_t>(depth), '\n')
            << std::string(static_cast<std::size_t>(axis + 1), ' ');
      }
    }
    void element(std::int64_t) {
      const std::string& text = p.texts[next++];
      out << std::string(p.width - text.size(), ' ') << text;
    }
  } write{printer, out};
  printer.visit(0, 0, write);
  return out;
}

std::string to_string(const Tensor& tensor) {
  std::ostringstream out;
  out << tensor;
  return out.str();
}

}  // namespace xgrad
