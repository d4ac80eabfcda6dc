#include <cstring>
#include <xgrad/autograd/compile.hpp>
#include <xgrad/tensor/simd.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad {

std::string to_string(const CompileReport& report) {
  const auto count = [](std::size_t n, const char* what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  std::string text = count(report.replays, "replay") + ", " + count(report.recordings, "recording") + ", " +
                     count(report.plain, "plain call");
  if (!report.reason.empty()) text += " (" + report.reason + ")";
  if (report.kernel_calls > 0) {
    text += "; " + count(report.kernel_calls, "kernel call") + " in " + std::to_string(report.passes) +
            (report.passes == 1 ? " pass, " : " passes, ") + std::to_string(report.planned_bytes) +
            " bytes for temporaries of " + std::to_string(report.temporary_bytes);
  }
  return text;
}

namespace detail {
namespace {
constexpr std::size_t recordings_kept = 16;
constexpr int misses_allowed = 8;  // an element that is never the same is not worth recording
}  // namespace

Recording::Recording(std::span<const Variable> arguments)
    : simd(static_cast<int>(simd_level())), threads(num_threads()) {
  for (const Variable& x : arguments) {
    shapes.push_back(x.shape());
    dtypes.push_back(x.dtype());
  }
}

bool Recording::fits(std::span<const Variable> arguments) const {
  if (shapes.size() != arguments.size() || simd != static_cast<int>(simd_level()) ||
      threads != num_threads()) {
    return false;
  }
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (arguments[i].shape() != shapes[i] || arguments[i].dtype() != dtypes[i]) return false;
  }
  return true;
}

const Recording* Compiler::replay(std::span<const Variable> arguments, bool& record) {
  record = false;
  if (Tape::recording() != nullptr || capturing != nullptr) {
    report_.reason =
        capturing != nullptr ? "it was called by a function that was being recorded" : "a tape was recording";
    ++report_.plain;
    return nullptr;
  }
  std::array<const Tensor*, 16> few;
  std::vector<const Tensor*> many(arguments.size() > few.size() ? arguments.size() : 0);
  const std::span<const Tensor*> inputs(many.empty() ? few.data() : many.data(), arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) inputs[i] = &arguments[i].value();
  const auto plain = [&](const std::string& reason) {
    report_.reason = reason;
    refuse();
    ++report_.plain;
    return nullptr;
  };
  Recording* known = nullptr;
  for (Recording& recording : recordings_) {
    if (!recording.fits(arguments)) continue;
    if (!recording.program) return plain(recording.obstacle);
    if (known == nullptr) known = &recording;
    if (known->misses >= misses_allowed) return plain("an element it looks at keeps changing");
    if (recording.program->run(inputs, results_)) {
      known->misses = 0;
      ++report_.replays;
      return &recording;
    }
  }
  if (known != nullptr) {
    ++known->misses;
    report_.reason = "an element it looked at, or the dtype of a parameter, changed";
    refuse();
  } else {
    report_.reason = recordings_.empty()
                         ? "it was the first call"
                         : "the arguments' shapes or dtypes, or the number of threads, were new";
  }
  record = true;
  return nullptr;
}

void Compiler::refuse() const {
  if (options_.strict) throw GraphError("compile: the call cannot be replayed: " + report_.reason);
}

void Compiler::keep(Recording recording) {
  if (recording.program) {
    ++report_.recordings;
    report_.kernel_calls = recording.program->calls();
    report_.passes = recording.program->passes();
    report_.planned_bytes = recording.program->planned_bytes();
    report_.temporary_bytes = recording.program->temporary_bytes();
  } else {
    ++report_.plain;
    report_.reason = recording.obstacle;
  }
  if (recordings_.size() == recordings_kept) recordings_.erase(recordings_.begin());
  recordings_.push_back(std::move(recording));
  if (!recordings_.back().program) refuse();
}

std::vector<Variable> Compiler::separate(std::span<const Variable> arguments) {
  std::vector<Variable> own;
  for (const Variable& x : arguments) {
    Tensor copy(x.shape(), x.dtype());
    if (copy.bytes() > 0) std::memcpy(mutable_data<void>(copy), address(x.value()), copy.bytes());
    own.emplace_back(std::move(copy));
  }
  return own;
}

}  // namespace detail
}  // namespace xgrad
