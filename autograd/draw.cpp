#include <algorithm>
#include <cstdio>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>
#include <xgrad/autograd/draw.hpp>
#include <xgrad/autograd/palette.hpp>
#include <xgrad/tensor/version.hpp>

namespace xgrad {
namespace {

std::string with_commas(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string count(std::uint64_t n, const char* noun) {
  return with_commas(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string bytes_of(const Shape& shape, DType dtype) {
  double amount = static_cast<double>(shape.size()) * static_cast<double>(size_of(dtype));
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < std::size(units); ++unit) amount /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
  return text;
}

// What a label means to DOT is escaped here: quotes, backslashes, and & because dot reads entities.
std::string quoted(const std::vector<std::string>& lines) {
  std::string text = "\"";
  for (const std::string& line : lines) {
    if (text.size() > 1) text += "\\n";
    for (char c : line) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
      if (c == '&') text += "amp;";
    }
  }
  return text + '"';
}

constexpr std::uint32_t none = ~std::uint32_t{0};

class Drawing {
 public:
  Drawing(const Tape& tape, const DrawOptions& options, std::size_t size, bool one_result)
      : tape_(tape), options_(options), one_result_(one_result), wanted_(size, !one_result) {}

  std::string text() {
    find_wanted();
    find_boxes();
    find_units();
    keep_within_limit();
    fill_frames();
    write_frames();
    write_omitted();
    return header() + frames_ + outside_ + edges_ + "}\n";
  }

 private:
  // What is drawn as one: an operation, a collapsed scope, or a leaf that nothing uses.
  struct Unit {
    std::uint32_t first,
        last;             // its nodes, if it is a collapsed scope: those in this range that belong to it
    std::uint32_t frame;  // the scope whose frame it is drawn in
    std::uint32_t box;    // the collapsed scope; 0: none
    bool is_result = false;
  };
  struct Item {
    bool is_frame;
    std::uint32_t number;  // of a scope or a unit
  };
  struct Frame {
    std::vector<Item> items;
    bool placed = false;
  };

  bool is_leaf(std::size_t i) const { return tape_.node(i).input_count == 0 && tape_.leaf(i) != nullptr; }
  bool is_parameter(std::size_t i) const { return tape_.leaf(i)->parameter.has_value(); }

  std::span<const std::int32_t> inputs(std::size_t i) const {
    const Node& node = tape_.node(i);
    return {node.inputs, node.input_count};
  }

  bool is_kept(std::uint32_t unit) const { return unit < keep_before_ || unit >= keep_from_; }

  template <class F>
  void for_nodes(std::uint32_t unit, const F& f) const {
    for (std::uint32_t i = units_[unit].first; i <= units_[unit].last; ++i) {
      if (unit_of_[i] == unit) f(i);
    }
  }

  void find_wanted() {
    used_.resize(wanted_.size(), false);
    if (one_result_) wanted_.back() = true;
    for (std::size_t i = wanted_.size(); i-- > 0;) {
      if (!wanted_[i]) continue;
      for (const std::int32_t input : inputs(i)) {
        if (input < 0) continue;
        wanted_[static_cast<std::size_t>(input)] = true;
        used_[static_cast<std::size_t>(input)] = true;
      }
    }
  }

  // box_[s]: the scope as whose box scope s is drawn, or 0.
  void find_boxes() {
    box_.resize(tape_.scope_count(), 0);
    if (options_.collapse_depth < 0) return;
    std::vector<int> depth(tape_.scope_count(), 0);
    for (std::uint32_t s = 1; s < box_.size(); ++s) {  // parents first
      const std::uint32_t parent = tape_.scope(s).parent;
      depth[s] = depth[parent] + 1;
      box_[s] = box_[parent] != 0 ? box_[parent] : depth[s] > options_.collapse_depth ? s : 0;
    }
  }

  void find_units() {
    unit_of_.resize(wanted_.size(), none);
    std::vector<std::uint32_t> unit_of_box(box_.size(), none);
    for (std::uint32_t i = 0; i < wanted_.size(); ++i) {
      const bool leaf = is_leaf(i);
      if (!wanted_[i] || (leaf && used_[i])) continue;
      const std::uint32_t scope = tape_.node(i).scope, box = box_[scope];
      std::uint32_t unit = box == 0 ? none : unit_of_box[box];
      if (unit == none) {
        unit = static_cast<std::uint32_t>(units_.size());
        units_.push_back({i, i, box == 0 ? scope : tape_.scope(box).parent, box});
        if (box != 0) unit_of_box[box] = unit;
      }
      units_[unit].last = i;
      units_[unit].is_result |= !used_[i] && (!leaf || one_result_);
      unit_of_[i] = unit;
    }
  }

  void keep_within_limit() {
    const std::size_t limit = std::max<std::size_t>(options_.max_nodes, 1);
    const bool fits = units_.size() <= limit;
    keep_before_ = fits ? units_.size() : limit / 2;
    keep_from_ = fits ? units_.size() : units_.size() - (limit - limit / 2);
  }

  // Lists what stands in each frame in the order of recording; a frame comes where its first unit does.
  void fill_frames() {
    contents_.resize(tape_.scope_count());
    contents_[0].placed = true;
    for (std::uint32_t unit = 0; unit < units_.size(); ++unit) {
      if (!is_kept(unit)) continue;
      contents_[units_[unit].frame].items.push_back({false, unit});
      for (std::uint32_t s = units_[unit].frame; !contents_[s].placed; s = tape_.scope(s).parent) {
        contents_[s].placed = true;
        contents_[tape_.scope(s).parent].items.push_back({true, s});
      }
    }
  }

  void write_frames() {
    uses_.resize(wanted_.size(), 0);
    last_user_.resize(wanted_.size(), none);
    struct Open {
      std::uint32_t scope;
      std::size_t next = 0;
    };
    std::vector<Open> open{{0}};
    while (!open.empty()) {
      const std::vector<Item>& items = contents_[open.back().scope].items;
      const std::string indent(2 * std::min<std::size_t>(open.size(), 16), ' ');
      if (open.back().next == items.size()) {
        open.pop_back();
        if (!open.empty()) frames_ += indent.substr(2) + "}\n";
        continue;
      }
      const Item item = items[open.back().next++];
      if (item.is_frame) {
        frames_ += indent + "subgraph cluster_s" + std::to_string(item.number) + " {\n" + indent +
                   "  graph [label=" + quoted({detail::printable(tape_.scope(item.number).name)}) +
                   ", style=\"rounded,filled\", fillcolor=\"#f7f9fa\", color=\"#b0bec5\", "
                   "fontcolor=\"#546e7a\", labeljust=l];\n";
        open.push_back({item.number});
      } else if (units_[item.number].box != 0) {
        write_box(item.number, indent);
      } else {
        write_node(item.number, indent);
      }
    }
  }

  std::string id(std::uint32_t unit) const {
    if (!is_kept(unit)) return "omitted";
    const Unit& u = units_[unit];
    return u.box != 0 ? "s" + std::to_string(u.box) : "n" + std::to_string(u.first);
  }

  void add_shape(std::vector<std::string>& lines, const Shape& shape, DType dtype) const {
    lines.push_back(detail::describe(shape, dtype));
    if (options_.show_bytes) lines.push_back(bytes_of(shape, dtype));
  }

  std::string leaf_attributes(std::size_t i, bool is_result) const {
    const Node& node = tape_.node(i);
    const std::string& name = tape_.leaf(i)->name();
    std::vector<std::string> lines{name.empty() ? node.op : detail::printable(name)};
    add_shape(lines, node.shape, node.dtype);
    const std::string label = "[label=" + quoted(lines);
    if (is_result) return label + ", shape=doubleoctagon, style=filled, color=\"#d32f2f\", penwidth=1.5]";
    return label + (is_parameter(i)
                        ? ", shape=box3d, style=filled, fillcolor=lightblue, color=\"#5d8aa8\"]"
                        : ", shape=ellipse, style=\"filled,bold\", fillcolor=white, color=\"#212121\"]");
  }

  // "sub(1, ·)": scalar constants need no node of their own.
  std::string call(std::size_t i) const {
    std::string arguments;
    bool any = false;
    for (const std::int32_t input : inputs(i)) {
      const bool scalar = is_scalar(input);
      any |= scalar;
      if (arguments.size() > 60) continue;
      arguments += arguments.empty() ? "" : ", ";
      arguments += scalar ? detail::literal(tape_.constant(static_cast<std::size_t>(~input))) : "\u00b7";
    }
    return detail::printable(tape_.node(i).op + (any ? "(" + arguments + ")" : ""));
  }

  bool is_scalar(std::int32_t input) const {
    return input < 0 && tape_.constant(static_cast<std::size_t>(~input)).shape.size() == 1;
  }

  void write_node(std::uint32_t unit, const std::string& indent) {
    const std::uint32_t i = units_[unit].first;
    const Node& node = tape_.node(i);
    ++drawn_;
    if (is_leaf(i)) {
      frames_ += indent + id(unit) + " " + leaf_attributes(i, units_[unit].is_result) + ";\n";
      return;
    }
    const std::span<const std::int32_t> all = inputs(i);
    const auto arrows = all.size() - static_cast<std::size_t>(std::count_if(
                                         all.begin(), all.end(), [&](auto x) { return is_scalar(x); }));
    const bool numbered = arrows > 1 && !detail::is_symmetric(node.op);
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (is_scalar(all[k])) continue;
      write_input(unit, all[k], indent, numbered ? static_cast<int>(k + 1) : 0);
    }

    std::vector<std::string> lines{call(i)};
    add_shape(lines, node.shape, node.dtype);
    if (options_.show_location && node.where.line() != 0) {
      lines.push_back(detail::printable(detail::to_string(node.where)));
    }
    const detail::OpColours& look = detail::colours_of(node.op);
    const bool is_result = units_[unit].is_result;
    frames_ += indent + id(unit) + " [label=" + quoted(lines) + ", fillcolor=\"" + look.fill +
               "\", color=\"" + (is_result ? "#d32f2f" : look.line) + "\", fontcolor=\"" + look.text + "\"" +
               (is_result ? ", shape=doubleoctagon, style=filled, penwidth=1.5" : "") + "];\n";
  }

  void write_box(std::uint32_t unit, const std::string& indent) {
    const std::uint32_t box = units_[unit].box;
    std::size_t operations = 0, parameters = 0;
    std::uint64_t elements = 0;
    for_nodes(unit, [&](std::uint32_t i) {
      ++operations;
      for (const std::int32_t input : inputs(i)) {
        if (input < 0) continue;
        const auto source = static_cast<std::uint32_t>(input);
        if (!is_leaf(source) || !is_parameter(source)) {
          write_input(unit, input, indent, 0);
        } else if (last_user_[source] != unit) {
          ++parameters;
          elements += static_cast<std::uint64_t>(tape_.node(source).shape.size());
          note_use(source, unit);
        }
      }
    });
    drawn_ += operations;
    std::vector<std::string> lines{detail::printable(tape_.scope(box).name), count(operations, "operation")};
    if (parameters > 0) {
      lines.push_back(count(parameters, "parameter") + ", " + count(elements, "element"));
    }
    frames_ += indent + id(unit) + " [label=" + quoted(lines) +
               ", shape=tab, style=filled, fillcolor=\"#eceff1\", color=\"" +
               (units_[unit].is_result ? "#d32f2f\", peripheries=2" : "#78909c\"") + "];\n";
  }

  void note_use(std::uint32_t leaf, std::uint32_t unit) {
    if (last_user_[leaf] == none) ++drawn_;
    last_user_[leaf] = unit;
  }

  // The arrow from one input, with the input itself if it is a leaf or a constant.
  void write_input(std::uint32_t unit, std::int32_t input, const std::string& indent, int number) {
    const auto source = static_cast<std::uint32_t>(input < 0 ? ~input : input);
    if (input < 0) {
      const ConstantInfo& constant = tape_.constant(source);
      std::vector<std::string> lines;
      add_shape(lines, constant.shape, constant.dtype);
      const std::string name = "c" + std::to_string(source);
      frames_ += indent + name + " [label=" + quoted(lines) +
                 ", shape=box, style=filled, fillcolor=\"#f5f5f5\", color=\"#bdbdbd\", "
                 "fontcolor=\"#757575\", fontsize=8, height=0.2, margin=\"0.05,0.03\"];\n";
      write_edge(name, unit, number);
    } else if (is_leaf(source)) {
      const bool again = last_user_[source] == unit;
      if (!again) note_use(source, unit), ++uses_[source];
      const std::string name = "n" + std::to_string(source) + "_u" + std::to_string(uses_[source] - 1);
      if (!again) {
        // An input comes from outside the scope that uses it; a parameter belongs to it.
        const bool inside = is_parameter(source);
        (inside ? frames_ : outside_) +=
            (inside ? indent : "  ") + name + " " + leaf_attributes(source, false) + ";\n";
      }
      if (!again || units_[unit].box == 0) write_edge(name, unit, number);
    } else {
      const std::uint32_t tail = unit_of_[source];
      if (tail == unit) return;
      const bool tail_is_node = is_kept(tail) && units_[tail].box == 0;
      const bool head_is_node = is_kept(unit) && units_[unit].box == 0;
      // Everything omitted is one node: it takes each value once.
      const std::uint64_t head = is_kept(unit) ? unit : none;
      if (!(tail_is_node && head_is_node) && !joined_.insert(head << 32 | source).second) return;
      const Node& node = tape_.node(source);
      write_edge(id(tail), unit, number, tail_is_node ? "" : detail::describe(node.shape, node.dtype));
    }
  }

  // The node at the tail says its shape itself, unless it stands for several.
  void write_edge(const std::string& tail, std::uint32_t head, int number, const std::string& shape = "") {
    edges_ += "  " + tail + " -> " + id(head);
    if (!shape.empty()) edges_ += " [label=" + quoted({shape});
    if (number != 0) edges_ += (shape.empty() ? " [" : ", ") + ("headlabel=" + std::to_string(number));
    edges_ += shape.empty() && number == 0 ? ";\n" : "];\n";
  }

  void write_omitted() {
    if (keep_before_ == keep_from_) return;
    for (auto unit = static_cast<std::uint32_t>(keep_before_); unit < keep_from_; ++unit) {
      for_nodes(unit, [&](std::uint32_t i) {
        for (const std::int32_t input : inputs(i)) {
          if (input < 0) continue;
          const std::uint32_t tail = unit_of_[static_cast<std::size_t>(input)];
          if (tail != none && is_kept(tail)) write_input(unit, input, "", 0);
        }
      });
    }
    const auto wanted = static_cast<std::size_t>(std::count(wanted_.begin(), wanted_.end(), true));
    outside_ += "  omitted [label=" + quoted({count(wanted - drawn_, "node") + " omitted"}) +
                ", style=\"rounded,dashed\", color=\"#616161\"];\n";
  }

  std::string header() const {
    std::size_t operations = 0, watched = 0;
    std::uint64_t elements = 0;
    std::unordered_set<const void*> parameters;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (!wanted_[i]) continue;
      if (!is_leaf(i)) {
        ++operations;
      } else if (!is_parameter(i)) {
        ++watched;
      } else if (parameters.insert(tape_.leaf(i)->parameter->id()).second) {
        elements += static_cast<std::uint64_t>(tape_.node(i).shape.size());
      }
    }
    const bool down = options_.direction == DrawOptions::Direction::top_down;
    std::string text = "// xgrad " + version_info().version + ": " + count(operations, "operation") + ", " +
                       count(parameters.size(), "parameter") + " (" + count(elements, "element") + "), " +
                       count(watched, "input") +
                       "\ndigraph xgrad {\n  graph [rankdir=" + (down ? "TB" : "LR") +
                       ", nodesep=0.25, ranksep=0.35, fontname=\"Helvetica\", fontsize=11";
    if (!options_.title.empty()) {
      text += ", label=" + quoted({detail::printable(options_.title)}) + ", labelloc=t";
    }
    return text +
           "];\n"
           "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=10, height=0.3, "
           "margin=\"0.12,0.06\"];\n"
           "  edge [color=\"#546e7a\", arrowsize=0.6, labeldistance=1.5, labelangle=35, "
           "fontname=\"Helvetica\", fontsize=8, fontcolor=\"#78909c\"];\n";
  }

