// The documents are true: every C++ block is a region of a program that is compiled, every output block is what a
// program prints, every link leads somewhere, every picture is drawn by a program.
//
//   <!-- snippet: docs/snippets/tour.cpp#training -->   before a ```cpp block: this region, or without # the file
//   <!-- output: tour -->                               before a ```text block: part of what this program prints
#include <catch2/catch.hpp>
#include <map>

#include "documents.hpp"

namespace {

using namespace documents;

void report(const Lines& complaints) {
  for (const std::string& complaint : complaints) FAIL_CHECK(complaint);
}

}  // namespace

TEST_CASE("every C++ block of the documents is a region of a program", "[docs]") {
  std::set<std::string> used;
  report(check_snippets(all_documents(), lines_in_tree, used));
  CHECK(used.size() > 10);
  for (const std::string& stem : snippet_programs()) {
    const std::string file = "docs/snippets/" + stem + ".cpp";
    Lines complaints;
    const auto regions = regions_of(file, *lines_in_tree(file), complaints);
    report(complaints);
    if (used.count(file) == 0) FAIL_CHECK(file + ": no document shows any of it");
    for (const std::string& region : regions) {
      if (used.count(file + "#" + region) == 0)
        FAIL_CHECK(file + ": no document shows the region [" + region + "]");
    }
  }
}

TEST_CASE("every output in the documents is what a program prints", "[docs]") {
  std::map<std::string, Run> runs;
  const bool examples_are_built = fs::exists(binary / "examples");
  const auto runner = [&](const std::string& stem) -> std::optional<Run> {
    const fs::path program = program_of(stem);
    if (program.empty()) return std::nullopt;
    if (runs.count(stem) == 0) runs[stem] = run(program);
    return runs[stem];
  };
  std::vector<Document> all = all_documents();
  if (!examples_are_built) {
    WARN("the examples are not built, so their outputs are not compared");
    for (Document& document : all) {
      for (std::string& line : document.lines) {
        const std::string stem =
            line.rfind("<!-- output: ", 0) == 0 ? line.substr(13, line.find(" -->") - 13) : "";
        if (!stem.empty() && fs::exists(source / "examples" / (stem + ".cpp")))
          line = "<!-- output: none -->";
      }
    }
  }
  std::set<std::string> used;
  for (const std::string& complaint : check_outputs(all, runner, used)) {
    if (examples_are_built || complaint.find("there is no program none") == std::string::npos)
      FAIL_CHECK(complaint);
  }
  CHECK(used.size() > 5);
  for (const std::string& stem : snippet_programs()) {
    INFO("docs/snippets/" + stem + ".cpp");
    const auto result = runner(stem);
    REQUIRE(result);
    INFO(result->errors);
    CHECK(result->exit_code == 0);
  }
}

TEST_CASE("every link and every path in the documents leads somewhere", "[docs]") {
  report(check_links(all_documents(), lines_in_tree,
                     [](const std::string& file) { return fs::exists(source / file); }));
}

TEST_CASE("docs/images/x.svg is what docs/snippets/x_graph.cpp draws", "[docs]") {
  for (const auto& entry : fs::directory_iterator(source / "docs/images")) {
    const std::string name = entry.path().stem();
    if (name == "benchmarks") continue;  // times: drawn by benchmarks/compare
    INFO("docs/images/" + name + ".svg");
    const fs::path program = program_of(name + "_graph");
    REQUIRE(!program.empty());
    const Run drawn = run(program, name + ".svg");
    INFO(drawn.errors);
    REQUIRE(drawn.exit_code == 0);
    const Lines expected = labels_of(entry.path());
    const Lines found = labels_of(binary / "docs_test" / program.filename() / (name + ".svg"));
    INFO(difference(expected, found));
    CHECK(!expected.empty());
    CHECK(expected == found);
  }
}

