#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <temporary_folder.hpp>
#include <type_traits>
#include <typeinfo>
#include <vector>
#include <xgrad/autograd/draw.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/version.hpp>

namespace {

namespace fs = std::filesystem;
using namespace xgrad;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

class Folder : public TemporaryFolder {
 public:
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::ptrdiff_t size() const { return std::distance(fs::directory_iterator(path_), {}); }
  std::string script(const std::string& name, const std::string& commands) const {
    std::ofstream(path_ / name) << "#!/bin/sh\n" << commands << "\n";
    chmod((path_ / name).c_str(), 0755);
    return (path_ / name).string();
  }
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// What stands between the first { and the last }, without the three lines of defaults.
std::string body(const std::string& dot) {
  auto at = dot.find('{');
  for (int i = 0; i < 4; ++i) at = dot.find('\n', at) + 1;
  return dot.substr(at, dot.rfind('}') - at);
}

// The attributes are tested once, in the golden text.
std::string outline(const std::string& dot) {
  std::string text = body(dot);
  text = std::regex_replace(text, std::regex(" *graph \\[label=(\"[^\"]*\").*\n"), "<$1>");
  text = std::regex_replace(text, std::regex("\\[label=(\"[^\"]*\"), .*\\];\n"), "$1;");
  text = std::regex_replace(text, std::regex("\\[label=(\"[^\"]*\")\\];\n"), "$1;");
  text = std::regex_replace(text, std::regex("\\[headlabel=(.)\\];\n"), "#$1;");
  text = std::regex_replace(text, std::regex("[ \n]+"), " ");
  return std::regex_replace(text, std::regex("^ | $|(\\{) "), "$1");
}

// Runs on a thread with a stack of 256 KiB.
void on_small_stack(const std::function<void()>& f) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<const std::function<void()>*>(argument))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, const_cast<std::function<void()>*>(&f)) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

Variable chain(Variable x, int length) {
  for (int i = 0; i < length; ++i) x = neg(x);
  return x;
}

template <class E>
std::string complaint(const std::function<void()>& f) {
  try {
    f();
  } catch (const E& error) {
    CHECK(typeid(error) == typeid(E));
    return error.what();
  }
  return "(no complaint)";
}

const std::string small_dot = "digraph { a -> b }";

}  // namespace

TEST_CASE("A small graph is drawn exactly so", "[draw]") {
  const Parameter w("w", ones({3, 4}));
  Tape tape;
  const Variable x = tape.watch(ones({4, 2}, float32), "x");
  const Variable product = matmul(w, x);
  const Variable cost = 2 * product;
  const std::string expected = "// xgrad " + version_info().version +
                               R"dot(: 2 operations, 1 parameter (12 elements), 1 input
digraph xgrad {
  graph [rankdir=TB, nodesep=0.25, ranksep=0.35, fontname="Helvetica", fontsize=11];
  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=10, height=0.3, margin="0.12,0.06"];
  edge [color="#546e7a", arrowsize=0.6, labeldistance=1.5, labelangle=35, fontname="Helvetica", fontsize=8, fontcolor="#78909c"];
  n1_u0 [label="w\n(3, 4)", shape=box3d, style=filled, fillcolor=lightblue, color="#5d8aa8"];
  n2 [label="matmul\n(3, 2)", fillcolor="#1565c0", color="#003c8f", fontcolor="#ffffff"];
  n3 [label="mul(2, ·)\n(3, 2)", fillcolor="#fff9c4", color="#d32f2f", fontcolor="#212121", shape=doubleoctagon, style=filled, penwidth=1.5];
  n0_u0 [label="x\n(4, 2)", shape=ellipse, style="filled,bold", fillcolor=white, color="#212121"];
  n1_u0 -> n2 [headlabel=1];
  n0_u0 -> n2 [headlabel=2];
  n2 -> n3;
}
)dot";
  CHECK(to_dot(tape) == expected);
  CHECK(to_dot(cost) == expected);
  CHECK_THAT(to_dot(tape, {.direction = DrawOptions::Direction::left_right, .title = "a \"b\" & c"}),
             Contains("rankdir=LR") && Contains("label=\"a \\\"b\\\" &amp; c\", labelloc=t"));
}

