// Nests: tensors in whatever structure a function takes them, as a tuple of vectors.
//
// A nest is a Tensor or a Variable, a vector, array, pair, tuple or map of nests, or a class that shows its parts
// to a visitor:
//
//   struct Batch {
//     Variable x;
//     std::vector<Variable> states;
//     template <class V>
//     void each_variable(V&& visit) {
//       visit(x, "x");
//       visit(states, "states");
//     }
//   };
#pragma once

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>
#include <xgrad/autograd/variable.hpp>

namespace xgrad {

using Variables = std::vector<Variable>;

namespace detail {

/// What a class that shows its parts is tried with.
struct AnyVisitor {
  template <class T>
  void operator()(T&, const char*) const {}
};
template <class T>
concept ShowsVariables = requires(T& nest, const AnyVisitor& visit) {
  nest.each_variable(visit);
};

/// The nest with a Variable for each Tensor; no type if it is none.
template <class T>
struct WatchedType {};
template <ShowsVariables T>
struct WatchedType<T> {
  using type = T;
};
template <>
struct WatchedType<Variable> {
  using type = Variable;
};
template <>
struct WatchedType<Tensor> {
  using type = Variable;
};
template <class T>
using Watched = typename WatchedType<T>::type;

template <class T>
concept Nest = requires {
  typename Watched<T>;
};

template <Nest T>
struct WatchedType<std::vector<T>> {
  using type = std::vector<Watched<T>>;
};
template <Nest T, std::size_t N>
struct WatchedType<std::array<T, N>> {
  using type = std::array<Watched<T>, N>;
};
template <Nest A, Nest B>
struct WatchedType<std::pair<A, B>> {
  using type = std::pair<Watched<A>, Watched<B>>;
};
template <Nest... T>
struct WatchedType<std::tuple<T...>> {
  using type = std::tuple<Watched<T>...>;
};
template <class K, Nest T>
struct WatchedType<std::map<K, T>> {
  using type = std::map<K, Watched<T>>;
};

template <class T>
inline constexpr bool is_map = false;
template <class K, class T>
inline constexpr bool is_map<std::map<K, T>> = true;
template <class T>
concept HasParts = requires {
  std::tuple_size<T>::value;
};

/// A copy of the nest that shares its tensors.
template <Nest T>
Watched<T> watched(const T& nest) {
  if constexpr (std::is_same_v<T, Watched<T>>) {
    return nest;
  } else if constexpr (std::is_same_v<T, Tensor>) {
    return Variable(nest);
  } else if constexpr (HasParts<T>) {
    return std::apply([](const auto&... part) { return Watched<T>{watched(part)...}; }, nest);
  } else if constexpr (is_map<T>) {
    Watched<T> copy;
    for (const auto& [key, part] : nest) copy.emplace(key, watched(part));
    return copy;
  } else {
    Watched<T> copy;
    for (const auto& part : nest) copy.push_back(watched(part));
    return copy;
  }
}

/// Calls see(variable, name) for each Variable in a fixed order. `name` is that of the nest; parts add ".1", or
/// ".weight". The outermost nest has the name "", and its parts are x0, x1, ... or have the names it gives them.
template <class T, class See>
void each_variable(T& nest, const std::string& name, const See& see) {
  const auto part_name = [&](const std::string& part) {
    if (!name.empty()) return name + "." + part;
    return part.find_first_not_of("0123456789") == std::string::npos ? "x" + part : part;
  };
  if constexpr (std::is_same_v<T, Variable>) {
    see(nest, name.empty() ? "x0" : name);
  } else if constexpr (ShowsVariables<T>) {
    nest.each_variable([&](auto& part, const char* field) { each_variable(part, part_name(field), see); });
  } else if constexpr (HasParts<T>) {
    std::size_t i = 0;
    std::apply([&](auto&... part) { (each_variable(part, part_name(std::to_string(i++)), see), ...); }, nest);
  } else if constexpr (is_map<T>) {
    for (auto& [key, part] : nest) {
      if constexpr (std::is_convertible_v<decltype(key), std::string>) {
        each_variable(part, part_name(key), see);
      } else {
        each_variable(part, part_name(std::to_string(key)), see);
      }
    }
  } else {
    for (std::size_t i = 0; i < nest.size(); ++i) each_variable(nest[i], part_name(std::to_string(i)), see);
  }
}

}  // namespace detail
}  // namespace xgrad
