// The functions that headers declare in namespace xgrad itself: not in detail, not in a class.
#pragma once

#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace declarations {

struct Declaration {
  std::string name, parameters;
  std::string body;  // of an inline function
};

/// Without comments and lines of the preprocessor.
inline std::string code_of(const std::string& header) {
  std::istringstream in(header);
  std::string code;
  bool directive = false, goes_on = false;
  for (std::string line; std::getline(in, line);) {
    directive = goes_on || line.starts_with('#');
    goes_on = directive && line.ends_with('\\');
    if (!directive) code += line.substr(0, line.find("//")) + '\n';
  }
  return code;
}

inline std::string one_line(const std::string& text) {
  const std::string spaced = std::regex_replace(text, std::regex(R"(\s+)"), " ");
  return std::regex_replace(spaced, std::regex("^ | $"), "");
}

/// What stands before `{` or `;`, if it declares a function.
inline void declare(const std::string& statement, std::vector<Declaration>& found) {
  static const std::regex other(R"(^(using|typedef|struct|class|enum|concept|friend|extern)\b)");
  static const std::regex function(R"((\w+|operator\W+)\s*\((.*)\)( const| noexcept)*$)");
  static const std::regex heading(R"(^template <[^>]*>( requires \S+<[^>]*>)? )");
  const std::string text = std::regex_replace(one_line(statement), heading, "");
  std::smatch parts;
  if (!std::regex_search(text, other) && std::regex_search(text, parts, function))
    found.push_back({parts[1], parts[2], ""});
}

/// All of them, in order, overloads one by one.
inline std::vector<Declaration> functions_of(const std::string& header) {
  const std::string code = code_of(header);
  std::vector<Declaration> found;
  std::vector<std::string> scopes;  // names of namespaces; "" for a class or a body
  std::string statement;
  int parentheses = 0;
  const auto at_home = [&] { return scopes == std::vector<std::string>{"xgrad"}; };
  bool in_body = false;
  for (const char c : code) {
    if (c == '(') ++parentheses;
    if (c == ')') --parentheses;
    if (parentheses > 0 || (c != '{' && c != '}' && c != ';')) {
      statement += c;
      continue;
    }
    if (in_body) found.back().body += one_line(statement) + c;
    if (c == '{') {
      static const std::regex space(R"(^(?:inline )?namespace ([\w:]+)$)");
      std::smatch name;
      const std::string text = one_line(statement);
      if (at_home()) {
        const std::size_t before = found.size();
        declare(statement, found);
        in_body = found.size() > before;
      }
      scopes.push_back(std::regex_match(text, name, space) ? name[1].str() : "");
    } else if (c == '}') {
      scopes.pop_back();
      if (at_home()) in_body = false;
    } else if (at_home()) {
      declare(statement, found);
    }
    statement.clear();
  }
  return found;
}

}  // namespace declarations
