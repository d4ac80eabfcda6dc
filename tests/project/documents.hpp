// What docs_test.cpp asks of the documents: blocks, regions, outputs, links, pictures. Every check returns its
// complaints, "file:line: what is wrong".
#pragma once

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace documents {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

inline const fs::path source = XGRAD_SOURCE_DIR, binary = XGRAD_BINARY_DIR;

inline Lines lines_of(std::istream& in) {
  Lines lines;
  std::string line;
  while (std::getline(in, line)) lines.push_back(line);
  return lines;
}

/// A file by its path from the top of the tree, or nothing.
inline std::optional<Lines> lines_in_tree(const std::string& file) {
  std::ifstream in(source / file);
  if (!in) return std::nullopt;
  return lines_of(in);
}

inline std::string trimmed(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  return first == std::string::npos ? "" : line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

inline std::string at(const std::string& file, std::size_t line) {
  return file + ":" + std::to_string(line) + ": ";
}

// Documents

struct Document {
  std::string file;  // "docs/pitfalls.md"
  Lines lines;
};

struct Block {
  std::string language;
  std::size_t line = 0;  // of its first line of text, counted from 1
  Lines text;
  std::string marker, argument;  // "snippet" or "output", and what it names; "" if there is none
};

inline const std::set<std::string> checked = {"cpp", "text"}, unchecked = {"console", "sh", "cmake"};

/// The fenced blocks; what is wrong with their fences and markers is added to `complaints`.
inline std::vector<Block> blocks_of(const Document& document, Lines& complaints) {
  static const std::regex marker(R"(^<!-- (snippet|output): (\S+) -->$)");
  std::vector<Block> blocks;
  std::optional<Block> open;
  Block next;  // holds the marker that was read last
  const auto no_orphan = [&](std::size_t line) {
    if (!next.marker.empty())
      complaints.push_back(at(document.file, line) + "the marker stands before no block");
  };
  for (std::size_t i = 0; i < document.lines.size(); ++i) {
    const std::string& line = document.lines[i];
    std::smatch match;
    if (open && line == "```") {
      blocks.push_back(*std::exchange(open, std::nullopt));
    } else if (open) {
      open->text.push_back(line);
    } else if (line.rfind("```", 0) == 0) {
      open = std::exchange(next, {});
      open->language = line.substr(3);
      open->line = i + 2;
      const std::string wanted = open->language == "cpp"    ? "snippet"
                                 : open->language == "text" ? "output"
                                                            : "";
      if (checked.count(open->language) + unchecked.count(open->language) == 0) {
        complaints.push_back(at(document.file, i + 1) + "a block in '" + open->language +
                             "'; known are cpp, text, console, sh and cmake");
      } else if (open->marker != wanted) {
        complaints.push_back(
            at(document.file, i + 1) + "a ```" + open->language + " block " +
            (wanted.empty() ? "takes no marker" : "without its line <!-- " + wanted + ": ... -->"));
      }
    } else {
      no_orphan(i);
      next = {};
      if (std::regex_match(line, match, marker)) {
        next.marker = match[1];
        next.argument = match[2];
      } else if (line.find("<!--") != std::string::npos) {
        complaints.push_back(at(document.file, i + 1) + "a comment that is no marker: " + line);
      }
    }
  }
  no_orphan(document.lines.size());
  if (open) complaints.push_back(at(document.file, open->line) + "the block has no end");
  return blocks;
}

inline std::vector<Document> all_documents() {
  std::vector<Document> all;
  std::vector<std::string> files{"README.md"};
  for (const auto& entry : fs::directory_iterator(source / "docs")) {
    if (entry.path().extension() == ".md") files.push_back("docs/" + entry.path().filename().string());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    if (auto lines = lines_in_tree(file)) all.push_back({file, *std::move(lines)});
  }
  return all;
}

// Snippets

/// `// [name]` opens a region, `// [/name]` closes it.
inline std::optional<std::string> region_mark(const std::string& line) {
  static const std::regex mark(R"(^\s*// \[(/?[\w-]+)\]\s*$)");
  std::smatch match;
  if (!std::regex_match(line, match, mark)) return std::nullopt;
  return match[1].str();
}

/// The names of a program's regions; marks without a partner are added to `complaints`.
inline std::set<std::string> regions_of(const std::string& file, const Lines& lines, Lines& complaints) {
  std::set<std::string> open, closed;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto mark = region_mark(lines[i]);
    if (!mark) continue;
    const bool closes = mark->front() == '/';
    const std::string name = closes ? mark->substr(1) : *mark;
    const bool fits = closes ? open.erase(name) == 1 : closed.count(name) == 0 && open.insert(name).second;
    if (!fits) complaints.push_back(at(file, i + 1) + "[" + *mark + "] has no partner, or stands here twice");
    if (closes) closed.insert(name);
  }
  for (const std::string& name : open) complaints.push_back(file + ": [" + name + "] is never closed");
  return closed;
}

/// A region, or with "" the whole program, without marks and without common indentation.
inline Lines text_of(const Lines& program, const std::string& region) {
  Lines text;
  bool inside = region.empty();
  for (const std::string& line : program) {
    const auto mark = region_mark(line);
    if (mark == region) inside = true;
    if (mark == "/" + region) inside = false;
    if (inside && !mark) text.push_back(line);
  }
  std::size_t indent = std::string::npos;
  for (const std::string& line : text) indent = std::min(indent, line.find_first_not_of(' '));
  for (std::string& line : text) line.erase(0, std::min(indent, line.size()));
  return text;
}

/// The lines that differ, between one line of context on each side: "-" stands in the document, "+" in the source.
inline std::string difference(const Lines& document, const Lines& found) {
  std::size_t head = 0, tail = 0;
  const std::size_t shorter = std::min(document.size(), found.size());
  while (head < shorter && document[head] == found[head]) ++head;
  while (tail < shorter - head && document[document.size() - 1 - tail] == found[found.size() - 1 - tail])
    ++tail;
  std::string text;
  if (head > 0) text += "    " + document[head - 1] + "\n";
  for (std::size_t i = head; i + tail < document.size(); ++i) text += "  - " + document[i] + "\n";
  for (std::size_t i = head; i + tail < found.size(); ++i) text += "  + " + found[i] + "\n";
  if (tail > 0) text += "    " + document[document.size() - tail] + "\n";
  return text;
}

inline std::size_t first_difference(const Lines& a, const Lines& b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

using Reader = std::function<std::optional<Lines>(const std::string&)>;

/// Every C++ block against its source. What the blocks use is added to `used`: "file#region", and "file".
inline Lines check_snippets(const std::vector<Document>& documents, const Reader& reader,
                            std::set<std::string>& used) {
  Lines complaints;
  for (const Document& document : documents) {
    for (const Block& block : blocks_of(document, complaints)) {
      if (block.marker != "snippet") continue;
      const auto hash = block.argument.find('#');
      const std::string file = block.argument.substr(0, hash);
      const std::string region = hash == std::string::npos ? "" : block.argument.substr(hash + 1);
      used.insert({file, block.argument});
      const auto program = reader(file);
      Lines ignored;
      if (!program) {
        complaints.push_back(at(document.file, block.line) + "there is no " + file);
      } else if (!region.empty() && regions_of(file, *program, ignored).count(region) == 0) {
        complaints.push_back(at(document.file, block.line) + file + " has no region [" + region + "]");
      } else if (const Lines text = text_of(*program, region); text != block.text) {
        complaints.push_back(at(document.file, block.line + first_difference(block.text, text)) +
                             "differs from " + block.argument + "\n" + difference(block.text, text));
      }
    }
  }
  return complaints;
}

inline Lines snippet_programs() {
  Lines stems;
  for (const auto& entry : fs::directory_iterator(source / "docs/snippets")) {
    if (entry.path().extension() == ".cpp") stems.push_back(entry.path().stem());
  }
  std::sort(stems.begin(), stems.end());
  return stems;
}

// Outputs

struct Run {
  int exit_code = -1;
  Lines output;  // on stdout
  std::string errors;
};

inline std::string quoted(const std::string& text) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// Runs a program in an empty folder of its own.
inline Run run(const fs::path& program, const std::string& argument = {}) {
  const fs::path folder = binary / "docs_test" / program.filename();
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string command = "cd " + quoted(folder.string()) + " && exec " + quoted(program.string()) +
                              (argument.empty() ? "" : " " + quoted(argument)) + " 2>errors.txt";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  const int status = pclose(pipe);
  std::istringstream out(text);
  std::ifstream errors(folder / "errors.txt");
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, lines_of(out),
          std::string(std::istreambuf_iterator<char>(errors), {})};
}

/// The path of a snippet's or an example's program by its stem; empty if there is no such source.
inline fs::path program_of(const std::string& stem) {
  if (fs::exists(source / "docs/snippets" / (stem + ".cpp")))
    return binary / "docs/snippets" / ("snippet_" + stem);
  if (fs::exists(source / "examples" / (stem + ".cpp"))) return binary / "examples" / stem;
  return {};
}

inline Lines without_trailing_blanks(Lines lines) {
  for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
  return lines;
}

/// Whether `part` stands in `whole`, line after line, and where; if not, where most of its lines do.
inline std::pair<bool, std::size_t> find_lines(const Lines& whole, const Lines& part) {
  std::size_t best = 0, most = 0;
  for (std::size_t first = 0; first < whole.size(); ++first) {
    std::size_t fitting = 0;
    for (std::size_t i = 0; i < part.size() && first + i < whole.size(); ++i) {
      fitting += whole[first + i] == part[i];
    }
    if (fitting == part.size()) return {true, first};
    if (fitting > most) best = first, most = fitting;
  }
  return {part.empty(), best};
}

using Runner = std::function<std::optional<Run>(const std::string& stem)>;

/// Every output block against what its program prints. A runner gives nothing for a program that does not exist.
inline Lines check_outputs(const std::vector<Document>& documents, const Runner& runner,
                           std::set<std::string>& used) {
  Lines complaints, ignored;
  for (const Document& document : documents) {
    for (const Block& block : blocks_of(document, ignored)) {
      if (block.marker != "output") continue;
      used.insert(block.argument);
      const auto result = runner(block.argument);
      if (!result) {
        complaints.push_back(at(document.file, block.line) + "there is no program " + block.argument);
      } else if (result->exit_code != 0) {
        complaints.push_back(at(document.file, block.line) + block.argument + " ended with exit code " +
                             std::to_string(result->exit_code) + "\n" + result->errors);
      } else {
        const Lines output = without_trailing_blanks(result->output),
                    text = without_trailing_blanks(block.text);
        const auto [found, place] = find_lines(output, text);
        if (found) continue;
        const auto begin = output.begin() + static_cast<std::ptrdiff_t>(place);
        const Lines nearest(
            begin, begin + static_cast<std::ptrdiff_t>(std::min(output.size() - place, text.size())));
        complaints.push_back(at(document.file, block.line + first_difference(text, nearest)) +
                             block.argument + " prints something else\n" + difference(text, nearest));
      }
    }
  }
  return complaints;
}

// Links

/// The name GitHub gives a heading: lower case, blanks to hyphens, other punctuation dropped.
inline std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (char c : trimmed(heading.substr(heading.find_first_not_of('#')))) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80 || c == '-' || c == '_')
      anchor += static_cast<char>(std::tolower(byte));
    if (c == ' ') anchor += '-';
  }
  return anchor;
}

