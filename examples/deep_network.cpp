// The main job: the L-layer network of the course notes (week 4) on Fashion-MNIST's 60,000 images, in
// mini-batches; then the gradient check of the very model it trained, and its graph.
#include "common.hpp"

using namespace xgrad;

namespace {

struct Settings {
  std::filesystem::path data = fashion_mnist_folder, out = "out/deep_network";
  std::vector<std::int64_t> hidden{256, 128};
  std::int64_t batch = 128, limit = 60000;
  int epochs = 10;
  double rate = 0.1, momentum = 0.9, weight_decay = 1e-4;
  std::uint64_t seed = 1;
};

// Where the examples come from: images with ten classes, or the flower set with two.
struct Data {
  std::int64_t features, classes, train_size, test_size;
  std::function<Tensor(std::span<const std::int64_t>)> train_X, test_X, train_labels, test_labels;
};

Data from_images(std::shared_ptr<const Split> split, std::int64_t limit) {
  const auto columns = [split](const ImageSet& set) {
    return [split, &set](std::span<const std::int64_t> which) { return set.columns(which); };
  };
  const auto labels = [split](const ImageSet& set) {
    return [split, &set](std::span<const std::int64_t> which) { return set.labels(which); };
  };
  return {split->train.pixels(),
          10,
          std::min(limit, split->train.size()),
          std::min(limit, split->test.size()),
          columns(split->train),
          columns(split->test),
          labels(split->train),
          labels(split->test)};
}

Data from_flower(std::uint64_t seed) {
  const auto columns = [](Tensor X) {
    return [X](std::span<const std::int64_t> which) {
      std::vector<Variable> parts;
      for (std::int64_t i : which) parts.push_back(slice(X, 1, {i, i + 1}));
      return concat(parts, 1).value();
    };
  };
  const Flower train = flower(4000, seed), test = flower(1000, seed + 1);
  const auto labels = [columns](const Tensor& Y) {
    return [pick = columns(Y)](std::span<const std::int64_t> which) {
      return pick(which).reshape({-1}).astype(int64);
    };
  };
  return {2, 2, 4000, 1000, columns(train.X), columns(test.X), labels(train.Y), labels(test.Y)};
}

Variable cost(const DeepNetwork& model, const Tensor& X, const Tensor& labels) {
  const Variable logits = model(X);
  const Scope scope("cost");
  return mean(softmax_cross_entropy(logits, labels, 0));
}

void train(const DeepNetwork& model, const Data& data, const Settings& s) {
  Sgd sgd(model.parameters(),
          {.learning_rate = s.rate, .momentum = s.momentum, .weight_decay = s.weight_decay});
  Generator random(s.seed, 1000);
  example::Progress progress;
  const auto start = std::chrono::steady_clock::now();
  const std::int64_t steps = (data.train_size + s.batch - 1) / s.batch;
  std::int64_t images = 0;
  for (int epoch = 0; epoch < s.epochs; ++epoch) {
    sgd.options.learning_rate = s.rate * (s.epochs - epoch) / s.epochs;  // falls in a straight line
    const std::vector<std::int64_t> order = random.permutation(data.train_size);
    double total = 0;
    for (std::int64_t step = 0; step < steps; ++step) {
      const std::int64_t first = step * s.batch, last = std::min(first + s.batch, data.train_size);
      const std::span<const std::int64_t> which(order.data() + first, static_cast<std::size_t>(last - first));
      Tape tape;
      const Variable J = cost(model, data.train_X(which), data.train_labels(which));
      sgd.step(tape.backward(J));
      total += J.item();
      images += last - first;
      const double rate = static_cast<double>(images) / example::seconds_since(start);
      const double left = static_cast<double>(s.epochs * data.train_size - images) / rate;
      char line[160];
      std::snprintf(line, sizeof line,
                    "epoch %2d/%d  step %4lld/%lld  loss %.4f  %8.0f images/s  %3.0f s left", epoch + 1,
                    s.epochs, static_cast<long long>(step + 1), static_cast<long long>(steps),
                    total / static_cast<double>(step + 1), rate, left);
      progress.update(line, step + 1 == steps);
    }
  }
}

double test_accuracy(const DeepNetwork& model, const Data& data) {
  const std::vector<std::int64_t> all = example::first(data.test_size);
  return class_accuracy(model(data.test_X(all)).value(), data.test_labels(all));
}

// The check runs in float64 on a few examples: differences need the digits, not the data.
GradReport check(const DeepNetwork& model, const Data& data) {
  const std::vector<std::int64_t> few = example::first(std::min<std::int64_t>(8, data.train_size));
  const Tensor X = data.train_X(few).astype(float64), labels = data.train_labels(few);
  return gradcheck([&] { return cost(model, X, labels); }, model.parameters());
}

std::filesystem::path draw(const DeepNetwork& model, const Data& data, const std::filesystem::path& out) {
  const std::vector<std::int64_t> batch = example::first(std::min<std::int64_t>(128, data.train_size));
  Tape tape;
  const Variable J = cost(model, data.train_X(batch), data.train_labels(batch));
  render(to_dot(J), out / "graph.dot");
  render(to_dot(J), out / "graph.svg");
  return out / "graph.svg";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The L-layer network of the course notes on Fashion-MNIST, trained, checked and drawn.",
               "deep_network");
  Settings s;
  app.add_option("--data", s.data, "folder with the four IDX files")->capture_default_str();
  app.add_option("--out", s.out, "folder for the graph")->capture_default_str();
  app.add_option("--hidden", s.hidden, "units of each hidden layer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--epochs", s.epochs, "passes over the data")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--batch", s.batch, "examples in a step")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--limit", s.limit, "images at most")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rate", s.rate, "learning rate at first; it falls to 0")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--momentum", s.momentum, "of the steps")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--weight-decay", s.weight_decay, "L2 penalty")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seed", s.seed, "of the weights and the order of the images")->capture_default_str();

  return example::run(app, argc, argv, [&] {
    example::output_folder(s.out);
    auto split = example::fashion_mnist_or_say(s.data);
    const Data data =
        split ? from_images(std::make_shared<const Split>(*std::move(split)), s.limit) : from_flower(s.seed);
    std::vector<std::int64_t> sizes{data.features};
    sizes.insert(sizes.end(), s.hidden.begin(), s.hidden.end());
    sizes.push_back(data.classes);
    const DeepNetwork model(sizes, relu, identity, {.seed = s.seed});
    std::int64_t parameters = 0;
    for (const Parameter& parameter : model.parameters()) parameters += parameter.value().size();
    std::printf("%s\n%lld training and %lld test examples, %zu layers, %lld parameters\n",
                to_string(version_info()).c_str(), static_cast<long long>(data.train_size),
                static_cast<long long>(data.test_size), model.layers(), static_cast<long long>(parameters));
    train(model, data, s);
    const double accuracy = test_accuracy(model, data);
    const GradReport report = check(model, data);
    const std::filesystem::path graph = draw(model, data, s.out);
    if (!report.passed) std::cout << report;
    std::printf("test accuracy: %.4f\ngradient check: %.1e\ngraph: %s\n", accuracy,
                report.relative_difference, graph.c_str());
    if (!report.passed) throw Error("the gradient check failed");
  });
}