TEST_CASE("The same program gives the same bytes", "[draw]") {
  const auto draw = [] {
    const Parameter w("w", 1.0), v("v", 2.0);
    Tape tape;
    Variable y = w;
    for (int i = 0; i < 50; ++i) {
      const Scope scope("step");
      y = tanh(y * v) + w;
    }
    return to_dot(tape, {.max_nodes = 70}) + to_dot(tape, {.collapse_depth = 0}) + to_text(tape);
  };
  const std::string first = draw();
  const Tape another;  // other tape ids and addresses
  CHECK(draw() == first);
}

TEST_CASE("Of a variable only what leads to it is drawn", "[draw]") {
  Tape tape;
  const Variable x = tape.watch(ones({}), "x"), y = tape.watch(ones({}), "y");
  const Variable a = exp(x), b = log(y), c = sqrt(a);
  CHECK(outline(to_dot(a)) == "n2 \"exp\\n()\"; n0_u0 \"x\\n()\"; n0_u0 -> n2;");
  CHECK(count(to_dot(a), "doubleoctagon") == 1);
  CHECK(outline(to_dot(tape)) ==
        "n2 \"exp\\n()\"; n3 \"log\\n()\"; n4 \"sqrt\\n()\"; n0_u0 \"x\\n()\"; n1_u0 \"y\\n()\";"
        " n0_u0 -> n2; n1_u0 -> n3; n2 -> n4;");
  CHECK(count(to_dot(tape), "doubleoctagon") == 2);
  CHECK(outline(to_dot(x)) == "n0 \"x\\n()\";");
  CHECK(count(to_dot(x), "doubleoctagon") == 1);
}

TEST_CASE("A variable without its tape is not drawn", "[draw]") {
  const std::string other =
      "to_dot: the tape of the result is not the one that records on this thread now; draw before it ends, "
      "outside of Pause and of inner tapes, or pass the tape itself";
  const auto draw = [](const Variable& x) { return complaint<GraphError>([&] { to_dot(x); }); };
  CHECK(draw(1.0) ==
        "to_dot: the result is a constant, so there is nothing to draw; compute it from a parameter or a "
        "watched variable while a tape records");
  Variable x;
  {
    Tape tape;
    x = exp(tape.watch(ones({})));
    {
      const Tape::Pause pause;
      CHECK(draw(x) == other);
    }
    const Tape inner;
    CHECK(draw(x) == other);
    CHECK_THAT(to_dot(tape), Contains("exp"));
  }
  CHECK(draw(x) == other);
}

TEST_CASE("Each scope is a frame, and a parameter stands in that of its use", "[draw]") {
  const Parameter w("w", 1.0);
  Tape tape;
  const Variable x = tape.watch(ones({}), "x");
  Variable y = x;
  {
    const Scope model("model");
    {
      const Scope scope("layer");
      y = y * w;
    }
    y = exp(y);
    {
      const Scope scope("layer");
      y = w * w * y;
    }
  }
  y = log(y);
  CHECK(outline(to_dot(y)) ==
        "subgraph cluster_s1 {<\"model\">"
        " subgraph cluster_s2 {<\"layer\"> n1_u0 \"w\\n()\"; n2 \"mul\\n()\"; }"
        " n3 \"exp\\n()\";"
        " subgraph cluster_s3 {<\"layer\"> n1_u1 \"w\\n()\"; n4 \"mul\\n()\"; n5 \"mul\\n()\"; } }"
        " n6 \"log\\n()\"; n0_u0 \"x\\n()\";"
        " n0_u0 -> n2; n1_u0 -> n2; n2 -> n3; n1_u1 -> n4; n1_u1 -> n4; n4 -> n5; n3 -> n5; n5 -> n6;");

  SECTION("scopes nested deeper than collapse_depth are one box") {
    CHECK(outline(to_dot(y, {.collapse_depth = 0})) ==
          "s1 \"model\\n4 operations\\n1 parameter, 1 element\"; n6 \"log\\n()\"; n0_u0 \"x\\n()\";"
          " n0_u0 -> s1; s1 -> n6 \"()\";");
    CHECK(outline(to_dot(y, {.collapse_depth = 1})) ==
          "subgraph cluster_s1 {<\"model\"> s2 \"layer\\n1 operation\\n1 parameter, 1 element\";"
          " n3 \"exp\\n()\"; s3 \"layer\\n2 operations\\n1 parameter, 1 element\"; }"
          " n6 \"log\\n()\"; n0_u0 \"x\\n()\";"
          " n0_u0 -> s2; s2 -> n3 \"()\"; n3 -> s3; s3 -> n6 \"()\";");
    CHECK(to_dot(y, {.collapse_depth = 2}) == to_dot(y));
    CHECK(to_dot(y, {.collapse_depth = 1000}) == to_dot(y));
  }
}

