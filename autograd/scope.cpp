#include <optional>
#include <string_view>
#include <xgrad/autograd/scope.hpp>

namespace xgrad {
namespace {
thread_local Scope* innermost = nullptr;
thread_local std::uint64_t last_id = 0;
thread_local std::optional<std::source_location> override_location;
}  // namespace

Scope::Scope(std::string name) : name_(std::move(name)), parent_(innermost), id_(++last_id) {
  innermost = this;
}
Scope::~Scope() { innermost = parent_; }
const Scope* Scope::current() { return innermost; }

std::string Scope::path() {
  std::string path;
  for (const Scope* scope = innermost; scope != nullptr; scope = scope->parent_) {
    path = path.empty() ? scope->name_ : scope->name_ + "/" + path;
  }
  return path;
}

detail::At::At(std::source_location where) : outermost_(!override_location.has_value()) {
  if (outermost_) override_location = where;
}
detail::At::~At() {
  if (outermost_) override_location.reset();
}
std::source_location detail::At::or_else(std::source_location otherwise) {
  return override_location.value_or(otherwise);
}

std::string detail::to_string(std::source_location where) {
  std::string_view file = where.file_name();
  file.remove_prefix(file.find_last_of('/') + 1);  // npos + 1 == 0
  return std::string(file) + ":" + std::to_string(where.line());
}

}  // namespace xgrad
