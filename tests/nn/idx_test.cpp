#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <system_error>
#include <temporary_folder.hpp>
#include <typeinfo>
#include <vector>
#include <xgrad/nn/idx.hpp>
#include <xgrad/tensor/error.hpp>

namespace {

namespace fs = std::filesystem;
using xgrad::read_idx;

class Folder : public TemporaryFolder {
 public:
  fs::path write(const std::string& bytes) const {
    const auto path = path_ / "file";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  const fs::path& path() const { return path_; }
};

std::string big_endian(std::uint32_t x) {
  return {static_cast<char>(x >> 24), static_cast<char>(x >> 16), static_cast<char>(x >> 8),
          static_cast<char>(x)};
}

std::string header(const std::vector<std::uint32_t>& sizes, char type = 8) {
  std::string text = {0, 0, type, static_cast<char>(sizes.size())};
  for (auto size : sizes) text += big_endian(size);
  return text;
}

std::string gzip(const std::string& text) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

const std::string small = header({2, 3}) + "abcdef";  // 18 bytes

// What the reader says of a file with these bytes, without "read_idx: <path>: ".
template <class E = xgrad::FormatError>
std::string complaint(const fs::path& path) {
  try {
    read_idx(path);
  } catch (const E& error) {
    REQUIRE(typeid(error) == typeid(E));
    const std::string text = error.what(), prefix = "read_idx: " + path.string() + ": ";
    REQUIRE(text.substr(0, prefix.size()) == prefix);
    return text.substr(prefix.size());
  }
  return "(no complaint)";
}

std::string complaint(const std::string& bytes) {
  const Folder folder;
  return complaint(folder.write(bytes));
}

}  // namespace

TEST_CASE("An IDX file is read, plain or gzip", "[idx]") {
  const Folder folder;
  const auto check = [&](const std::string& bytes) {
    const auto array = read_idx(folder.write(bytes));
    CHECK(array.sizes == std::vector<std::int64_t>{2, 3});
    CHECK(std::string(array.bytes.begin(), array.bytes.end()) == "abcdef");
  };
  check(small);
  check(gzip(small));
  check(gzip(small.substr(0, 7)) + gzip("") + gzip(small.substr(7)));
  check(gzip(small) + gzip(""));
}

TEST_CASE("Ranks 1 to 8 and sizes of 0 are read", "[idx]") {
  const Folder folder;
  for (std::size_t rank = 1; rank <= 8; ++rank) {
    const auto array = read_idx(
        folder.write(header(std::vector<std::uint32_t>(rank, 2)) + std::string(std::size_t{1} << rank, 'x')));
    CHECK(array.sizes == std::vector<std::int64_t>(rank, 2));
    CHECK(array.bytes.size() == std::size_t{1} << rank);
  }
  const auto empty = read_idx(folder.write(header({0, 28, 28})));
  CHECK(empty.sizes == std::vector<std::int64_t>{0, 28, 28});
  CHECK(empty.bytes.empty());
}

TEST_CASE("A payload larger than any buffer is read exactly", "[idx]") {
  std::string payload(5'000'011, '\0');
  std::uint32_t state = 1;
  for (auto& byte : payload) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const auto file = header({5'000'011}) + payload;
  const Folder folder;
  for (const auto& bytes : {file, gzip(file), gzip(file.substr(0, 65'536)) + gzip(file.substr(65'536))}) {
    const auto array = read_idx(folder.write(bytes));
    CHECK(std::equal(array.bytes.begin(), array.bytes.end(), payload.begin(), payload.end(),
                     [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }));
    CHECK(array.bytes.capacity() == array.bytes.size());
  }
}

TEST_CASE("What the system refuses is an IoError", "[idx]") {
  const Folder folder;
  CHECK(complaint<xgrad::IoError>(folder.path() / "none") == "cannot open: No such file or directory");
  CHECK(complaint<xgrad::IoError>(folder.path()) == "cannot read: Is a directory");
  const auto path = folder.write(small);
  CHECK(complaint<xgrad::IoError>(path / "below") == "cannot open: Not a directory");
  if (geteuid() != 0) {  // root reads everything
    chmod(path.c_str(), 0);
    CHECK(complaint<xgrad::IoError>(path) == "cannot open: Permission denied");
  }
}

TEST_CASE("A wrong header is named with its place", "[idx]") {
  using namespace std::string_literals;
  const std::uint32_t big = 0xffffffff;
  struct Row {
    std::string bytes, message;
  };
  const auto row = GENERATE_COPY(values<Row>(
      {{"", "header is truncated: the magic number has 4 bytes, found 0 (at byte 0)"},
       {"\0\0\b"s, "header is truncated: the magic number has 4 bytes, found 3 (at byte 0)"},
       {"\x1f", "header is truncated: the magic number has 4 bytes, found 1 (at byte 0)"},
       {"PK\3\4", "not an IDX file: it must begin with 00 00, found 50 4b (at byte 0)"},
       {"\0\1\b\1"s, "not an IDX file: it must begin with 00 00, found 00 01 (at byte 0)"},
       {header({1}, 0x09),
        "element type 0x09 (signed byte) is not supported, only 0x08 (unsigned byte) (at byte 2)"},
       {header({1}, 0x0b),
        "element type 0x0b (16-bit integer) is not supported, only 0x08 (unsigned byte) (at byte 2)"},
       {header({1}, 0x0c),
        "element type 0x0c (32-bit integer) is not supported, only 0x08 (unsigned byte) (at byte 2)"},
       {header({1}, 0x0d),
        "element type 0x0d (32-bit float) is not supported, only 0x08 (unsigned byte) (at byte 2)"},
       {header({1}, 0x0e),
        "element type 0x0e (64-bit float) is not supported, only 0x08 (unsigned byte) (at byte 2)"},
       {header({1}, 0x42),
        "element type 0x42 (unknown) is not supported, only 0x08 (unsigned byte) (at byte 2)"},
       {header({}), "rank must be 1 to 8, found 0 (at byte 3)"},
       {header(std::vector<std::uint32_t>(9, 1)), "rank must be 1 to 8, found 9 (at byte 3)"},
       {"\0\0\b\xff"s, "rank must be 1 to 8, found 255 (at byte 3)"},
       {header({1, 2, 3}).substr(0, 11),
        "header is truncated: rank 3 needs 12 bytes of sizes, found 7 (at byte 4)"},
       {header({big, big, 2}),
        "the product of the sizes (4294967295, 4294967295, 2) overflows 64 bits (at byte 4)"},
       {header({0, big, big, 2}),
        "the product of the sizes (0, 4294967295, 4294967295, 2) overflows 64 bits (at byte 4)"},
       {header({big, big, 2, 0}),
        "the product of the sizes (4294967295, 4294967295, 2, 0) overflows 64 bits (at byte 4)"}}));
  CHECK(complaint(row.bytes) == row.message);
  CHECK(complaint(gzip(row.bytes)) == row.message);
}

TEST_CASE("A payload of another length than promised is an error", "[idx]") {
  CHECK(complaint(small.substr(0, 15)) ==
        "payload is truncated: header promises 6 bytes, found 3 (at byte 12)");
  CHECK(complaint(gzip(small.substr(0, 15))) ==
        "payload is truncated: header promises 6 bytes, found 3 (at byte 12)");
  CHECK(complaint(header({60000, 28, 28}) + std::string(1000, 'x')) ==
        "payload is truncated: header promises 47040000 bytes, found 1000 (at byte 16)");
  CHECK(complaint(header({60000, 28, 28}) + std::string(3'000'000, 'x')) ==
        "payload is truncated: header promises 47040000 bytes, found 3000000 (at byte 16)");
  const std::string too_long = "payload is too long: header promises 6 bytes, found at least 7 (at byte 18)";
  CHECK(complaint(small + "g") == too_long);
  CHECK(complaint(small + std::string(100'000, 'x')) == too_long);
  CHECK(complaint(gzip(small + "g")) == too_long);
  CHECK(complaint(gzip(small) + gzip("g")) == too_long);
  CHECK(complaint(header({0}) + "x") ==
        "payload is too long: header promises 0 bytes, found at least 1 (at byte 8)");
}

TEST_CASE("No promise is believed before its bytes arrive", "[idx]") {
  // The larger ones are beyond any address space: to ask for them is to fail with bad_alloc or length_error.
  CHECK(complaint(header({256, 0xffffffff}) + "abc") ==
        "payload is truncated: header promises 1099511627520 bytes, found 3 (at byte 12)");
  CHECK(complaint(header({0x40000000, 0x40000000, 4}) + "abc") ==
        "payload is truncated: header promises 4611686018427387904 bytes, found 3 (at byte 16)");
  CHECK(complaint(gzip(header({0x7fffffff, 0xffffffff}) + "abc")) ==
        "payload is truncated: header promises 9223372030412324865 bytes, found 3 (at byte 12)");
}

TEST_CASE("A gzip bomb stops at the byte too many", "[idx]") {
  // The rest of the stream is broken: whoever unpacked on would complain of that instead.
  auto bomb = gzip(small + std::string(50'000'000, '\0'));
  REQUIRE(bomb.size() < 60'000);
  std::fill(bomb.begin() + 1000, bomb.end(), '\xff');
  CHECK(complaint(bomb) == "payload is too long: header promises 6 bytes, found at least 7 (at byte 18)");
}

TEST_CASE("Damaged gzip streams are named with their place", "[idx]") {
  using namespace std::string_literals;
  const auto good = gzip(small);
  const auto end = std::to_string(good.size());
  const auto with = [&](std::size_t at, char byte) {
    auto bytes = good;
    bytes[at] = byte;
    return bytes;
  };
  CHECK(complaint(with(2, 7)) == "gzip stream is corrupt: unknown compression method (at compressed byte 4)");
  CHECK(complaint(with(3, '\xff')) ==
        "gzip stream is corrupt: unknown header flags set (at compressed byte 4)");
  CHECK(complaint(with(10, 7)) == "gzip stream is corrupt: invalid block type (at compressed byte 11)");
  CHECK(complaint(with(good.size() - 8, good[good.size() - 8] ^ 1)) ==
        "gzip stream is corrupt: incorrect data check (at compressed byte " +
            std::to_string(good.size() - 4) + ")");
  CHECK(complaint(with(good.size() - 1, 1)) ==
        "gzip stream is corrupt: incorrect length check (at compressed byte " + end + ")");
  CHECK(complaint(good.substr(0, good.size() - 1)) ==
        "gzip stream is truncated: unexpected end of file (at compressed byte " +
            std::to_string(good.size() - 1) + ")");
  CHECK(complaint("\x1f\x8b") == "gzip stream is truncated: unexpected end of file (at compressed byte 2)");
  CHECK(complaint(good + "x") == "trailing bytes after the gzip stream (at compressed byte " + end + ")");
  CHECK(complaint(good + "\0"s) == "trailing bytes after the gzip stream (at compressed byte " + end + ")");
  CHECK(complaint(good + "\x1f\x8b") ==
        "gzip stream is truncated: unexpected end of file (at compressed byte " +
            std::to_string(good.size() + 2) + ")");
  CHECK(complaint(good + "\x1f!") == "gzip stream is corrupt: incorrect header check (at compressed byte " +
                                         std::to_string(good.size() + 2) + ")");
}

TEST_CASE("A file cut at any length fails cleanly", "[idx]") {
  const Folder folder;
  const auto first = gzip(small.substr(0, 9)), both = first + gzip(small.substr(9));
  for (const auto& whole : {small, gzip(small), both})
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto text = complaint(folder.write(whole.substr(0, length)));
      INFO("cut at " << length << " of " << whole.size() << ": " << text);
      const bool packed = whole != small && length >= 2;             // shorter ones do not look like gzip yet
      const bool between = whole == both && length == first.size();  // a good gzip file, but of half the data
      const std::string kind = packed && !between ? "gzip stream is truncated" : length < 9 ? "header" : "";
      CHECK_THAT(text, Catch::Contains("truncated") && Catch::StartsWith(kind));
    }
}

TEST_CASE("A file with any byte changed reads or throws Error", "[idx]") {
  const Folder folder;
  std::size_t refused = 0;
  const auto attempt = [&](const std::string& bytes) {
    try {
      const auto array = read_idx(folder.write(bytes));
      const auto product =
          std::accumulate(array.sizes.begin(), array.sizes.end(), std::int64_t{1}, std::multiplies<>());
      REQUIRE(static_cast<std::int64_t>(array.bytes.size()) == product);
    } catch (const xgrad::Error&) {
      ++refused;
    }
  };
  // Every value of every byte of the header; the payload may be anything.
  for (std::size_t at = 0; at < 12; ++at)
    for (int value = 0; value < 256; ++value) {
      auto bytes = small;
      bytes[at] = static_cast<char>(value);
      attempt(bytes);
    }
  CHECK(refused == 12 * 255);

  // Every bit of the gzip file; five fields of its header (flags aside) mean nothing to the reader.
  const auto good = gzip(small);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    attempt(bytes);
  }
}

TEST_CASE("Fashion-MNIST is read", "[idx]") {
  const fs::path folder = "/usr/share/datasets/fashion-mnist";
  if (!fs::exists(folder / "train-images-idx3-ubyte.gz")) {
    WARN("no Fashion-MNIST in " << folder);
    return;
  }
  const auto labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz");
  CHECK(labels.sizes == std::vector<std::int64_t>{10000});
  for (std::uint8_t label = 0; label < 10; ++label)
    CHECK(std::count(labels.bytes.begin(), labels.bytes.end(), label) == 1000);
  const auto images = read_idx(folder / "train-images-idx3-ubyte.gz");
  CHECK(images.sizes == std::vector<std::int64_t>{60000, 28, 28});
  CHECK(images.bytes.size() == 47'040'000);
}
