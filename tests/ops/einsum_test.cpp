// einsum's parser, its order of contraction, its gradients; tensordot and dot. Values: linalg_test.cpp, by
// NumPy.
#include <algorithm>
#include <map>
#include <random>
#include <xgrad/ops/ops.hpp>

#include "push.hpp"

using namespace checks;

namespace {

using X = const Variables&;

Tensor counting(const Shape& shape) {
  Doubles values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i * 5) % 7) - 3;
  return Tensor(shape, values);
}

// The sum as it is defined: a loop over all labels. No dots, no spaces.
Doubles by_loops(const std::string& formula, const std::vector<Tensor>& operands) {
  const std::string left = formula.substr(0, formula.find("->")),
                    right = formula.substr(formula.find("->") + 2);
  std::vector<std::string> terms(1);
  for (char c : left) {
    if (c == ',') {
      terms.emplace_back();
    } else {
      terms.back() += c;
    }
  }
  std::string order = right;  // the result's labels outermost
  std::map<char, std::int64_t> size, index;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    for (std::size_t k = 0; k < terms[i].size(); ++k) {
      size[terms[i][k]] = operands[i].shape()[static_cast<int>(k)];
      if (order.find(terms[i][k]) == std::string::npos) order += terms[i][k];
    }
  }
  std::int64_t total = 1, results = 1;
  for (char c : order) total *= size[c];
  for (char c : right) results *= size[c];
  Doubles sums(static_cast<std::size_t>(results), 0);
  for (std::int64_t step = 0; step < total; ++step) {
    std::int64_t rest = step;
    for (std::size_t k = order.size(); k-- > 0; rest /= size[order[k]])
      index[order[k]] = rest % size[order[k]];
    double product = 1;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      std::int64_t place = 0;
      for (char c : terms[i]) place = place * size[c] + index[c];
      product *= doubles(operands[i])[static_cast<std::size_t>(place)];
    }
    sums[static_cast<std::size_t>(step / (total / results))] += product;
  }
  return sums;
}

// Operands for a formula whose labels have the sizes 2, 3, 4, 2, 3, ... by their place in the alphabet.
std::vector<Tensor> operands_for(const std::string& formula) {
  std::vector<Tensor> operands;
  std::vector<std::int64_t> sizes;
  for (char c : formula.substr(0, formula.find("->")) + ",") {
    if (c == ',') {
      operands.push_back(counting(Shape(std::span<const std::int64_t>(sizes))));
      sizes.clear();
    } else {
      sizes.push_back(2 + (c - 'a') % 3);
    }
  }
  return operands;
}

std::vector<std::string> operations(const Tape& tape) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < tape.size(); ++i) all.emplace_back(tape.node(i).op);
  return all;
}

}  // namespace

TEST_CASE("einsum: against loops", "[ops]") {
  for (const char* formula :
       {"a->a",           "ab->ba",       "aa->a",         "aa->",        "aba->b",      "abab->ab",
        "aaa->a",         "abc->",        "abc->b",        "a,a->",       "a,b->ab",     "a,b->ba",
        "ab,bc->ac",      "ab,bc->ca",    "ba,bc->ac",     "ba,cb->ac",   "ab,cb->ca",   "ab,ab->",
        "ab,ab->a",       "ab,ab->ab",    "ab,ba->b",      "ab,b->ab",    "ab,c->acb",   "abc,acd->abd",
        "bac,dac->bda",   "cab,cad->cbd", "abc,bcd->ad",   "abc,cbd->da", "abcd,bd->ac", "aab,b->a",
        "ab,bb->a",       "ab,bc,cd->ad", "ab,ac,ad->bcd", "ab,bc,ca->",  "a,ab,b->",    "ab,cd,ef->fac",
        "abc,bd,cd,e->ae"}) {
    INFO(formula);
    const std::vector<Tensor> operands = operands_for(formula);
    const Variable y = einsum(formula, Variables(operands.begin(), operands.end()));
    CHECK(doubles(y) == by_loops(formula, operands));
    const GradReport report =
        gradcheck([&](X x) { return einsum(formula, x) * einsum(formula, x); }, operands, {.order = 2});
    INFO(to_string(report));
    CHECK(report.passed);
  }
}