  const Tape& tape_;
  const DrawOptions& options_;
  const bool one_result_;
  // Of each node: whether it is to be shown, whether one that is shown uses it, its unit (none: a used leaf),
  // and, if it is a leaf, how often it was drawn and which unit used it last.
  std::vector<bool> wanted_, used_;
  std::vector<std::uint32_t> unit_of_, uses_, last_user_;
  std::vector<std::uint32_t> box_;               // of each scope
  std::vector<Unit> units_;                      // in the order of their first nodes
  std::size_t keep_before_ = 0, keep_from_ = 0;  // units between these are omitted
  std::vector<Frame> contents_;                  // of each scope
  std::unordered_set<std::uint64_t> joined_;     // arrows of boxes that are drawn
  std::size_t drawn_ = 0;                        // nodes that the picture shows or counts in a box
  std::string frames_, outside_, edges_;
};

}  // namespace

std::string to_dot(const Tape& tape, const DrawOptions& options) {
  return Drawing(tape, options, tape.size(), false).text();
}

std::string to_dot(const Variable& result, const DrawOptions& options) {
  if (result.is_constant()) {
    throw GraphError(
        "to_dot: the result is a constant, so there is nothing to draw; compute it from a parameter or a "
        "watched variable while a tape records");
  }
  const Tape* tape = Tape::recording();
  if (tape == nullptr || tape->id() != result.place().tape) {
    throw GraphError(
        "to_dot: the tape of the result is not the one that records on this thread now; draw before it ends, "
        "outside of Pause and of inner tapes, or pass the tape itself");
  }
  return Drawing(*tape, options, std::size_t{result.place().index} + 1, true).text();
}

}  // namespace xgrad