TEST_CASE("A box takes and gives each value once", "[draw]") {
  Tape tape;
  const Variable x = tape.watch(ones({2}), "x");
  const Variable u = exp(x);
  const Variable y = [&] {
    const Scope scope("box");
    const Variable square = u * u, power = exp(u);
    return square + power + x * x;
  }();
  const Variable z = y * y;
  CHECK(outline(to_dot(tape, {.collapse_depth = 0})) ==
        "n1 \"exp\\n(2,)\"; s1 \"box\\n5 operations\"; n7 \"mul\\n(2,)\"; n0_u0 \"x\\n(2,)\";"
        " n0_u1 \"x\\n(2,)\"; n0_u0 -> n1; n1 -> s1; n0_u1 -> s1; s1 -> n7 \"(2,)\";");
  CHECK_THAT(to_dot(y, {.collapse_depth = 0}), Contains("color=\"#d32f2f\", peripheries=2"));
}

TEST_CASE("Constants are literals or small boxes", "[draw]") {
  Tape tape;
  const Variable x = tape.watch(ones({2}), "x"), d = tape.watch(ones({2}, float64), "d");
  const Variable a = 0.1 - x, b = a - ones({1, 2}), c = d / 0.1, e = ones({2, 1}) / x;
  CHECK(outline(to_dot(tape)) ==
        "n2 \"sub(0.1, ·)\\n(2,)\"; c1 \"(1, 2)\"; n3 \"sub\\n(1, 2)\"; n4 \"div(·, 0.1)\\n(2,) float64\";"
        " c3 \"(2, 1)\"; n5 \"div\\n(2, 2)\"; n0_u0 \"x\\n(2,)\"; n1_u0 \"d\\n(2,) float64\"; n0_u1 "
        "\"x\\n(2,)\";"
        " n0_u0 -> n2; n2 -> n3 #1; c1 -> n3 #2; n1_u0 -> n4; c3 -> n5 #1; n0_u1 -> n5 #2;");
  using detail::literal;
  CHECK(literal({Shape{}, float32, static_cast<double>(0.1f)}) == "0.1");
  CHECK(literal({Shape{}, float32, 1e-8}) == "1e-08");
  CHECK(literal({Shape{1}, float64, -1.0 / 3}) == "-0.3333333333333333");
  CHECK(literal({Shape{}, int64, 7}) == "7");
  CHECK(literal({Shape{}, bool_, 1}) == "true");
  CHECK(literal({Shape{}, float32, -INFINITY}) == "-inf");
}

TEST_CASE("Bytes and lines are shown on request", "[draw]") {
  Tape tape;
  const Variable x = tape.watch(ones({300, 100}, float64), "x");
  const Variable y = sum(x);
  const std::string line = std::to_string(__LINE__ - 1);
  CHECK(outline(to_dot(tape, {.show_bytes = true, .show_location = true})) ==
        "n1 \"sum\\n() float64\\n8 B\\ndraw_test.cpp:" + line +
            "\"; n0_u0 \"x\\n(300, 100) float64\\n234.4 KiB\"; n0_u0 -> n1;");
}

