// The course's planar "flower" set (week 3): one hidden layer learns what logistic regression cannot. Writes
// the data, the cost and the decision regions as CSV, and draws them as SVG if gnuplot is installed.
#include "common.hpp"

using namespace xgrad;

namespace {

std::string csv(const std::string& header, const std::vector<std::vector<double>>& rows) {
  std::string text = header + "\n";
  char number[32];
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::snprintf(number, sizeof number, "%s%.6g", i == 0 ? "" : ",", row[i]);
      text += number;
    }
    text += '\n';
  }
  return text;
}

std::vector<std::vector<double>> points(const Flower& data) {
  std::vector<std::vector<double>> rows;
  for (std::int64_t i = 0; i < data.X.shape()[1]; ++i) {
    rows.push_back({data.X.at({0, i}), data.X.at({1, i}), data.Y.at({0, i})});
  }
  return rows;
}

// The model's answer on a grid over the plane.
std::vector<std::vector<double>> regions(const DeepNetwork& model, std::int64_t side) {
  std::vector<float> x(static_cast<std::size_t>(2 * side * side));
  const auto at = [&](std::int64_t k) {
    return -6 + 12 * static_cast<double>(k) / static_cast<double>(side - 1);
  };
  for (std::int64_t i = 0; i < side * side; ++i) {
    x[static_cast<std::size_t>(i)] = static_cast<float>(at(i % side));
    x[static_cast<std::size_t>(i + side * side)] = static_cast<float>(at(i / side));
  }
  const Tensor grid({2, side * side}, x);
  const Tensor A = model(grid).value();
  std::vector<std::vector<double>> rows;
  for (std::int64_t i = 0; i < side * side; ++i)
    rows.push_back({grid.at({0, i}), grid.at({1, i}), A.at({0, i})});
  return rows;
}

// Runs gnuplot on a script inside the folder; false if it is not there or fails.
bool gnuplot(const std::filesystem::path& folder, const std::string& script) {
  if (std::system("command -v gnuplot >/dev/null 2>&1") != 0) return false;
  example::write_file(folder / "plot.gp", script);
  const auto home = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  const bool drawn = std::system("gnuplot plot.gp >plot.log 2>&1") == 0;
  if (drawn) std::filesystem::remove("plot.log");
  std::filesystem::current_path(home);
  return drawn;
}

constexpr const char* plots = R"(set datafile separator ','
set terminal svg size 640,560 font 'sans,13' background 'white'
set output 'boundary.svg'
set title 'What the network decides'
set xlabel 'x_1'; set ylabel 'x_2'
set xrange [-6:6]; set yrange [-6:6]; set cbrange [0:1]
set palette defined (0 '#f4a582', 0.5 '#f7f7f7', 1 '#92c5de')
set cblabel 'P(y = 1)'
plot 'regions.csv' skip 1 using 1:2:3 with image notitle, \
     'points.csv' skip 1 using 1:($3 < 0.5 ? $2 : NaN) with points pt 7 ps 0.5 lc rgb '#b2182b' title 'y = 0', \
     'points.csv' skip 1 using 1:($3 > 0.5 ? $2 : NaN) with points pt 7 ps 0.5 lc rgb '#2166ac' title 'y = 1'
set output 'cost.svg'
set title 'Cost'
set xlabel 'iteration'; set ylabel 'J'
set autoscale; set grid
plot 'cost.csv' skip 1 using 1:2 with lines lw 2 lc rgb '#2166ac' notitle
)";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One hidden layer on the course's planar flower set.", "flower");
  std::filesystem::path out = "out/flower";
  std::int64_t m = 400, hidden = 4;
  int iterations = 10000;
  double rate = 1.2;
  std::uint64_t seed = 3;
  app.add_option("--out", out, "folder for the CSV and SVG files")->capture_default_str();
  app.add_option("--points", m, "points in all")->check(CLI::Range(2, 1000000))->capture_default_str();
  app.add_option("--hidden", hidden, "units of the hidden layer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--iterations", iterations, "steps of gradient descent")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rate", rate, "learning rate")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed, "of the data and the first weights")->capture_default_str();

  return example::run(app, argc, argv, [&] {
    example::output_folder(out);
    const Flower data = flower(m, seed);
    // The course's network: tanh in the hidden layer, weights of 0.01 randn at first.
    DeepNetwork model({2, hidden, 1}, tanh, sigmoid, {.init = small_normal_init, .seed = seed});
    Sgd sgd(model.parameters(), {.learning_rate = rate});
    std::vector<std::vector<double>> costs;
    for (int i = 0; i <= iterations; ++i) {
      Tape tape;
      const Variable J = mean(binary_cross_entropy(model(data.X), data.Y));
      if (i % std::max(iterations / 200, 1) == 0) costs.push_back({static_cast<double>(i), J.item()});
      if (i % std::max(iterations / 10, 1) == 0) std::printf("iteration %6d  cost %.6f\n", i, J.item());
      if (i < iterations) sgd.step(tape.backward(J));
    }
    std::printf("accuracy: %.4f\n", binary_accuracy(model(data.X).value(), data.Y));
    example::write_file(out / "points.csv", csv("x1,x2,y", points(data)));
    example::write_file(out / "cost.csv", csv("iteration,cost", costs));
    example::write_file(out / "regions.csv", csv("x1,x2,probability", regions(model, 121)));
    if (gnuplot(out, plots)) {
      std::printf("drawn: %s, %s\n", (out / "boundary.svg").c_str(), (out / "cost.svg").c_str());
    } else {
      std::printf("gnuplot is not installed or failed, so nothing is drawn; the data are in %s\n",
                  out.c_str());
    }
  });
}
