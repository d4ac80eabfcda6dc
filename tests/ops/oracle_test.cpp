// Values and gradients against PyTorch's: what tests/oracle/generate.py wrote, in float64, at 1e-10.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <xgrad/autograd/tape.hpp>

#include "oracle/deviations.hpp"
#include "oracle/networks.hpp"
#include "temporary_folder.hpp"

using namespace oracle;

namespace {

const std::string path = XGRAD_SOURCE_DIR "/tests/oracle/samples.jsonl.gz";

const Call& call_of(const std::string& op) {
  for (const auto* calls :
       {&elementwise_calls, &reduction_calls, &shape_calls, &linalg_calls, &network_calls}) {
    if (const auto found = calls->find(op); found != calls->end()) return found->second;
  }
  throw std::runtime_error("oracle: nothing in tests/ops/oracle says what " + op + " is");
}

// Beside 1e-10 of the number itself: where terms of about 1 are summed and cancel, their roundings (1e-16 each)
// are all that is left. A function of one element sums nothing.
double absolute(const std::string& op) { return elementwise_calls.contains(op) ? 0 : 1e-14; }

bool agree(double ours, double torch, double allowed) {
  if (std::isnan(torch) || std::isinf(torch)) return std::isnan(torch) ? std::isnan(ours) : ours == torch;
  return std::abs(ours - torch) <= 1e-10 * std::abs(torch) + allowed;
}

// The first element that neither agrees nor may deviate; empty: none. Notes the deviations, by their place in the
// table, that were needed.
std::string difference(const Sample& sample, const std::string& what, const Tensor& ours, const Tensor& torch,
                       std::set<std::pair<const Deviation*, std::string>>& needed) {
  std::ostringstream text;
  text.precision(17);
  text << sample.op << " [" << sample.place << "] " << what << ": ";
  if (ours.shape() != torch.shape() || ours.dtype() != torch.dtype()) {
    text << name(ours.dtype()) << to_string(ours.shape()) << ", PyTorch: " << name(torch.dtype())
         << to_string(torch.shape());
    return text.str();
  }
  const auto a = ours.to_vector<double>(), b = torch.to_vector<double>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (agree(a[i], b[i], absolute(sample.op))) continue;
    const auto deviation = std::find_if(deviations.begin(), deviations.end(), [&](const Deviation& d) {
      return d.covers(sample.op, sample.place) && d.allows(a[i], b[i]);
    });
    if (deviation == deviations.end()) {
      text << "element " << i << " is " << a[i] << ", PyTorch: " << b[i];
      return text.str();
    }
    needed.emplace(&*deviation, sample.op);
  }
  return "";
}

std::string difference(const Sample& sample, std::set<std::pair<const Deviation*, std::string>>& needed) {
  Tape tape;
  std::vector<Variable> x;
  for (const Tensor& input : sample.inputs)
    x.push_back(is_floating(input.dtype()) ? tape.watch(input) : Variable(input));
  const Variable y = call_of(sample.op)(x, sample.args);
  std::string found = difference(sample, "value", y.value(), sample.output, needed);
  if (!found.empty() || !sample.cotangent) return found;
  // What is constant here and has a gradient there must have one of zeros.
  std::optional<Gradients> gradients;
  if (!y.is_constant()) gradients = tape.backward(y, {.seed = *sample.cotangent});
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (!is_floating(x[k].dtype())) continue;
    const Tensor nothing = zeros(x[k].shape(), x[k].dtype());
    found = difference(sample, "gradient " + std::to_string(k),
                       gradients ? gradients->or_zeros(x[k]).value() : nothing,
                       sample.gradients[k].value_or(nothing), needed);
    if (!found.empty()) return found;
  }
  return "";
}

struct Folder : TemporaryFolder {
  std::string file(const char* name) const { return (path_ / name).string(); }
};

}  // namespace

TEST_CASE("oracle: every sample has PyTorch's value and gradients", "[ops][simd]") {
  const std::vector<Sample> samples = read_samples(path);
  std::set<std::string> ops;
  std::set<std::pair<const Deviation*, std::string>> needed;
  for (const Sample& sample : samples) {
    INFO(sample.line.substr(0, 2000));
    std::string found;
    REQUIRE_NOTHROW(found = difference(sample, needed));
    CHECK(found == "");
    ops.insert(sample.op);
  }
  CHECK(samples.size() >= 2000);
  CHECK(ops.size() >= 100);
  CHECK(ops.size() == elementwise_calls.size() + reduction_calls.size() + shape_calls.size() +
                          linalg_calls.size() + network_calls.size());

  for (const Deviation& deviation : deviations) {
    std::istringstream named(deviation.ops);
    for (std::string op; named >> op;) {
      INFO(op << " agrees with PyTorch, so this is no deviation: " << deviation.reason);
      CHECK(needed.contains({&deviation, op}));
    }
  }
}

TEST_CASE("oracle: a wrong number, a gradient and a shape are found", "[ops]") {
  const std::string line =
      R"({"op":"mul","case":"","args":{},"inputs":[{"dtype":"float64","shape":[2],"data":[2,3]},)"
      R"({"dtype":"float64","shape":[],"data":[5]}],"output":{"dtype":"float64","shape":[2],"data":[10,15]},)"
      R"("cotangent":{"dtype":"float64","shape":[2],"data":[1,-1]},"gradients":[)"
      R"({"dtype":"float64","shape":[2],"data":[5,-5]},{"dtype":"float64","shape":[],"data":[-1]}]})";
  std::set<std::pair<const Deviation*, std::string>> needed;
  const Sample right = sample_of(line);
  CHECK(difference(right, needed) == "");

  Sample sample = right;
  sample.output = Tensor(Shape{2}, std::vector<double>{10, 15 + 3e-9});
  CHECK(difference(sample, needed).find("mul [] value: element 1 is 15, PyTorch: 15.000000003") == 0);
  sample = right;
  sample.gradients[1] = scalar(1, float64);
  CHECK(difference(sample, needed) == "mul [] gradient 1: element 0 is -1, PyTorch: 1");
  sample = right;
  sample.gradients[0] = std::nullopt;
  CHECK(difference(sample, needed) == "mul [] gradient 0: element 0 is 5, PyTorch: 0");
  sample = right;
  sample.output = ones({2, 1}, float64);
  CHECK(difference(sample, needed) == "mul [] value: float64(2,), PyTorch: float64(2, 1)");
  sample = right;
  sample.op = "multiply";
  CHECK_THROWS_WITH(difference(sample, needed),
                    Catch::Contains("nothing in tests/ops/oracle says what multiply"));
  CHECK(needed.empty());
}

TEST_CASE("oracle: a file that is missing, damaged or cut off is an error", "[ops]") {
  const Folder folder;
  const std::string copy = folder.file("samples.gz");
  CHECK_THROWS_WITH(read_samples(copy), Catch::Contains("cannot read"));
  std::filesystem::copy_file(path, copy);
  const auto size = std::filesystem::file_size(copy);
  std::filesystem::resize_file(copy, size / 2);
  CHECK_THROWS(read_samples(copy));
  std::ofstream(copy) << "{\"samples\":2}\n";
  CHECK_THROWS_WITH(read_samples(copy), Catch::Contains("is cut off"));
}
