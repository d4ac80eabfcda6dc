// Logistic regression as in the course notes, week 2, on two classes of Fashion-MNIST: the cost, the
// gradients by hand beside the tape's, training by gradient descent, and the accuracy.
#include "common.hpp"

using namespace xgrad;

namespace {

struct Data {
  Tensor X, Y;  // (n_x, m), (1, m)
};

// The images of two classes; y = 1 for the second.
Data two_classes(const ImageSet& images, int a, int b, std::int64_t limit) {
  std::vector<std::int64_t> which;
  std::vector<float> y;
  for (std::int64_t i = 0; i < images.size() && static_cast<std::int64_t>(which.size()) < limit; ++i) {
    if (images.label(i) != a && images.label(i) != b) continue;
    which.push_back(i);
    y.push_back(images.label(i) == b ? 1.0f : 0.0f);
  }
  return {images.columns(which), Tensor({1, static_cast<std::int64_t>(y.size())}, y)};
}

Variable cost(const Variable& A, const Tensor& Y) { return mean(binary_cross_entropy(A, Y)); }

// dw = X (A - Y)^T / m and db = sum(A - Y) / m, the formulas of the notes, section 4.3.
void compare_by_hand(const LogisticRegression& model, const Data& data) {
  const auto m = static_cast<double>(data.X.shape()[1]);
  Tape tape;
  const Variable A = model(data.X);
  const Gradients grad = tape.backward(cost(A, data.Y));

  const Tape::Pause pause;
  const Variable dZ = stop_gradient(A) - data.Y;
  const Variable dw = matmul(data.X, dZ, {.b = true}) / m, db = sum(dZ) / m;
  const auto norm = [](const Variable& v) { return sqrt(sum(square(v))).item(); };
  std::printf("                 by hand        tape           relative difference\n");
  std::printf("||dw||      %12.8f  %12.8f  %.1e\n", norm(dw), norm(grad[model.w]),
              norm(dw - grad[model.w]) / norm(dw));
  std::printf("db          %12.8f  %12.8f  %.1e\n", db.item(), grad[model.b].item(),
              std::abs(db.item() - grad[model.b].item()) / std::abs(db.item()));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Logistic regression of the course notes, on two classes of Fashion-MNIST.",
               "logistic_regression");
  std::filesystem::path folder = fashion_mnist_folder;
  std::vector<int> classes{0, 1};
  int iterations = 200;
  std::int64_t limit = 12000;
  double rate = 0.1;
  app.add_option("--data", folder, "folder with the four IDX files")->capture_default_str();
  app.add_option("--classes", classes,
                 "the two classes to tell apart, 0 to 9 (0 T-shirt, 1 trouser, 2 pullover, ...)")
      ->expected(2)
      ->check(CLI::Range(0, 9))
      ->capture_default_str();
  app.add_option("--iterations", iterations, "steps of gradient descent")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--limit", limit, "training examples at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rate", rate, "learning rate")->check(CLI::PositiveNumber)->capture_default_str();

  return example::run(app, argc, argv, [&] {
    if (classes[0] == classes[1]) throw Error("--classes needs two different classes");
    Data train, test;
    if (const auto data = example::fashion_mnist_or_say(folder)) {
      train = two_classes(data->train, classes[0], classes[1], limit);
      test = two_classes(data->test, classes[0], classes[1], limit);
    } else {
      const Flower a = flower(400, 1), b = flower(400, 2);
      train = {a.X, a.Y}, test = {b.X, b.Y};
    }
    std::printf("training examples: X %s, test examples: X %s\n", to_string(train.X.shape()).c_str(),
                to_string(test.X.shape()).c_str());

    LogisticRegression model(train.X.shape()[0]);
    Sgd sgd(model.parameters(), {.learning_rate = rate});
    std::printf("\n%10s  %s\n", "iteration", "cost");
    for (int i = 0; i <= iterations; ++i) {
      Tape tape;
      const Variable J = cost(model(train.X), train.Y);
      if (i % std::max(iterations / 10, 1) == 0) std::printf("%10d  %.6f\n", i, J.item());
      if (i < iterations) sgd.step(tape.backward(J));
    }
    std::printf("\ngradients at the end\n");
    compare_by_hand(model, train);
    std::printf("\ntraining accuracy: %.4f\n", binary_accuracy(model(train.X).value(), train.Y));
    std::printf("test accuracy: %.4f\n", binary_accuracy(model(test.X).value(), test.Y));
  });
}
