// The loop nest around a map's rows. A row is one indirect call, so short rows are joined: what is broadcast
// inside such a piece of the result is first written out in a buffer that stays in the cache.
#include <algorithm>
#include <xgrad/tensor/copy.hpp>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/spread.hpp>

namespace xgrad::kernel {
namespace {

constexpr int max_sources = 8;
constexpr int max_axes = 64;    // of size 2 or more: their product fits into 63 bits
constexpr int max_levels = 16;  // of a piece: its axes fit into piece_elements
constexpr std::int64_t piece_elements = 2048, row_elements = 32768, long_row = 48, buffer_bytes = 16384;

// One axis of the collapsed loop nest.
struct Axis {
  std::int64_t size;
  std::int64_t strides[max_sources];  // in bytes, 0 where a source is broadcast
};

// How a source is walked within a piece: a few axes, innermost first.
struct Input {
  struct Level {
    std::int64_t size, stride;
  };
  std::int64_t element;
  int levels = 0;
  Level level[max_levels];  // the last one for a single step of the nest's split axis
  unsigned char* buffer = nullptr;
  const void* filled = nullptr;  // what the buffer holds, and how many steps of the split axis
  std::int64_t steps = 0;
};

// A result's pieces: all of the axes before `split` and up to `chunk` steps of that one.
struct Nest {
  int count, depth = 0, split = 0;
  std::int64_t inner = 1, chunk = 1, pieces = 1;
  Axis axes[max_axes];  // innermost first
  Input inputs[max_sources];

  Nest(const Shape& shape, const Source* sources, int sources_count) : count(sources_count) {
    collapse(shape, sources);
    cut();
    for (int s = 0; s < count; ++s) {
      inputs[s].element = static_cast<std::int64_t>(sources[s].element);
      describe(inputs[s], s);
    }
  }

  // The result's axes without those of size 1, neighbours merged where every source walks them as one.
  void collapse(const Shape& shape, const Source* sources) {
    std::int64_t stride[max_sources];
    for (int s = 0; s < count; ++s) stride[s] = static_cast<std::int64_t>(sources[s].element);
    for (int back = 1; back <= shape.rank(); ++back) {  // from the last axis
      const std::int64_t size = shape[shape.rank() - back];
      if (size == 1) continue;  // of every source, too
      Axis& axis = axes[depth];
      bool merges = depth > 0;
      for (int s = 0; s < count; ++s) {
        const Shape& source = *sources[s].shape;
        const std::int64_t own = back <= source.rank() ? source[source.rank() - back] : 1;
        axis.strides[s] = own == 1 ? 0 : stride[s];
        stride[s] *= own;
        merges = merges && axis.strides[s] == axes[depth - 1].strides[s] * axes[depth - 1].size;
      }
      if (merges) {
        axes[depth - 1].size *= size;
      } else {
        axes[depth++].size = size;
      }
    }
    if (depth == 0) {
      axes[depth++].size = 1;
      std::fill_n(axes[0].strides, count, 0);
    }
  }

  void cut() {
    const std::int64_t most = std::min(piece_elements, buffer_bytes / (8 * count));
    bool repeats = false;
    for (int s = 0; s < count; ++s) repeats = repeats || axes[0].strides[s] == 0;
    // Writing an element out many times costs more than the calls it saves.
    if (!repeats || axes[0].size < long_row) {
      while (split + 1 < depth && 4 * inner * axes[split].size <= most) inner *= axes[split++].size;
    }
    const std::int64_t size = axes[split].size;
    chunk = std::clamp(split == 0 ? row_elements : most / inner, std::int64_t{1}, size);
    pieces = (size + chunk - 1) / chunk;
    for (int a = split + 1; a < depth; ++a) pieces *= axes[a].size;
  }

