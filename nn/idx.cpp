#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <system_error>
#include <xgrad/nn/idx.hpp>
#include <xgrad/tensor/error.hpp>

namespace xgrad {
namespace {

constexpr std::size_t max_rank = 8;
constexpr std::size_t first_allocation = std::size_t{1} << 20;

std::string hex(unsigned byte) {
  constexpr char digits[] = "0123456789abcdef";
  return {digits[byte >> 4 & 15], digits[byte & 15]};
}

std::string type_name(unsigned type) {
  switch (type) {
    case 0x09:
      return "signed byte";
    case 0x0b:
      return "16-bit integer";
    case 0x0c:
      return "32-bit integer";
    case 0x0d:
      return "32-bit float";
    case 0x0e:
      return "64-bit float";
    default:
      return "unknown";
  }
}

std::string list(std::span<const std::int64_t> sizes) {
  std::string text;
  for (auto size : sizes) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "(" + text + (sizes.size() == 1 ? ",)" : ")");
}

// The file as a stream of unpacked bytes. What it reads ahead is one fixed buffer.
class Source {
 public:
  explicit Source(const std::filesystem::path& path)
      : prefix_("read_idx: " + path.string() + ": "), file_(std::fopen(path.c_str(), "rb")) {
    const int error = errno;
    if (!file_) throw IoError(prefix_ + "cannot open: " + std::generic_category().message(error));
    refill();
    if (raw_.avail_in < 2 || buffer_[0] != 0x1f || buffer_[1] != 0x8b) return;
    constexpr int gzip_only = 15 + 16;
    if (inflateInit2(&raw_, gzip_only) != Z_OK) throw std::bad_alloc();
    gzip_ = true;
  }
  ~Source() {
    if (gzip_) inflateEnd(&raw_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Fills `out` and returns its size; returns less only where the data ends.
  std::size_t read(std::span<std::uint8_t> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      if (raw_.avail_in == 0) refill();
      if (raw_.avail_in == 0 && (!gzip_ || between_members_)) break;
      const auto step = gzip_ ? unpack(out.subspan(done)) : copy(out.subspan(done));
      done += step;
    }
    return done;
  }

  [[noreturn]] void fail(const std::string& what, std::uint64_t byte) const {
    throw FormatError(prefix_ + what + " (at byte " + std::to_string(byte) + ")");
  }

 private:
  void refill() {
    if (ended_) return;
    const auto count = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    const int error = errno;
    if (count < buffer_.size()) {
      if (std::ferror(file_.get()))
        throw IoError(prefix_ + "cannot read: " + std::generic_category().message(error));
      ended_ = true;
    }
    file_bytes_ += count;
    raw_.next_in = buffer_.data();
    raw_.avail_in = static_cast<uInt>(count);
  }

  std::size_t copy(std::span<std::uint8_t> out) {
    const auto count = std::min<std::size_t>(out.size(), raw_.avail_in);
    std::copy_n(raw_.next_in, count, out.data());
    raw_.next_in += count;
    raw_.avail_in -= static_cast<uInt>(count);
    return count;
  }

  // One step of zlib. Members may follow one another; nothing else may follow a member.
  std::size_t unpack(std::span<std::uint8_t> out) {
    if (between_members_) {
      if (*raw_.next_in != 0x1f) fail_gzip("trailing bytes after the gzip stream");
      inflateReset(&raw_);
      between_members_ = false;
    }
    if (raw_.avail_in == 0) fail_gzip("gzip stream is truncated: unexpected end of file");
    const auto room = static_cast<uInt>(std::min<std::size_t>(out.size(), std::size_t{1} << 30));
    raw_.next_out = out.data();
    raw_.avail_out = room;
    const int status = inflate(&raw_, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END)
      fail_gzip(std::string("gzip stream is corrupt: ") + (raw_.msg ? raw_.msg : zError(status)));
    between_members_ = status == Z_STREAM_END;
    return room - raw_.avail_out;
  }

  [[noreturn]] void fail_gzip(const std::string& what) const {
    throw FormatError(prefix_ + what + " (at compressed byte " + std::to_string(file_bytes_ - raw_.avail_in) +
                      ")");
  }

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string prefix_;
  std::unique_ptr<std::FILE, Close> file_;
  std::array<std::uint8_t, 1 << 16> buffer_;
  z_stream raw_{};  // its input side serves plain files too
  std::uint64_t file_bytes_ = 0;
  bool ended_ = false;  // the file has no more bytes than the buffer holds
  bool gzip_ = false;
  bool between_members_ = false;
};

std::vector<std::int64_t> read_sizes(Source& source) {
  std::array<std::uint8_t, 4> magic{};
  if (const auto found = source.read(magic); found < magic.size())
    source.fail("header is truncated: the magic number has 4 bytes, found " + std::to_string(found), 0);
  if (magic[0] != 0 || magic[1] != 0)
    source.fail("not an IDX file: it must begin with 00 00, found " + hex(magic[0]) + " " + hex(magic[1]), 0);
  if (magic[2] != 0x08)
    source.fail("element type 0x" + hex(magic[2]) + " (" + type_name(magic[2]) +
                    ") is not supported, only 0x08 (unsigned byte)",
                2);
  const std::size_t rank = magic[3];
  if (rank == 0 || rank > max_rank) source.fail("rank must be 1 to 8, found " + std::to_string(rank), 3);

  std::array<std::uint8_t, 4 * max_rank> header;
  const auto found = source.read(std::span(header).first(4 * rank));
  if (found < 4 * rank)
    source.fail("header is truncated: rank " + std::to_string(rank) + " needs " + std::to_string(4 * rank) +
                    " bytes of sizes, found " + std::to_string(found),
                4);
  std::vector<std::int64_t> sizes(rank);
  for (std::size_t i = 0; i < 4 * rank; ++i) sizes[i / 4] = sizes[i / 4] << 8 | header[i];
  return sizes;
}

// A size of 0 does not excuse the others: strides would overflow all the same.
std::uint64_t product(const Source& source, std::span<const std::int64_t> sizes) {
  std::int64_t total = 1;
  for (auto size : sizes)
    if (size != 0 && __builtin_mul_overflow(total, size, &total))
      source.fail("the product of the sizes " + list(sizes) + " overflows 64 bits", 4);
  return std::count(sizes.begin(), sizes.end(), 0) > 0 ? 0 : static_cast<std::uint64_t>(total);
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& path) {
  Source source(path);
  IdxArray array;
  array.sizes = read_sizes(source);
  const auto start = 4 + 4 * array.sizes.size();
  const auto promised = product(source, array.sizes);
  const auto promise = "header promises " + std::to_string(promised) + " bytes, found ";

  auto& bytes = array.bytes;
  while (bytes.size() < promised) {
    const auto have = bytes.size();
    const auto want = std::min<std::uint64_t>(promised, std::max(first_allocation, 2 * have));
    bytes.reserve(want);  // resize() alone might take more than it is asked for
    bytes.resize(want);
    const auto found = have + source.read(std::span(bytes).subspan(have));
    if (found < want) source.fail("payload is truncated: " + promise + std::to_string(found), start);
  }
  // Asking for one byte too many also takes zlib past the checksum of the last member.
  if (std::uint8_t extra = 0; source.read({&extra, 1}) != 0)
    source.fail("payload is too long: " + promise + "at least " + std::to_string(promised + 1),
                start + promised);
  return array;
}

}  // namespace xgrad
