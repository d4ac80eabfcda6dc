#include <algorithm>
#include <xgrad/ops/einsum_formula.hpp>

namespace xgrad::detail {

std::string name_of_label(int label) {
  return label >= Formula::dots ? "an axis of \"...\"" : "label " + std::string(1, static_cast<char>(label));
}

Formula::Formula(const Call& call, std::string_view text) : operands(1) {
  bool explicit_result = false;

  const auto fail = [&](const std::string& what, std::size_t at) {
    call.fail<Error>("\"" + std::string(text) + "\": " + what + " at position " + std::to_string(at));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    Labels& term = explicit_result ? result : operands.back();
    if (c == ' ') continue;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      if (explicit_result && contains(term, c)) fail(name_of_label(c) + " stands twice in the result,", i);
      term.push_back(c);
    } else if (text.substr(i, 3) == "...") {
      if (contains(term, dots)) fail("a second \"...\"", i);
      term.push_back(dots);
      i += 2;
    } else if (text.substr(i, 2) == "->") {
      if (explicit_result) fail("a second \"->\"", i);
      explicit_result = true;
      ++i;
      continue;
    } else if (c == ',') {
      if (explicit_result) fail("a second result", i);
      operands.emplace_back();
      continue;
    } else {
      fail(c == '.'   ? std::string("dots that are not three")
           : c == '-' ? std::string("\"-\" without \">\"")
                      : "'" + std::string(1, c) + "', which is no label,",
           i);
    }
    if (!explicit_result) continue;
    const auto has = [&](const Labels& operand) { return contains(operand, term.back()); };
    if (term.back() != dots && std::none_of(operands.begin(), operands.end(), has)) {
      fail(name_of_label(c) + " is in no operand,", i);
    }
  }
  if (explicit_result) return;
  int count[dots + 1] = {};
  for (const Labels& operand : operands) {
    for (int label : operand) ++count[label];
  }
  if (count[dots] != 0) result.push_back(dots);
  for (int label = 0; label < dots; ++label) {
    if (count[label] == 1) result.push_back(label);
  }
}

}  // namespace xgrad::detail