TEST_CASE("each fault of a document is seen", "[docs]") {
  const auto contains = [](const std::string& text) { return Catch::Contains(text); };
  const Reader reader = [](const std::string& file) -> std::optional<Lines> {
    if (file == "a.cpp")
      return Lines{"int main() {", "  // [one]", "  f();", "", "    g();", "  // [/one]", "}"};
    if (file == "b.md") return Lines{"# The first, `x_y`", "```sh", "# no heading", "```"};
    return std::nullopt;
  };
  std::set<std::string> used;
  const auto snippets = [&](Lines lines) {
    std::string all;
    for (const std::string& c : check_snippets({{"d.md", std::move(lines)}}, reader, used)) all += c + "\n";
    return all;
  };
  const std::string marker = "<!-- snippet: a.cpp#one -->";

  CHECK(snippets({"text", marker, "```cpp", "f();", "", "  g();", "```"}).empty());
  CHECK(used == std::set<std::string>{"a.cpp", "a.cpp#one"});
  CHECK(snippets({"<!-- snippet: a.cpp -->", "```cpp", "int main() {", "  f();", "", "    g();", "}", "```"})
            .empty());
  CHECK(snippets({marker, "```cpp", "f();", "", "  h();", "```"}) ==
        "d.md:5: differs from a.cpp#one\n    \n  -   h();\n  +   g();\n\n");
  CHECK_THAT(snippets({marker, "```cpp", "f();", "```"}), contains("d.md:4: differs"));
  CHECK_THAT(snippets({"```cpp", "f();", "```"}),
             contains("d.md:1: a ```cpp block without its line <!-- snippet"));
  CHECK_THAT(snippets({marker, "", "```cpp", "f();", "```"}),
             contains("d.md:1: the marker stands before no block"));
  CHECK_THAT(snippets({marker, "```text", "f();", "```"}), contains("without its line <!-- output"));
  CHECK_THAT(snippets({marker, "```sh", "ls", "```"}), contains("takes no marker"));
  CHECK_THAT(snippets({"```", "f();", "```"}), contains("a block in ''"));
  CHECK_THAT(snippets({"```sh", "ls"}), contains("d.md:2: the block has no end"));
  CHECK_THAT(snippets({"<!-- snipet: a.cpp -->"}), contains("no marker"));
  CHECK_THAT(snippets({"<!-- snippet: a.cpp#two -->", "```cpp", "```"}),
             contains("a.cpp has no region [two]"));
  CHECK_THAT(snippets({"<!-- snippet: c.cpp -->", "```cpp", "```"}), contains("there is no c.cpp"));

  Lines complaints;
  CHECK(regions_of("a.cpp", {"// [a]", "// [/b]", "// [c]", "// [/c]", "// [c]"}, complaints).size() == 2);
  CHECK(complaints.size() == 3);

  const auto outputs = [&](const std::string& stem, Lines block) {
    const Runner runner = [](const std::string& name) -> std::optional<Run> {
      if (name == "good") return Run{0, {"one", "two  ", "three"}, ""};
      if (name == "bad") return Run{3, {}, "it failed"};
      return std::nullopt;
    };
    Lines lines{"<!-- output: " + stem + " -->", "```text"};
    lines.insert(lines.end(), block.begin(), block.end());
    lines.push_back("```");
    std::string all;
    for (const std::string& c : check_outputs({{"d.md", lines}}, runner, used)) all += c + "\n";
    return all;
  };
  CHECK(outputs("good", {"two", "three"}).empty());
  CHECK(outputs("good", {"two", "four"}) ==
        "d.md:4: good prints something else\n    two\n  - four\n  + three\n\n");
  CHECK_THAT(outputs("good", {"wo"}), contains("something else"));
  CHECK_THAT(outputs("bad", {"one"}), contains("exit code 3\nit failed"));
  CHECK_THAT(outputs("absent", {"one"}), contains("no program absent"));

  const auto links = [&](const std::string& line) {
    const auto exists = [](const std::string& file) {
      return file == "docs/d.md" || file == "b.md" || file == "ops/";
    };
    const Lines found = check_links({{"docs/d.md", {line, "## Here"}}}, reader, exists);
    return found.empty() ? "" : found.front();
  };
  CHECK(links("[b](../b.md), [x](../b.md#the-first-x_y), [h](#here), [w](https://a.b/c), `ops/`, `[a](b)`")
            .empty());
  CHECK(links("    f[l](z)").empty());
  CHECK_THAT(links("[b](b.md)"), contains("docs/d.md:1: a broken link: b.md"));
  CHECK_THAT(links("[x](../b.md#no-heading)"), contains("no heading there"));
  CHECK_THAT(links("<img src=\"images/a.svg\">"), contains("broken link: images/a.svg"));
  CHECK_THAT(links("`ops/nothing.hpp`"), contains("there is no ops/nothing.hpp"));
}