TEST_CASE("einsum: random formulas against loops", "[ops]") {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    std::string formula, labels;
    const std::size_t terms = 1 + random() % 4;
    for (std::size_t i = 0; i < terms; ++i) {
      if (i > 0) formula += ',';
      for (std::size_t k = random() % 4; k > 0; --k) {
        const char label = static_cast<char>('a' + random() % 5);
        formula += label;
        if (labels.find(label) == std::string::npos) labels += label;
      }
    }
    std::shuffle(labels.begin(), labels.end(), random);
    formula += "->" + labels.substr(0, random() % (labels.size() + 1));
    INFO(formula);
    const std::vector<Tensor> operands = operands_for(formula);
    const Variables x(operands.begin(), operands.end());
    const Variable y = einsum(formula, x);
    CHECK(doubles(y) == by_loops(formula, operands));
    check_push([&](X v) { return einsum(formula, v); }, operands, 1e-9);
  }
}

TEST_CASE("einsum: without an arrow, with spaces and dots", "[ops]") {
  const Tensor a = counting({2, 3}), b = counting({3, 4}), c = counting({5, 1, 2, 3});
  CHECK(equal(einsum("ij,jk", {a, b}).value(), einsum("ij,jk->ik", {a, b}).value()));
  CHECK(equal(einsum("ba", {a}).value(), transpose(a).value()));
  CHECK(equal(einsum("aB", {a}).value(), transpose(a).value()));  // capitals come first
  CHECK(equal(einsum(" i j , j k -> i k ", {a, b}).value(), matmul(a, b).value()));
  CHECK(equal(einsum("...", {c}).value(), c));
  CHECK(equal(einsum("...ij->...ji", {a}).value(), transpose(a).value()));  // dots for nothing
  CHECK(equal(einsum("...j,jk", {c, b}).value(), matmul(c, b).value()));
  CHECK(equal(einsum("i...->...i", {a}).value(), transpose(a).value()));
  CHECK(einsum("...i,...j->...ij", {counting({4, 1, 2}), counting({3, 2})}).shape() == Shape{4, 3, 2, 2});
  CHECK(einsum("...,...", {counting({4, 1}), counting({3})}).shape() == Shape{4, 3});
  CHECK(einsum(",", {scalar(3), scalar(4)}).item() == 12);
  CHECK(einsum("", {scalar(3)}).item() == 3);
  CHECK(einsum("ij->", {zeros({0, 3})}).item() == 0);
  CHECK(doubles(einsum("ij,jk->ik", {zeros({2, 0}), zeros({0, 2})})) == Doubles(4, 0));
  CHECK(einsum("i,i->", {counting({3}), 2 * ones({3}, float64)}).dtype() == float64);
  const Parameter p("p", ones({3}));
  CHECK(einsum("i,i", {p, p}).item() == 3);
}

TEST_CASE("einsum: products take transposed factors as they are", "[ops]") {
  for (const char* formula : {"ab,bc->ac", "ba,bc->ac", "ab,cb->ac", "ba,cb->ac", "ab,bc->ca", "abc,acd->abd",
                              "abc,adc->abd", "acb,acd->abd", "abc,bcd->ad"}) {
    INFO(formula);
    Tape tape;
    Variables x;
    for (const Tensor& operand : operands_for(formula)) x.push_back(tape.watch(operand));
    einsum(formula, x);
    const std::vector<std::string> ops = operations(tape);
    CHECK(std::count(ops.begin(), ops.end(), "matmul") == 1);
    CHECK(std::count(ops.begin(), ops.end(), "transpose") == 0);
  }
}