TEST_CASE("Of a long tape both ends are drawn", "[draw]") {
  const Parameter w("w", 1.0);
  Tape tape;
  const Variable a = exp(w), b = a * w;
  const Variable c = chain(b, 10) * w;
  const Variable d = c + a, e = d + d;
  const std::string text = to_dot(tape, {.max_nodes = 5});
  CHECK(outline(text) ==
        "n0_u0 \"w\\n()\"; n1 \"exp\\n()\"; n0_u1 \"w\\n()\"; n2 \"mul\\n()\"; n0_u2 \"w\\n()\"; n13 "
        "\"mul\\n()\";"
        " n14 \"add\\n()\"; n15 \"add\\n()\"; omitted \"10 nodes omitted\";"
        " n0_u0 -> n1; n1 -> n2; n0_u1 -> n2; omitted -> n13 \"()\"; n0_u2 -> n13; n13 -> n14; n1 -> n14;"
        " n14 -> n15; n14 -> n15; n2 -> omitted;");
  CHECK_THAT(text, Contains("label=\"10 nodes omitted\", style=\"rounded,dashed\""));
  CHECK(outline(to_dot(tape, {.max_nodes = 0})) ==
        "n15 \"add\\n()\"; omitted \"15 nodes omitted\"; omitted -> n15 \"()\";");
  CHECK(to_dot(tape, {.max_nodes = 15}) == to_dot(tape));
  CHECK(count(to_dot(tape, {.max_nodes = 14}), "1 node omitted") == 1);
}

TEST_CASE("An empty tape and an unused leaf are drawn", "[draw]") {
  Tape tape;
  CHECK(body(to_dot(tape)) == "");
  CHECK(to_text(tape) == "");
  tape.watch(ones({2}));
  CHECK(outline(to_dot(tape)) == "n0 \"input\\n(2,)\";");
  CHECK(to_text(tape) == "0: input    (2,)\n");
}

