// The colours of operations in diagrams: one for each class, as in XLA's graphs.
#pragma once

#include <string_view>

namespace xgrad::detail {

struct OpColours {
  const char *fill, *line, *text;
};

/// Of an operation by its name; grey for one that no class has, as a user's own.
const OpColours& colours_of(std::string_view op);

/// Whether the inputs of an operation may be exchanged: then a diagram does not number them.
bool is_symmetric(std::string_view op);

}  // namespace xgrad::detail
