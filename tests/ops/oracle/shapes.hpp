// Names of samples and what they are in xgrad: shapes, parts, orders and indices.
#pragma once

#include "reductions.hpp"

namespace oracle {

inline Variable repeated(X x, A a) {
  const auto axis = a.has("axis") ? std::optional(a.axis()) : std::nullopt;
  if (a["times"].is_array()) return repeat(x[0], a.sizes("times"), axis);
  return repeat(x[0], a.whole("times"), axis);
}

inline Variable rolled(X x, A a) {
  const auto shifts = a.sizes("shifts");
  if (!a.has("axes")) return roll(x[0], shifts[0]);
  const auto axes = a.ints("axes");
  return axes.size() == 1 ? roll(x[0], shifts[0], axes[0]) : roll(x[0], shifts, axes);
}

inline Variable padded(X x, A a) {
  std::vector<PadWidth> widths;
  for (const Json& pair : a["widths"])
    widths.push_back({pair[0].get<std::int64_t>(), pair[1].get<std::int64_t>()});
  const std::map<std::string, PadMode> modes{{"constant", PadMode::constant},
                                             {"reflect", PadMode::reflect},
                                             {"edge", PadMode::edge},
                                             {"wrap", PadMode::wrap}};
  return pad(x[0], widths, modes.at(a.text("mode")), a.real("value"));
}

inline Variable moved(X x, A a) {
  const auto source = a.ints("source"), destination = a.ints("destination");
  return source.size() == 1 ? moveaxis(x[0], source[0], destination[0]) : moveaxis(x[0], source, destination);
}

inline const Variable& part_of(const std::vector<Variable>& parts, A a) {
  return parts.at(static_cast<std::size_t>(a.whole("part")));
}

inline Variable largest(X x, A a) {
  TopK top = topk(x[0], a.whole("k"), a.axis(), a.flag("largest"));
  return a.text("part") == "values" ? top.values : top.indices;
}

// clang-format off

inline const std::map<std::string, Call> shape_calls{
  {"reshape",          [](X x, A a) { const auto n = a.sizes("shape"); return n.size() == 1 ? reshape(x[0], {n[0]}) : reshape(x[0], {n[0], n[1]}); }},
  {"flatten",          [](X x, A a) { return flatten(x[0], a.axis("start"), a.axis("end")); }},
  {"expand_dims",      [](X x, A a) { return expand_dims(x[0], a.axes()); }},
  {"squeeze",          [](X x, A a) { return squeeze(x[0], a.axes()); }},
  {"transpose",        [](X x, A a) { return transpose(x[0], a.ints("order")); }},
  {"permute_dims",     [](X x, A a) { return permute_dims(x[0], a.ints("order")); }},
  {"matrix_transpose", [](X x, A) { return matrix_transpose(x[0]); }},
  {"swapaxes",         [](X x, A a) { return swapaxes(x[0], a.axis("first"), a.axis("second")); }},
  {"moveaxis",         moved},
  {"broadcast_to",     [](X x, A a) { return broadcast_to(x[0], a.shape()); }},
  {"tile",             [](X x, A a) { return tile(x[0], a.sizes("times")); }},
  {"repeat",           repeated},
  {"meshgrid",         [](X x, A a) { return part_of(meshgrid(x, a.text("indexing") == "xy" ? Indexing::xy : Indexing::ij), a); }},
  {"concat",           [](X x, A a) { return concat(x, a.axis()); }},
  {"stack",            [](X x, A a) { return stack(x, a.axis()); }},
  {"split",            [](X x, A a) { return part_of(split(x[0], a.sizes("places"), a.axis()), a); }},
  {"split_equal",      [](X x, A a) { return part_of(split(x[0], a.whole("count"), a.axis()), a); }},
  {"unstack",          [](X x, A a) { return part_of(unstack(x[0], a.axis()), a); }},
  {"slice",            [](X x, A a) { return slice(x[0], a.axis(), {a.whole("start"), a.whole("stop"), a.whole("step")}); }},
  {"view",             [](X x, A a) { return x[0](ellipsis(), a.whole("place"), newaxis()); }},
  {"diagonal",         [](X x, A a) { return diagonal(x[0], a.whole("offset"), a.axis("first"), a.axis("second")); }},
  {"diag",             [](X x, A a) { return diag(x[0], a.whole("offset")); }},
  {"tril",             [](X x, A a) { return tril(x[0], a.whole("offset")); }},
  {"triu",             [](X x, A a) { return triu(x[0], a.whole("offset")); }},
  {"flip",             [](X x, A a) { return flip(x[0], a.axes()); }},
  {"roll",             rolled},
  {"pad",              padded},

  {"take",             [](X x, A a) { return take(x[0], x[1], a.axis()); }},
  {"take_along_axis",  [](X x, A a) { return take_along_axis(x[0], x[1], a.axis()); }},
  {"index_add",        [](X x, A a) { return index_add(x[0], x[1], x[2], a.axis()); }},
  {"scatter_add",      [](X x, A a) { return scatter_add(x[0], x[1], x[2], a.axis()); }},
  {"pick",             [](X x, A a) { return pick(x[0], x[1], a.axis()); }},
  {"embedding",        [](X x, A) { return embedding(x[0], x[1]); }},
  {"one_hot",          [](X x, A a) { return one_hot(x[0], a.whole("classes")); }},
  {"masked_fill",      [](X x, A a) { return a.has("value") ? masked_fill(x[0], x[1], a.real("value")) : masked_fill(x[0], x[1], x[2]); }},
  {"nonzero",          [](X x, A a) { return part_of(nonzero(x[0]), a); }},
  {"sort",             [](X x, A a) { return sort(x[0], a.axis(), a.flag("descending")); }},
  {"argsort",          [](X x, A a) { return argsort(x[0], a.axis(), a.flag("descending")); }},
  {"topk",             largest},
};

// clang-format on

}  // namespace oracle