TEST_CASE("dot accepts whatever the bytes of a name", "[draw]") {
  using detail::printable;
  using namespace std::string_literals;
  CHECK(printable("a\"\\{}|<>&b") == "a\"\\{}|<>&b");
  CHECK(printable("\n\t\0\x7f"s) == "\\x0a\\x09\\x00\\x7f");
  CHECK(printable("caf\u00e9 \u65e5 \U0001f600") == "caf\u00e9 \u65e5 \U0001f600");
  CHECK(printable("\xff\xc0\x80\xe2\x82") == "\\xff\\xc0\\x80\\xe2\\x82");
  CHECK(printable("\xed\xa0\x80\xf4\x90\x80\x80\xef\xbf\xbf\xc2\x85") ==
        "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xef\\xbf\\xbf\\xc2\\x85");
  CHECK(printable(std::string(60, 'x')) == std::string(60, 'x'));
  CHECK(printable(std::string(1000, 'x')) == std::string(60, 'x') + "...");

  std::mt19937 random(1);
  const std::string evil = "\"\\{}|<>&;#\n\r\0\xc3\xa9/*'$N "s;
  const auto name = [&] {
    std::string text(random() % 24, ' ');
    const bool any_byte = random() % 2 == 0;
    for (char& c : text) c = any_byte ? static_cast<char>(random()) : evil[random() % evil.size()];
    return text;
  };
  Tape tape;
  for (const std::string& given :
       {"\""s, "\\"s, "a\\"s, "\\N\\G"s, "<b>x</b>"s, "<"s, "&lt;"s, "&#0;"s, ""s}) {
    const Scope scope(given);
    exp(tape.watch(ones({}), given));
  }
  for (int i = 0; i < 400; ++i) {
    std::optional<Scope> scope;
    if (i % 8 == 0) scope.emplace(name());  // dot is slow with many frames
    exp(Parameter(name(), 1.0));
    log(tape.watch(ones({}), name()));
  }
  const Folder folder;
  for (const int depth : {-1, 0}) {
    render(tape, folder / "names.dot", {.max_nodes = 10'000, .collapse_depth = depth, .title = name()});
    const std::string command =
        "dot -Tcanon " + (folder / "names.dot").string() + " 2>&1 >" + (folder / "canon").string();
    FILE* pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    char complaints[200];
    const std::size_t n = fread(complaints, 1, sizeof(complaints), pipe);
    CHECK(pclose(pipe) == 0);
    CHECK(std::string(complaints, n) == "");
    CHECK(fs::file_size(folder / "canon") > 10'000);
  }
  const std::string text = to_text(tape);
  CHECK(count(text, "\n") == tape.size());
}

TEST_CASE("A long chain is drawn and listed on a small stack", "[draw]") {
  std::size_t limited = 0, arrows = 0, lines = 0, boxed = 0;
  on_small_stack([&] {
    Tape tape;
    Variable x = chain(tape.watch(ones({}), "x"), 100'000);
    {
      const Scope scope("rest");
      x = chain(x, 1000);
    }
    limited = count(to_dot(x), "100,500 nodes omitted");
    arrows = count(to_dot(tape, {.max_nodes = ~std::size_t{0}}), " -> ");
    boxed = count(to_dot(tape, {.max_nodes = 10, .collapse_depth = 0}), "rest\\n1,000 operations");
    lines = count(to_text(tape), "\n");
  });
  CHECK(limited == 1);
  CHECK(arrows == 101'000);
  CHECK(boxed == 1);
  CHECK(lines == 101'001);
}

TEST_CASE("Deeply nested scopes are drawn on a small stack", "[draw]") {
  std::size_t frames = 0, boxes = 0;
  on_small_stack([&] {
    Tape tape;
    std::vector<std::unique_ptr<Scope>> scopes;
    for (int i = 0; i < 2000; ++i) scopes.push_back(std::make_unique<Scope>("s"));
    exp(tape.watch(ones({})));
    frames = count(to_dot(tape), "subgraph");
    boxes = count(to_dot(tape, {.collapse_depth = 10}), "subgraph");
    while (!scopes.empty()) scopes.pop_back();
  });
  CHECK(frames == 2000);
  CHECK(boxes == 10);
}

TEST_CASE("The listing has one aligned line for each node", "[draw]") {
  const Parameter w("W1", ones({20, 5})), b("b", ones({20, 1}, float32));
  Tape tape;
  const Variable x = tape.watch(ones({5, 3}, float32));
  const Variable product = matmul(w, x);
  const int line = __LINE__ - 1;
  const Variable y = [&] {
    const Scope model("model"), layer("layer\n1");
    const Variable twice = 2.0 * product;
    return twice + b;
  }();
  const Variable z = y - ones({20, 3});
  const auto at = [&](int offset) { return "draw_test.cpp:" + std::to_string(line + offset); };
  CHECK(to_text(tape) ==
        "0: input                   (5, 3)\n"
        "1: W1 = parameter          (20, 5)\n"
        "2: matmul(W1, 0)           (20, 3)    " +
            at(0) + "\n" + "3: mul(2.0, 2)             (20, 3)    " + at(4) + "    model/layer\\x0a1\n" +
            "4: b = parameter           (20, 1)\n"
            "5: add(3, b)               (20, 3)    " +
            at(5) + "    model/layer\\x0a1\n" + "6: sub(5, const(20, 3))    (20, 3)    " + at(7) + "\n");
}

TEST_CASE("Diagrams are rendered by their extension", "[draw]") {
  Tape tape;
  const Variable y = exp(tape.watch(ones({}), "x"));
  const Folder folder;
  render(tape, folder / "y.svg");
  CHECK_THAT(read(folder / "y.svg"), StartsWith("<?xml") && Contains(">exp<") && Contains("</svg>"));
  render(y, folder / "y.PNG");
  CHECK_THAT(read(folder / "y.PNG"), StartsWith("\x89PNG\r\n"));
  render(to_dot(tape), folder / "y.pdf");
  CHECK_THAT(read(folder / "y.pdf"), StartsWith("%PDF-"));
  render(y, folder / "y.dot", {}, {.program = "no-such-program"});
  CHECK(read(folder / "y.dot") == to_dot(y));
  render("digraph { b }", folder / "y.svg");  // replaces
  CHECK_THAT(read(folder / "y.svg"), Contains(">b<"));
  CHECK(folder.size() == 4);
  const mode_t mask = umask(0);
  umask(mask);
  CHECK(static_cast<mode_t>(fs::status(folder / "y.svg").permissions()) == (0666 & ~mask));
}

TEST_CASE("What cannot be rendered is an error and leaves nothing", "[draw]") {
  const Folder folder;
  std::ofstream(folder / "old.svg") << "old";
  const auto fails = [&]<class E>(std::type_identity<E>, const fs::path& path, const RenderOptions& options,
                                  const std::string& dot) {
    const auto before = folder.size();
    const std::string text = complaint<E>([&] { render(dot, path, options); });
    CHECK(folder.size() == before);
    CHECK(read(folder / "old.svg") == "old");
    return text;
  };
  const auto failure = [&](const fs::path& path, const RenderOptions& options = {},
                           const std::string& dot = small_dot) {
    return fails(std::type_identity<IoError>{}, path, options, dot);
  };
  const fs::path old = folder / "old.svg";

  SECTION("another extension") {
    for (const char* name : {"x.gif", "x", ".svg"}) {
      const fs::path path = folder / name;
      CHECK(fails(std::type_identity<Error>{}, path, {}, small_dot) ==
            "render: " + path.string() + " must end in .svg, .png, .pdf or .dot");
    }
  }
  SECTION("no program") {
    CHECK(failure(old, {.program = "no-such-program"}) ==
          "render: the program no-such-program is missing; install Graphviz (apt-get install graphviz), or "
          "give a path that ends in .dot to write the text itself");
    CHECK(failure(old, {.program = old.string()}) ==
          "render: cannot run " + old.string() + ": Permission denied");
  }
  SECTION("too slow") {
    using std::chrono::milliseconds, std::chrono::steady_clock;
    const auto start = steady_clock::now();
    const std::string advice =
        "; draw less with DrawOptions::collapse_depth or max_nodes, or give it more time with "
        "RenderOptions::timeout";
    const std::string slow = folder.script("slow", "sleep 100");
    CHECK(failure(old, {milliseconds(50), slow}) ==
          "render: " + slow + " did not finish within 50 ms" + advice);
    CHECK(failure(old, {milliseconds(0), slow}) == "render: " + slow + " did not finish within 0 s" + advice);
    const std::string closed = folder.script("closed", "exec 2>&- sleep 100");
    CHECK(failure(old, {milliseconds(50), closed}) ==
          "render: " + closed + " did not finish within 50 ms" + advice);
    const std::string loud = folder.script("loud", "while :; do echo no >&2; done");
    CHECK(failure(old, {milliseconds(50), loud}) ==
          "render: " + loud + " did not finish within 50 ms" + advice);
    CHECK(steady_clock::now() - start < std::chrono::seconds(50));
  }
  SECTION("dot fails") {
    CHECK(failure(old, {}, "digraph { a -> ") ==
          "render: dot failed (exit status 1): Error: <stdin>: syntax error in line 1");
    const std::string many = folder.script("many", "seq 1 100000 >&2; exit 3");
    CHECK(failure(old, {.program = many}) == "render: " + many + " failed (exit status 3): 1\n2\n3");
    const std::string dead = folder.script("dead", "kill -9 $$");
    CHECK(failure(old, {.program = dead}) == "render: " + dead + " failed (signal 9)");
    const std::string silent = folder.script("silent", "exit 0");
    CHECK(failure(old, {.program = silent}) == "render: " + silent + " wrote nothing");
  }
  SECTION("a program that does not read its input") {
    const std::string deaf = folder.script("deaf", "exec 0<&-; echo done");
    render(std::string(10'000'000, ' '), folder / "deaf.svg", {.program = deaf});
    CHECK(read(folder / "deaf.svg") == "done\n");
  }
  SECTION("no place to write") {
    const fs::path none = folder / "none/x.svg";
    CHECK(failure(none) == "render: cannot write " + none.string() + ": No such file or directory");
    CHECK(failure(old / "x.dot") == "render: cannot write " + (old / "x.dot").string() + ": Not a directory");
    fs::create_directory(folder / "is.svg");
    CHECK(failure(folder / "is.svg") ==
          "render: cannot write " + (folder / "is.svg").string() + ": Is a directory");
    if (geteuid() != 0) {  // root writes everywhere
      fs::create_directory(folder / "locked");
      chmod((folder / "locked").c_str(), 0555);
      CHECK(failure(folder / "locked/x.svg") ==
            "render: cannot write " + (folder / "locked/x.svg").string() + ": Permission denied");
    }
  }
}

TEST_CASE("Rendering works whatever the program made of its signals and files", "[draw]") {
  const Folder folder;
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    for (int fd : {0, 1, 2}) close(fd);
    int status = 1;
    try {
      render(small_dot, folder / "x.svg");
      status = 0;
    } catch (const std::exception&) {
    }
    _exit(status);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK_THAT(read(folder / "x.svg"), Contains("</svg>"));
  CHECK(folder.size() == 1);
}
