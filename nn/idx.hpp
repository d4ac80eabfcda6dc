// IDX files, the format of MNIST and Fashion-MNIST: two zero bytes, element type, rank, one big-endian 32-bit
// size per axis, elements in row-major order. Plain or gzip, told apart by content, not by name.
//
// Thread safety: no shared state.
//
// Invariants of a result: (1) bytes.size() is the product of sizes; (2) sizes has 1 to 8 entries, none
// negative; (3) the file held exactly these bytes, and if it was gzip its checksums were right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace xgrad {

struct IdxArray {
  std::vector<std::int64_t> sizes;
  std::vector<std::uint8_t> bytes;
};

/// Reads a file of unsigned bytes (type 0x08), strictly: whatever the header does not account for is an
/// error. Memory grows with the data that arrives, never with what the header promises. Throws IoError if the
/// system will not open or read the file, FormatError if the file is not such a file. The message names the
/// file and the place: "at byte" counts in the unpacked data, "at compressed byte" in the gzip file itself.
IdxArray read_idx(const std::filesystem::path& path);

}  // namespace xgrad