  void describe(Input& input, int s) const {
    for (int a = 0; a <= split; ++a) {
      const Input::Level level{a == split ? 1 : axes[a].size, axes[a].strides[s] / input.element};
      Input::Level& last = input.level[std::max(input.levels - 1, 0)];
      if (input.levels > 0 && level.stride == last.stride * last.size) {
        last.size *= level.size;
      } else {
        input.level[input.levels++] = level;
      }
    }
  }
};

// Writes out the levels up to `top`, the last one `size` long; returns how many elements that makes.
template <class T>
std::int64_t expand(const Input& input, int top, std::int64_t size, T* to, const T* from) {
  const std::int64_t stride = input.level[top].stride;
  if (top == 0) {
    if (stride == 0) {
      detail::spread(to, from, 1, 1, size);
    } else {
      detail::copy_few(to, from, size);
    }
    return size;
  }
  const Input::Level& below = input.level[top - 1];
  if (stride == 0) {
    const std::int64_t n = expand(input, top - 1, below.size, to, from);
    detail::repeat_front(to, n, n * size);
    return n * size;
  }
  if (top == 1) {  // neighbours differ, so the level below repeats
    detail::spread(to, from, 1, size, below.size);
    return size * below.size;
  }
  std::int64_t written = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    written += expand(input, top - 1, below.size, to + written, from + i * stride);
  }
  return written;
}

const void* fill(Input& input, const void* from, std::int64_t steps) {
  if (input.filled == from && input.steps >= steps) return input.buffer;  // as in the piece before
  input.filled = from;
  input.steps = steps;
  const int top = input.levels - 1;
  const std::int64_t size = input.level[top].size * steps;
  const auto write = [&]<class T>(T*) {
    expand(input, top, size, reinterpret_cast<T*>(input.buffer), static_cast<const T*>(from));
  };
  if (input.element == 1) {
    write(static_cast<std::uint8_t*>(nullptr));
  } else if (input.element == 4) {
    write(static_cast<std::uint32_t*>(nullptr));
  } else {
    write(static_cast<std::uint64_t*>(nullptr));
  }
  return input.buffer;
}

// The pieces [first, last). What they write does not depend on how the pieces are divided.
void run(Nest& nest, unsigned char* out, std::int64_t element, const Source* sources, std::int64_t first,
         std::int64_t last, Row row, const void* f) {
  alignas(64) unsigned char buffers[buffer_bytes + max_sources * 80];
  unsigned char* free = buffers;
  const void* in[max_sources];
  const unsigned char* at[max_sources];
  bool advances[max_sources], buffered[max_sources];
  for (int s = 0; s < nest.count; ++s) {
    Input& input = nest.inputs[s];
    buffered[s] = input.levels > 1;
    advances[s] = buffered[s] || input.level[0].stride != 0;
    if (!buffered[s]) continue;
    input.buffer = free;
    free += (nest.inner * nest.chunk * input.element + 63) / 64 * 64;
  }
  const Axis& split = nest.axes[nest.split];
  const std::int64_t cuts = (split.size + nest.chunk - 1) / nest.chunk;
  std::int64_t index[max_axes],
      step = first % cuts * nest.chunk;  // of the axes behind `split`, and of `split`
  std::int64_t rest = first / cuts, written = step * nest.inner, weight = nest.inner * split.size;
  for (int s = 0; s < nest.count; ++s) {
    at[s] = static_cast<const unsigned char*>(sources[s].data) + step * split.strides[s];
  }
  for (int a = nest.split + 1; a < nest.depth; ++a) {
    const Axis& axis = nest.axes[a];
    index[a] = rest % axis.size;
    rest /= axis.size;
    written += index[a] * weight;
    weight *= axis.size;
    for (int s = 0; s < nest.count; ++s) at[s] += index[a] * axis.strides[s];
  }
  out += written * element;
  const auto next_outer = [&](int a) {  // an odometer over the axes from a on
    for (; a < nest.depth; ++a) {
      const Axis& axis = nest.axes[a];
      const bool wraps = ++index[a] == axis.size;
      for (int s = 0; s < nest.count; ++s) at[s] += (wraps ? 1 - axis.size : 1) * axis.strides[s];
      if (!wraps) break;
      index[a] = 0;
    }
  };
  if (nest.split == 0 && cuts == 1 && nest.depth > 1) {  // each row is a piece: as little around it as can be
    const Axis& axis = nest.axes[1];
    for (std::int64_t piece = first; piece < last;) {
      const std::int64_t rows = std::min(last - piece, axis.size - index[1]);
      std::copy_n(at, nest.count, in);
      for (std::int64_t r = 0; r < rows; ++r, out += split.size * element) {
        row(f, out, in, advances, split.size);
        for (int s = 0; s < nest.count; ++s) {
          in[s] = static_cast<const unsigned char*>(in[s]) + axis.strides[s];
        }
      }
      piece += rows;
      for (int s = 0; s < nest.count; ++s) at[s] -= index[1] * axis.strides[s];
      index[1] = 0;
      next_outer(2);
    }
    return;
  }
  for (std::int64_t piece = first; piece < last; ++piece) {
    const std::int64_t count = std::min(nest.chunk, split.size - step);
    for (int s = 0; s < nest.count; ++s) in[s] = buffered[s] ? fill(nest.inputs[s], at[s], count) : at[s];
    row(f, out, in, advances, nest.inner * count);
    out += nest.inner * count * element;
    step += count;
    const bool goes_on = step < split.size;
    for (int s = 0; s < nest.count; ++s) at[s] += (goes_on ? count : count - split.size) * split.strides[s];
    if (goes_on) continue;
    step = 0;
    next_outer(nest.split + 1);
  }
}

}  // namespace