TEST_CASE("einsum: the cheap pair comes first", "[ops]") {
  Tape tape;
  const Variable a = tape.watch(ones({50, 50})), b = tape.watch(ones({50, 50})), v = tape.watch(ones({50}));
  einsum("ij,jk,k->i", {a, b, v});
  for (std::size_t i = 3; i < tape.size(); ++i) CHECK(tape.node(i).shape.size() == 50);
  CHECK(einsum("a,b,c,d,a,b,c,d->", Variables(8, ones({30}, float64))).item() == 810'000);
}

TEST_CASE("einsum: what is summed in one operand alone is summed before the product", "[ops]") {
  Tape tape;
  const Variable a = tape.watch(ones({4, 5})), b = tape.watch(ones({6, 7}));
  CHECK(einsum("ij,kl->", {a, b}).item() == 840);
  for (std::size_t i = 2; i < tape.size(); ++i) CHECK(tape.node(i).shape.size() == 1);
}

TEST_CASE("einsum: errors point at the place", "[ops]") {
  const Tensor a = zeros({2, 3}), b = zeros({4, 5});
  const auto starts = [](const std::string& text, const std::string& start) {
    INFO(text);
    CHECK(text.rfind("einsum: " + start, 0) == 0);
    CHECK(text.find("(at einsum_test.cpp:") != std::string::npos);
  };
  starts(message([&] { einsum("ij,j3", {a, b}); }), "\"ij,j3\": '3', which is no label, at position 4");
  starts(message([&] { einsum("ij->ik", {a}); }), "\"ij->ik\": label k is in no operand, at position 5");
  starts(message([&] { einsum("ij->ii", {a}); }),
         "\"ij->ii\": label i stands twice in the result, at position 5");
  starts(message([&] { einsum("ij->i->j", {a}); }), "\"ij->i->j\": a second \"->\" at position 5");
  starts(message([&] { einsum("ij->i,j", {a}); }), "\"ij->i,j\": a second result at position 5");
  starts(message([&] { einsum("ij-i", {a}); }), "\"ij-i\": \"-\" without \">\" at position 2");
  starts(message([&] { einsum("i..", {a}); }), "\"i..\": dots that are not three at position 1");
  starts(message([&] { einsum("...i...", {a}); }), "\"...i...\": a second \"...\" at position 4");
  starts(message([&] { einsum("ij,jk", {a}); }), "\"ij,jk\" names 2 operands, there are 1");
  starts(message([&] { einsum("", {}); }), "\"\" names 1 operands, there are 0");
  starts(message<ShapeError>([&] { einsum("ijk", {a}); }),
         "operand 0, (2, 3), has 2 axes, the formula names 3");
  starts(message<ShapeError>([&] {
           einsum("ij,...jkl->i", {a, b});
         }),
         "operand 1, (4, 5), has 2 axes, the formula names 3");
  starts(message<ShapeError>([&] {
           einsum("ij,jk", {a, b});
         }),
         "label j is 3 in operand 0, (2, 3), and 4 in operand 1, (4, 5)");
  starts(message<ShapeError>([&] { einsum("ii", {a}); }),
         "label i is 2 in operand 0, (2, 3), and 3 in operand 0, (2, 3)");
  starts(message<ShapeError>([&] {
           einsum("i,i", {zeros({1}), zeros({3})});
         }),
         "label i is 1 in operand 0, (1,), and 3 in operand 1, (3,)");
  starts(message<ShapeError>([&] {
           einsum("...,...", {a, b});
         }),
         "an axis of \"...\" is 2 in operand 0, (2, 3), and 4 in operand 1, (4, 5)");
  starts(message<ShapeError>([&] { einsum("...j->j", {a}); }),
         "the result has no \"...\" for 1 axes of the operands");
  starts(message<DTypeError>([&] {
           einsum("ij,ij", {a, zeros({2, 3}, float64)});
         }),
         "dtypes differ: (2, 3) is float32, (2, 3) is float64");
  Tape tape;
  const Variable x = tape.watch(zeros({3, 3}));
  CHECK_THROWS_AS(einsum("ii,jkl", {x, x}), ShapeError);
  CHECK(tape.size() == 1);
}

TEST_CASE("einsum: no formula makes it do anything but answer or throw an Error", "[ops]") {
  std::mt19937 random(3);
  const char alphabet[] = "aabbcc,,->. .";
  int answers = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string formula;
    for (std::size_t i = random() % 9; i > 0; --i) formula += alphabet[random() % (sizeof alphabet - 1)];
    try {
      einsum(formula, {ones({2, 2}), ones({2, 2})});
      ++answers;
    } catch (const Error&) {
    }
  }
  CHECK(answers > 10);
}

