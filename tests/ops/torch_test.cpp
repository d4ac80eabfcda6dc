// Values and gradients against PyTorch's, from numbers that tests/reference/torch_reference.py generated.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

namespace {

struct Line {
  std::string kind;
  Tensor tensor;
};

// "input 3x4 0x1.8p+0 ..."
Line parse(const std::string& text) {
  std::istringstream in(text);
  std::string kind, shape, number;
  in >> kind >> shape;
  std::vector<std::int64_t> sizes;
  if (shape != "scalar") {
    std::istringstream axes(shape);
    while (std::getline(axes, number, 'x')) sizes.push_back(std::stoll(number));
  }
  std::vector<double> values;
  while (in >> number) values.push_back(std::strtod(number.c_str(), nullptr));
  return {kind, Tensor(Shape(std::span<const std::int64_t>(sizes)), values)};
}

// The lines of the file, grouped under their headings ("case add", "sgd 0.9 0").
std::vector<std::pair<std::string, std::vector<Line>>> read_reference() {
  std::ifstream in(std::string(XGRAD_SOURCE_DIR) + "/tests/reference/torch_reference.txt");
  REQUIRE(in);
  std::vector<std::pair<std::string, std::vector<Line>>> groups;
  std::string text;
  while (std::getline(in, text)) {
    if (text[0] == '#') continue;
    if (text.starts_with("case ") || text.starts_with("sgd ")) {
      groups.push_back({text, {}});
    } else {
      groups.back().second.push_back(parse(text));
    }
  }
  return groups;
}

const std::map<std::string, std::function<Variable(const Variables&)>> operations{
    {"add", [](const Variables& x) { return x[0] + x[1]; }},
    {"sub", [](const Variables& x) { return x[0] - x[1]; }},
    {"mul", [](const Variables& x) { return x[0] * x[1]; }},
    {"div", [](const Variables& x) { return x[0] / x[1]; }},
    {"neg", [](const Variables& x) { return -x[0]; }},
    {"pow", [](const Variables& x) { return pow(x[0], x[1]); }},
    {"cube", [](const Variables& x) { return pow(x[0], 3); }},
    {"root", [](const Variables& x) { return pow(x[0], 0.5); }},
    {"square", [](const Variables& x) { return square(x[0]); }},
    {"abs", [](const Variables& x) { return abs(x[0]); }},
    {"maximum", [](const Variables& x) { return maximum(x[0], x[1]); }},
    {"minimum", [](const Variables& x) { return minimum(x[0], x[1]); }},
    {"clip", [](const Variables& x) { return clip(x[0], -1, 1); }},
    {"where",
     [](const Variables& x) {
       return where(tensor({{1, 2, 2, -1}, {3, 3, 3, 0}, {0.5, 0.25, 0.125, 4}}) > 1, x[0], x[1]);
     }},
    {"exp", [](const Variables& x) { return exp(x[0]); }},
    {"expm1", [](const Variables& x) { return expm1(x[0]); }},
    {"log", [](const Variables& x) { return log(x[0]); }},
    {"log1p", [](const Variables& x) { return log1p(x[0]); }},
    {"sqrt", [](const Variables& x) { return sqrt(x[0]); }},
    {"sigmoid", [](const Variables& x) { return sigmoid(x[0]); }},
    {"tanh", [](const Variables& x) { return tanh(x[0]); }},
    {"relu", [](const Variables& x) { return relu(x[0]); }},
    {"leaky_relu", [](const Variables& x) { return leaky_relu(x[0]); }},
    {"softplus", [](const Variables& x) { return softplus(x[0]); }},
    {"erf", [](const Variables& x) { return erf(x[0]); }},
    {"erfc", [](const Variables& x) { return erfc(x[0]); }},
    {"gelu", [](const Variables& x) { return gelu(x[0]); }},
    {"gelu_tanh", [](const Variables& x) { return gelu(x[0], true); }},
    {"layer_norm", [](const Variables& x) { return layer_norm(x[0], x[1], x[2]); }},
    {"layer_norm_eps", [](const Variables& x) { return layer_norm(x[0], x[1], x[2], 0.1); }},
    {"sum_all", [](const Variables& x) { return sum(x[0]); }},
    {"sum_axis",
     [](const Variables& x) {
       return sum(x[0], {0, -1}, true);
     }},
    {"mean_axis", [](const Variables& x) { return mean(x[0], 1); }},
    {"max_axis", [](const Variables& x) { return max(x[0], 1); }},
    {"min_all", [](const Variables& x) { return min(x[0]); }},
    {"logsumexp", [](const Variables& x) { return logsumexp(x[0], 0); }},
    {"softmax", [](const Variables& x) { return softmax(x[0], 0); }},
    {"log_softmax", [](const Variables& x) { return log_softmax(x[0], 1); }},
    {"reshape",
     [](const Variables& x) {
       return reshape(x[0], {2, -1});
     }},
    {"transpose",
     [](const Variables& x) {
       return transpose(x[0], {2, 0, 1});
     }},
    {"concat", [](const Variables& x) { return concat(x, 1); }},
    {"slice",
     [](const Variables& x) {
       return slice(x[0], {{.start = 1}, {.step = 2}});
     }},
    {"matmul", [](const Variables& x) { return matmul(x[0], x[1]); }},
    {"matmul_vector", [](const Variables& x) { return matmul(x[0], x[1]); }},
    {"squared_error", [](const Variables& x) { return squared_error(x[0], x[1]); }},
    {"binary_cross_entropy", [](const Variables& x) { return binary_cross_entropy(x[0], x[1]); }},
    {"binary_cross_entropy_with_logits",
     [](const Variables& x) { return binary_cross_entropy_with_logits(x[0], x[1]); }},
    {"softmax_cross_entropy",
     [](const Variables& x) {
       return softmax_cross_entropy(x[0], tensor({2, 0, 1, 1, 2}, int64));
     }},
};

}  // namespace

