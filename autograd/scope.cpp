#include <string_view>
#include <xgrad/autograd/scope.hpp>

namespace xgrad {
namespace {
constinit thread_local std::uint64_t last_id = 0;
}  // namespace

constinit thread_local Scope* Scope::innermost_ = nullptr;
constinit thread_local bool detail::At::set_ = false;
constinit thread_local std::source_location detail::At::where_;

Scope::Scope(std::string name) : name_(std::move(name)), parent_(innermost_), id_(++last_id) {
  innermost_ = this;
}
Scope::~Scope() { innermost_ = parent_; }

std::string Scope::path() {
  std::string path;
  for (const Scope* scope = innermost_; scope != nullptr; scope = scope->parent_) {
    path = path.empty() ? scope->name_ : scope->name_ + "/" + path;
  }
  return path;
}

detail::At::At(std::source_location where) : outermost_(!set_) {
  if (!outermost_) return;
  set_ = true;
  where_ = where;
}
detail::At::~At() {
  if (outermost_) set_ = false;
}

std::string detail::to_string(std::source_location where) {
  std::string_view file = where.file_name();
  file.remove_prefix(file.find_last_of('/') + 1);  // npos + 1 == 0
  return std::string(file) + ":" + std::to_string(where.line());
}

}  // namespace xgrad
