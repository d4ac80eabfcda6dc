// Diagrams of a computation: as DOT text, and through Graphviz as a picture.
//
//   render(tape, "cost.svg");
//
// What the marks mean: an operation is a rounded box, coloured by its class, with the shape of its result;
// scalar constants stand in its label, "sub(1, ·)". Parameters are light blue 3-d boxes, watched inputs are
// ellipses with a bold border, other constants are small and grey. Results, which nothing uses, have a double
// red border. Each Scope is a frame. float32 goes without saying; other dtypes are written out. The inputs of
// an operation for which order matters are numbered.
//
// Invariants: (1) the same program gives the same bytes: ids are the indices of nodes (n3; n3_u0 is the first
// use of leaf 3; c2 is constant 2; s1 is the collapsed scope 1), never addresses; (2) a leaf is drawn once
// for each use, so that a shared parameter does not tangle the picture; (3) whatever the bytes of a name, dot
// accepts the text: control and invalid bytes appear as \xNN; (4) linear time, no recursion.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <xgrad/autograd/tape.hpp>

namespace xgrad {

struct DrawOptions {
  enum class Direction { top_down, left_right };
  Direction direction = Direction::top_down;
  bool show_bytes = false;     ///< the memory of each value
  bool show_location = false;  ///< the line of the program
  /// Operations and collapsed scopes drawn at most; of a longer tape the oldest and the newest are drawn,
  /// with one dashed node for those between them. The newest is always drawn.
  std::size_t max_nodes = 500;
  /// Scopes nested deeper than this are drawn as one box with totals, in which their parameters count; 0
  /// leaves one box for each outermost scope. -1: none.
  int collapse_depth = -1;
  std::string title = {};
};

/// The whole tape, dead ends included.
std::string to_dot(const Tape& tape, const DrawOptions& options = {});

/// What leads to `result`, which is drawn as the one result. Throws GraphError if it is a constant, or if its
/// tape is not the one that records on this thread now: draw before the tape ends, and outside of Pause and
/// of inner tapes.
std::string to_dot(const Variable& result, const DrawOptions& options = {});

struct RenderOptions {
  std::chrono::milliseconds timeout{10'000};  ///< then dot is killed
  std::string program = "dot";                ///< sought in PATH
};

/// Writes a diagram as .svg, .png or .pdf, by Graphviz, or as .dot, the text itself. The file is replaced
/// whole or not at all. Throws Error for another extension; IoError if the file cannot be written, or if dot
/// is missing, fails or takes too long.
void render(const std::string& dot, const std::filesystem::path& path, const RenderOptions& options = {});
void render(const Tape& tape, const std::filesystem::path& path, const DrawOptions& draw = {},
            const RenderOptions& options = {});
void render(const Variable& result, const std::filesystem::path& path, const DrawOptions& draw = {},
            const RenderOptions& options = {});

namespace detail {

/// One line of valid UTF-8: control and invalid bytes as \xNN, cut after 60 characters.
std::string printable(std::string_view bytes);
/// "(20, 5)", "(20, 5) float64"
std::string describe(const Shape& shape, DType dtype);
/// The value of a constant with one element: "0.5", "true".
std::string literal(const ConstantInfo& constant);

}  // namespace detail
}  // namespace xgrad