TEST_CASE("einsum: forward mode is the transpose of the reverse pass", "[ops]") {
  check_push([](X x) { return einsum("bij,bjk,k->ib", x); },
             {counting({2, 3, 4}), counting({2, 4, 5}), counting({5})});
  check_push(
      [](X x) {
        return tensordot(x[0], x[1], {0, 2}, {2, 0});
      },
      {counting({2, 3, 4}), counting({4, 3, 2})});
}

TEST_CASE("tensordot: pairs of axes", "[ops]") {
  const Tensor a = counting({2, 3, 4}), b = counting({4, 3, 5});
  CHECK(equal(tensordot(a, b, 1).value(), einsum("abc,cde->abde", {a, b}).value()));
  CHECK(equal(tensordot(a, b, {1, 2}, {1, 0}).value(), einsum("abc,cbe->ae", {a, b}).value()));
  CHECK(equal(tensordot(a, b, {-2}, {-2}).value(), einsum("abc,dbe->acde", {a, b}).value()));
  CHECK(tensordot(a, b, 0).shape() == Shape{2, 3, 4, 4, 3, 5});
  CHECK(tensordot(a, counting({3, 4})).shape() == Shape{2});
  CHECK(tensordot(ones({2}, int64), ones({2}, bool_), 1).dtype() == int64);
  const auto starts = [](const std::string& text, const std::string& start) {
    INFO(text);
    CHECK(text.rfind("tensordot: " + start + " (at einsum_test.cpp:", 0) == 0);
  };
  starts(message<ShapeError>([&] { tensordot(a, b); }),
         "axis 1 of (2, 3, 4) and axis 0 of (4, 3, 5) differ in size");
  starts(message<ShapeError>([&] { tensordot(a, b, 4); }),
         "there are no 4 axes in both of (2, 3, 4) and (4, 3, 5)");
  starts(message<ShapeError>([&] { tensordot(a, b, -1); }),
         "there are no -1 axes in both of (2, 3, 4) and (4, 3, 5)");
  starts(message<ShapeError>([&] {
           tensordot(a, b, {0, 0}, {1, 2});
         }),
         "an axis is named twice: (2, 3, 4) and (4, 3, 5)");
  starts(message<ShapeError>([&] {
           tensordot(a, b, {0}, {1, 2});
         }),
         "1 axes of (2, 3, 4) and 2 of (4, 3, 5) make no pairs");
  starts(message<ShapeError>([&] { tensordot(a, b, {3}, {1}); }),
         "axis 3 is out of range for (2, 3, 4), which has 3 axes");
}

TEST_CASE("dot: vectors, matrices, numbers", "[ops]") {
  const Tensor v = counting({3}), m = counting({2, 3});
  CHECK(dot(v, v).shape() == Shape{});
  CHECK(dot(v, v).item() == Approx(13));
  CHECK(equal(dot(m, v).value(), matmul(m, v).value()));
  CHECK(equal(dot(m, transpose(m)).value(), matmul(m, m, {.b = true}).value()));
  CHECK(equal(dot(m, 2).value(), (m * 2).value()));
  CHECK(equal(dot(2, m).value(), (m * 2).value()));
  CHECK(dot(m, counting({4, 3, 5})).shape() == Shape{2, 4, 5});
  CHECK(dot(ones({2}, bool_), ones({2}, bool_)).item() == 2);
  CHECK(message<ShapeError>([&] {
          dot(m, m);
        }).rfind("dot: axis 1 of (2, 3) and axis 0 of (2, 3) differ in size (at", 0) == 0);
}