inline std::set<std::string> anchors_of(const Lines& lines) {
  std::set<std::string> anchors;
  bool code = false;
  for (const std::string& line : lines) {
    if (line.rfind("```", 0) == 0) code = !code;
    if (!code && line.rfind("#", 0) == 0) anchors.insert(anchor_of(line));
  }
  return anchors;
}

/// Links to files and headings, and paths in `code` that begin with a folder of ours.
inline Lines check_links(const std::vector<Document>& documents, const Reader& reader,
                         const std::function<bool(const std::string&)>& exists) {
  static const std::regex link(R"re(\]\(([^)\s]+)\)|src="([^"]+)")re"), code_span("`[^`]*`");
  static const std::regex path(
      "`((?:tensor|autograd|ops|nn|tests|examples|docs|scripts|benchmarks|cmake)/[\\w./-]*)`");
  Lines complaints;
  for (const Document& document : documents) {
    bool code = false;
    for (std::size_t i = 0; i < document.lines.size(); ++i) {
      const std::string& line = document.lines[i];
      if (line.rfind("```", 0) == 0) code = !code;
      if (code || line.rfind("    ", 0) == 0) continue;
      for (std::sregex_iterator it(line.begin(), line.end(), path), end; it != end; ++it) {
        if (!exists((*it)[1]))
          complaints.push_back(at(document.file, i + 1) + "there is no " + (*it)[1].str());
      }
      const std::string prose = std::regex_replace(line, code_span, "`");
      for (std::sregex_iterator it(prose.begin(), prose.end(), link), end; it != end; ++it) {
        const std::string target = (*it)[1].matched ? (*it)[1] : (*it)[2];
        if (target.find("://") != std::string::npos || target.rfind("mailto:", 0) == 0) continue;
        const auto hash = target.find('#');
        const std::string file = hash == 0 ? document.file
                                           : (fs::path(document.file).parent_path() / target.substr(0, hash))
                                                 .lexically_normal()
                                                 .string();
        if (!exists(file)) {
          complaints.push_back(at(document.file, i + 1) + "a broken link: " + target);
        } else if (hash != std::string::npos) {
          const auto lines = hash == 0 ? document.lines : reader(file).value_or(Lines{});
          if (anchors_of(lines).count(target.substr(hash + 1)) == 0) {
            complaints.push_back(at(document.file, i + 1) + "no heading there: " + target);
          }
        }
      }
    }
  }
  return complaints;
}

/// The labels and the ends of the edges of a picture by Graphviz. Places depend on its version and its fonts.
inline Lines labels_of(const fs::path& svg) {
  std::ifstream in(svg);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  static const std::regex label("<(text|title)[^>]*>([^<]*)</");
  Lines labels;
  for (std::sregex_iterator it(text.begin(), text.end(), label), end; it != end; ++it)
    labels.push_back((*it)[2]);
  std::sort(labels.begin(), labels.end());
  return labels;
}

}  // namespace documents