void for_rows(const Shape& shape, void* out, std::size_t element, const Source* sources, int count, Row row,
              const void* f) {
  Nest nest(shape, sources, count);
  const auto part = [&](Nest& own, std::int64_t first, std::int64_t last) {
    run(own, static_cast<unsigned char*>(out), static_cast<std::int64_t>(element), sources, first, last, row,
        f);
  };
  if (shape.size() < parallel_elements || num_threads() == 1) return part(nest, 0, nest.pieces);
  const std::int64_t grain = std::max<std::int64_t>(1, parallel_elements / 2 / (nest.inner * nest.chunk));
  xgrad::detail::parallel(nest.pieces, grain, [&](std::int64_t first, std::int64_t last) {
    Nest own = nest;  // with buffers of its own
    part(own, first, last);
  });
}

void capture_rows(const Tensor& out, std::size_t element, std::span<const Tensor* const> in,
                  std::span<const std::size_t> bytes, const Formula& formula) {
  static constexpr char nothing = 0;
  std::shared_ptr<const void> state = formula.copy == nullptr ? nullptr : formula.copy(formula.f);
  const void* f = state == nullptr ? &nothing : state.get();
  const Row row = formula.row;
  struct Call {
    std::shared_ptr<const void> owner;
    const void* f;
    Row row;
    Shape shape;
    std::size_t element;
    std::vector<Shape> shapes;
    std::vector<std::size_t> bytes;
    void operator()(void* const* result, const void* const* sources) const {
      Source all[max_sources];
      for (std::size_t s = 0; s < shapes.size(); ++s) all[s] = {sources[s], &shapes[s], bytes[s]};
      for_rows(shape, result[0], element, all, static_cast<int>(shapes.size()), row, f);
    }
  };
  Call call{std::move(state), f, row, out.shape(), element, {}, {bytes.begin(), bytes.end()}};
  xgrad::detail::Walk walk{row, f, out.size(), element, {}};
  for (std::size_t s = 0; s < in.size(); ++s) {
    call.shapes.push_back(in[s]->shape());
    const bool repeats = in[s]->size() == 1 && out.size() != 1;
    walk.in_bytes[s] = repeats ? 0 : bytes[s];
    if (!repeats && in[s]->size() != out.size()) walk.row = nullptr;
  }
  const Tensor* results[] = {&out};
  xgrad::detail::capture(results, in, xgrad::detail::Kernel::of(call), walk);
}

}  // namespace xgrad::kernel
