#include <algorithm>
#include <xgrad/autograd/gradients.hpp>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/tape.hpp>

namespace xgrad {
namespace {

bool matches(const Gradients::Entry& entry, const Gradients::Entry& other) {
  if (entry.parameter || other.parameter) {
    return entry.parameter && other.parameter && entry.parameter->same_as(*other.parameter);
  }
  return entry.place.tape == other.place.tape && entry.place.index == other.place.index;
}

}  // namespace

namespace {
// Trivially destructible, so still readable while the thread ends.
thread_local bool spare_gone = false;
struct Spare {
  std::vector<Gradients::Entry> entries;
  ~Spare() { spare_gone = true; }
};
thread_local Spare spare;
}  // namespace

Gradients Gradients::reusing() {
  Gradients gradients;
  if (!spare_gone) gradients.entries_ = std::exchange(spare.entries, {});
  return gradients;
}

Gradients::~Gradients() {
  if (spare_gone || entries_.capacity() <= spare.entries.capacity()) return;
  entries_.clear();
  spare.entries = std::move(entries_);
}

void Gradients::add(Entry entry) {
  // Several snapshots of one parameter, taken before and after an update: their gradients add up.
  for (Entry& own : entries_) {
    if (entry.parameter && matches(own, entry)) {
      own.gradient = detail::accumulate(std::move(own.gradient), entry.gradient);
      return;
    }
  }
  entries_.push_back(std::move(entry));
}

const Variable* Gradients::find(const Parameter& parameter) const {
  for (const Entry& entry : entries_) {
    if (entry.parameter && entry.parameter->same_as(parameter)) return &entry.gradient;
  }
  return nullptr;
}

const Variable* Gradients::find(const Variable& variable) const {
  if (variable.is_constant()) return nullptr;
  for (const Entry& entry : entries_) {
    if (entry.place.tape == variable.place().tape && entry.place.index == variable.place().index)
      return &entry.gradient;
  }
  return nullptr;
}

const Variable& Gradients::operator[](const Parameter& parameter) const {
  if (const Variable* gradient = find(parameter)) return *gradient;
  throw GraphError("Gradients: the result does not depend on parameter " + parameter.name() + " " +
                   to_string(parameter.shape()) +
                   "; use find() or or_zeros() if that is meant to be possible");
}

const Variable& Gradients::operator[](const Variable& variable) const {
  if (const Variable* gradient = find(variable)) return *gradient;
  if (variable.is_constant()) {
    throw GraphError("Gradients: the variable " + to_string(variable.shape()) +
                     " is a constant; tape.watch(x) gives one whose gradient is kept");
  }
  const std::string name = detail::name_of(variable);
  throw GraphError("Gradients: no gradient for variable " + (name.empty() ? "" : name + " ") +
                   to_string(variable.shape()) +
                   ": the result does not depend on it, or it is not a leaf and was not named in wrt");
}

Variable Gradients::or_zeros(const Parameter& parameter) const {
  const Variable* gradient = find(parameter);
  return gradient != nullptr ? *gradient : Variable(zeros(parameter.shape(), parameter.dtype()));
}

Variable Gradients::or_zeros(const Variable& variable) const {
  const Variable* gradient = find(variable);
  return gradient != nullptr ? *gradient : Variable(zeros(variable.shape(), variable.dtype()));
}

Gradients& Gradients::operator+=(const Gradients& other) {
  std::vector<Entry> sum = entries_;
  for (const Entry& theirs : other.entries_) {
    const auto own = std::find_if(sum.begin(), sum.end(), [&](const Entry& e) { return matches(e, theirs); });
    if (own == sum.end()) {
      sum.push_back(theirs);
      continue;
    }
    const Variable &a = own->gradient, &b = theirs.gradient;
    if (a.shape() != b.shape()) {
      throw ShapeError("Gradients: the gradients of " + theirs.name() +
                       " differ in shape: " + to_string(a.shape()) + " and " + to_string(b.shape()));
    }
    if (a.dtype() != b.dtype()) {
      throw DTypeError("Gradients: the gradients of " + theirs.name() +
                       " differ in dtype: " + name(a.dtype()) + " and " + name(b.dtype()));
    }
    own->gradient = detail::accumulate(a, b);
  }
  entries_ = std::move(sum);
  return *this;
}

}  // namespace xgrad