TEST_CASE("operations give PyTorch's values and gradients", "[ops][simd]") {
  std::size_t compared = 0;
  for (const auto& [heading, lines] : read_reference()) {
    if (!heading.starts_with("case ")) continue;
    INFO(heading);
    const auto operation = operations.find(heading.substr(5));
    REQUIRE(operation != operations.end());
    Tape tape;
    Variables x;
    std::optional<Variable> y;
    std::optional<Gradients> gradients;
    std::size_t next_gradient = 0;
    for (const Line& line : lines) {
      if (line.kind == "input") x.push_back(tape.watch(line.tensor));
      if (line.kind == "result") {
        y = operation->second(x);
        REQUIRE(y->shape() == line.tensor.shape());
        CHECK(allclose(y->value(), line.tensor, 1e-13, 1e-15));
      }
      if (line.kind == "cotangent") gradients = tape.backward(*y, {.seed = line.tensor});
      if (line.kind == "gradient")
        CHECK(allclose((*gradients)[x[next_gradient++]].value(), line.tensor, 1e-12, 1e-14));
    }
    CHECK(next_gradient == x.size());
    ++compared;
  }
  CHECK(compared == operations.size());
}

TEST_CASE("100 steps of Sgd end where PyTorch's do", "[nn]") {
  int compared = 0;
  for (const auto& [heading, lines] : read_reference()) {
    double momentum, decay;
    if (std::sscanf(heading.c_str(), "sgd %lf %lf", &momentum, &decay) != 2) continue;
    INFO(heading);
    Parameter p("p", lines[0].tensor);
    Sgd sgd({p}, {.learning_rate = 0.05, .momentum = momentum, .weight_decay = decay});
    for (int i = 0; i < 100; ++i) {
      Tape tape;
      sgd.step(tape.backward(sum(squared_error(p, lines[1].tensor))));
    }
    CHECK(allclose(p.value(), lines[2].tensor, 1e-12, 0));
    ++compared;
  }
  CHECK(compared == 4);
}
