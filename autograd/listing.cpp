#include <algorithm>
#include <array>
#include <charconv>
#include <xgrad/autograd/draw.hpp>

namespace xgrad {
namespace {

constexpr std::size_t longest = 60;        // characters of a name
constexpr std::size_t widest_column = 48;  // a longer entry pushes its own line only

std::size_t byte(char c) { return static_cast<unsigned char>(c); }

// The bytes of the character that begins here, or 0 if none does: overlong forms, surrogates, controls and
// what XML forbids are none.
std::size_t character(std::string_view text) {
  const std::size_t first = byte(text[0]);
  if (first < 0x80) return first < 0x20 || first == 0x7f ? 0 : 1;
  const std::size_t length = first >= 0xf5   ? 0
                             : first >= 0xf0 ? 4
                             : first >= 0xe0 ? 3
                             : first >= 0xc2 ? 2
                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  std::size_t code = first & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(text[i]) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(text[i]) & 0x3f);
  }
  constexpr std::size_t smallest[] = {0, 0, 0xa0, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code<0xe000, beyond = code> 0x10ffff;
  return code < smallest[length] || surrogate || beyond || (code & 0xfffe) == 0xfffe ? 0 : length;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (byte(c) & 0xc0) != 0x80; }));
}

bool is_leaf(const Tape& tape, std::size_t i) {
  return tape.node(i).input_count == 0 && tape.leaf(i) != nullptr;
}

// In a listing a number alone is a node.
std::string constant(const ConstantInfo& info) {
  if (info.shape.size() != 1) return "const" + detail::describe(info.shape, info.dtype);
  const std::string text = detail::literal(info);
  if (info.dtype == int64) return "int64(" + text + ")";
  return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

std::string call(const Tape& tape, std::size_t i) {
  const Node& node = tape.node(i);
  if (is_leaf(tape, i)) {
    const std::string& name = tape.leaf(i)->name();
    return (name.empty() ? "" : detail::printable(name) + " = ") + node.op;
  }
  std::string text = detail::printable(node.op) + "(";
  for (std::uint32_t k = 0; k < node.input_count; ++k) {
    if (k > 0) text += ", ";
    const std::int32_t input = node.inputs[k];
    const auto index = static_cast<std::size_t>(input < 0 ? ~input : input);
    if (input < 0) {
      text += constant(tape.constant(index));
    } else if (is_leaf(tape, index) && !tape.leaf(index)->name().empty()) {
      text += detail::printable(tape.leaf(index)->name());
    } else {
      text += std::to_string(index);
    }
  }
  return text + ")";
}

std::string path(const Tape& tape, std::uint32_t scope) {
  std::vector<std::uint32_t> chain;
  for (; scope != 0; scope = tape.scope(scope).parent) chain.push_back(scope);
  std::string text;
  for (std::size_t i = chain.size(); i-- > 0;) {
    text += (text.empty() ? "" : "/") + detail::printable(tape.scope(chain[i]).name);
  }
  return text;
}

using Row = std::array<std::string, 4>;

Row row(const Tape& tape, std::size_t i) {
  const Node& node = tape.node(i);
  // A leaf's line would be one of the library's own.
  const bool placed = !is_leaf(tape, i) && node.where.line() != 0;
  return {call(tape, i), detail::describe(node.shape, node.dtype),
          placed ? detail::printable(detail::to_string(node.where)) : "", path(tape, node.scope)};
}

}  // namespace

std::string detail::printable(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0, shown = 0; i < bytes.size(); ++shown) {
    if (shown == longest) return text + "...";
    const std::size_t length = character(bytes.substr(i));
    if (length == 0) {
      text += {'\\', 'x', digits[byte(bytes[i]) >> 4], digits[byte(bytes[i]) & 15]};
    } else {
      text += bytes.substr(i, length);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return text;
}

std::string detail::describe(const Shape& shape, DType dtype) {
  return dtype == float32 ? to_string(shape) : to_string(shape) + " " + name(dtype);
}

std::string detail::literal(const ConstantInfo& constant) {
  if (constant.dtype == bool_) return constant.value != 0 ? "true" : "false";
  char buffer[32];
  // The shortest text that reads back as the same number of its own type.
  const auto end = constant.dtype == float32
                       ? std::to_chars(buffer, std::end(buffer), static_cast<float>(constant.value))
                       : std::to_chars(buffer, std::end(buffer), constant.value);
  return std::string(buffer, end.ptr);
}

std::string to_text(const Tape& tape) {
  // Twice over the tape, so that a long one is not kept as rows.
  std::array<std::size_t, 4> widths{};
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Row entries = row(tape, i);
    for (std::size_t k = 0; k < entries.size(); ++k) {
      const std::size_t w = width(entries[k]);
      if (w <= widest_column) widths[k] = std::max(widths[k], w);
    }
  }
  const std::size_t digits = std::to_string(tape.size() - (tape.size() > 0)).size();
  std::string text;
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const std::string index = std::to_string(i);
    text += std::string(digits - index.size(), ' ') + index + ": ";
    std::size_t gap = 0;  // blanks owed before the next entry, if there is one
    const Row entries = row(tape, i);
    for (std::size_t k = 0; k < entries.size(); ++k) {
      if (!entries[k].empty()) {
        text += std::string(gap, ' ') + entries[k];
        gap = 0;
      }
      const std::size_t w = width(entries[k]);
      gap += (widths[k] == 0 ? 0 : widths[k] + 4) - std::min(w, widths[k]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace xgrad
