// What the examples share: reading Fashion-MNIST or saying what to do, and small output helpers.
#pragma once

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <numeric>
#include <optional>
#include <string>
#include <xgrad/xgrad.hpp>

namespace example {

/// Fashion-MNIST from `folder`, or nothing when its files are absent: then the flower set stands in, and this
/// says so.
inline std::optional<xgrad::Split> fashion_mnist_or_say(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "train-images-idx3-ubyte.gz")) return xgrad::fashion_mnist(folder);
  if (folder != xgrad::fashion_mnist_folder) {
    throw xgrad::IoError("no Fashion-MNIST in " + folder.string() +
                         " (train-images-idx3-ubyte.gz is missing)");
  }
  std::cout << "Fashion-MNIST is not installed (Debian: apt-get install dataset-fashion-mnist);\n"
               "using the course's generated flower set instead.\n";
  return std::nullopt;
}

inline std::vector<std::int64_t> first(std::int64_t n) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// A line that is redrawn in place on a terminal, at most ten times a second, and printed now and then
/// elsewhere.
class Progress {
 public:
  void update(const std::string& line, bool last_of_epoch) {
    const auto now = std::chrono::steady_clock::now();
    if (terminal_) {
      if (!last_of_epoch && now - drawn_ < std::chrono::milliseconds(100)) return;
      std::printf("\r\033[K%s%s", line.c_str(), last_of_epoch ? "\n" : "");
    } else {
      if (!last_of_epoch) return;
      std::printf("%s\n", line.c_str());
    }
    std::fflush(stdout);
    drawn_ = now;
  }

 private:
  bool terminal_ = isatty(STDOUT_FILENO) != 0;
  std::chrono::steady_clock::time_point drawn_{};
};

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Makes the folder for the output if need be.
inline std::filesystem::path output_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw xgrad::IoError("cannot make the folder " + folder.string() + ": " + error.message());
  return folder;
}

/// Writes a text file or throws IoError.
inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw xgrad::IoError("cannot write " + path.string());
}

/// Parses the flags, runs the program, and turns errors into one line on stderr and exit code 1.
template <class F>
int run(CLI::App& app, int argc, char** argv, F&& body) {
  CLI11_PARSE(app, argc, argv);
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::cerr << app.get_name() << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace example
