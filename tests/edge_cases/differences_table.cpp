#include <limits>
#include <thread>
#include <xgrad/autograd/hooks.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/tensor/threads.hpp>

#include "differences.hpp"

namespace differences {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity(),
                 nan = std::numeric_limits<double>::quiet_NaN();
const std::nullopt_t value = std::nullopt;

// A macro, because the expression is both shown and run.
#define ROW(what, at, torch, torch_gives, why, gives, ...)                      \
  Row {                                                                         \
    what, at, torch, torch_gives, #__VA_ARGS__, gives, why,                     \
        []([[maybe_unused]] const Variable& x) -> Shown { return __VA_ARGS__; } \
  }

bool is_same(const Variable& a, const Tensor& b) { return equal(a.value(), b); }

// clang-format off

std::vector<Row> ties() {
  return {
      ROW("a maximum along an axis, tied", tensor({2, 2}), "x.max(0).values", "[1, 0]",
          "with and without an axis alike; no element is better than its equal", "[0.5, 0.5]", max(x, 0)),
      ROW("max pooling, tied", tensor({2, 2}), "F.max_pool1d(x.reshape(1, 1, 2), 2)", "[1, 0]",
          "as max", "[0.5, 0.5]", max_pool1d(reshape(x, {1, 1, 2}), 2)),
      ROW("a running maximum, tied", tensor({2, 2}), "x.cummax(0).values", "[1, 1]",
          "the first of equals leads until it is beaten", "[2, 0]", cummax(x)),
      ROW("hypot at the origin", tensor({0, 0}), "torch.hypot(x[0], x[1])", "[nan, nan]",
          "it is a norm, whose smallest subgradient is 0", "[0, 0]", hypot(x(0), x(1))),
      ROW("atan2 at the origin", tensor({0, 0}), "torch.atan2(x[0], x[1])", "[0, 0]",
          "an angle has no slope there, from any side", "[nan, nan]", atan2(x(0), x(1))),
      ROW("logsumexp of nothing but -inf", tensor({-inf, -inf}), "x.logsumexp(0)", "[nan, nan]",
          "a row that is masked out whole must not spoil the others", "[0, 0]", logsumexp(x)),
      ROW("its running form", tensor({-inf, -inf}), "x.logcumsumexp(0)", "[nan, nan]",
          "likewise", "[0, 0]", logcumsumexp(x)),
      ROW("logaddexp of -inf and -inf", tensor({-inf, -inf}), "torch.logaddexp(x[0], x[1])", "[nan, nan]",
          "equals share", "[0.5, 0.5]", logaddexp(x(0), x(1))),
      ROW("xlogy(0, y) at y = 0", scalar(0), "torch.xlogy(torch.tensor(0.), x)", "nan",
          "the value is 0 for every y", "0", xlogy(0, x)),
      ROW("xlogy(x, 0) at x = 0", scalar(0), "torch.xlogy(x, torch.tensor(0.))", "0",
          "the slope is log(y), wherever x is", "-inf", xlogy(x, 0)),
      ROW("xlog1py(0, y) at y = -1", scalar(-1), "torch.special.xlog1py(torch.tensor(0.), x)", "nan",
          "as xlogy", "0", xlog1py(0, x)),
      ROW("fmod by 0", scalar(0), "torch.fmod(torch.tensor(1.), x)", "-inf",
          "what has no value has no slope", "nan", fmod(1, x)),
      ROW("remainder by 0", scalar(0), "torch.remainder(torch.tensor(1.), x)", "-inf",
          "likewise", "nan", remainder(1, x)),
      ROW("acosh below 1", scalar(-2), "torch.acosh(x)", "0.57735",
          "likewise", "nan", acosh(x)),
  };
}

std::vector<Row> ends() {
  return {
      ROW("gelu at the ends", tensor({-inf, inf}), "F.gelu(x)", "[nan, nan]",
          "the limit exists", "[0, 1]", gelu(x)),
      ROW("silu at the ends", tensor({-inf, inf}), "F.silu(x)", "[nan, nan]",
          "likewise", "[0, 1]", silu(x)),
      ROW("mish at the ends", tensor({-inf, inf}), "F.mish(x)", "[nan, nan]",
          "likewise", "[0, 1]", mish(x)),
      ROW("gelu(-inf)", value, "F.gelu(torch.tensor(-math.inf))", "nan", "likewise", "0", gelu(scalar(-inf))),
      ROW("silu(-inf)", value, "F.silu(torch.tensor(-math.inf))", "nan", "likewise", "0", silu(scalar(-inf))),
      ROW("mish(-inf)", value, "F.mish(torch.tensor(-math.inf))", "nan", "likewise", "0", mish(scalar(-inf))),
      ROW("a row that is masked out whole", value, "torch.zeros(1, 2).masked_fill(torch.tensor([True, True]), -math.inf).softmax(1)", "[[nan, nan]]",
          "an operation of its own, as softmax of -inf alone is NaN here, too", "[[0, 0]]", masked_softmax(zeros({1, 2}), tensor({0, 0}, bool_))),
      ROW("relu of NaN", scalar(nan), "F.relu(x)", "1",
          "NaN in, NaN out and a NaN slope: a broken number stays visible", "nan", relu(x)),
      ROW("abs of NaN", scalar(nan), "x.abs()", "0", "likewise", "nan", abs(x)),
      ROW("clip of NaN", scalar(nan), "x.clamp(-1, 1)", "0", "likewise", "nan", clip(x, -1, 1)),
      ROW("hardtanh of NaN", scalar(nan), "F.hardtanh(x)", "1", "likewise", "nan", hardtanh(x)),
      ROW("elu of NaN", scalar(nan), "F.elu(x)", "1", "likewise", "nan", elu(x)),
      ROW("selu of NaN", scalar(nan), "F.selu(x)", "1.0507", "likewise", "nan", selu(x)),
      ROW("leaky_relu of NaN", scalar(nan), "F.leaky_relu(x)", "0.01", "likewise", "nan", leaky_relu(x)),
      ROW("hard_sigmoid of NaN", scalar(nan), "F.hardsigmoid(x)", "0", "likewise", "nan", hard_sigmoid(x)),
      ROW("prelu of NaN", scalar(nan), "F.prelu(x, torch.tensor([0.25]))", "0.25", "likewise", "nan", prelu(x, 0.25)),
      ROW("relu6 of NaN", scalar(nan), "F.relu6(x)", "1", "likewise", "nan", relu6(x)),
      ROW("celu of NaN", scalar(nan), "F.celu(x)", "1", "likewise", "nan", celu(x)),
      ROW("sign of NaN", value, "torch.sign(torch.tensor(math.nan))", "0", "likewise", "nan", sign(scalar(nan))),
      ROW("the slope of sign at NaN", scalar(nan), "torch.sign(x)", "0", "likewise", "nan", sign(x)),
      ROW("floor of NaN", scalar(nan), "torch.floor(x)", "0", "likewise; also ceil, round and trunc", "nan", floor(x)),
      ROW("maximum of NaN and a number", scalar(nan), "torch.maximum(x, torch.tensor(0.))", "1", "likewise; also minimum", "nan", maximum(x, 0)),
      ROW("max pooling of NaN", tensor({nan, 1}), "F.max_pool1d(x.reshape(1, 1, 2), 2)", "[1, 0]", "likewise", "[nan, nan]", max_pool1d(reshape(x, {1, 1, 2}), 2)),
      ROW("a norm with NaN, p = 1", tensor({nan, 1}), "torch.linalg.vector_norm(x, 1)", "[0, 1]", "likewise", "[nan, 1]", norm(x, 1)),
      ROW("a norm with NaN, p = inf", tensor({nan, 1}), "torch.linalg.vector_norm(x, math.inf)", "[0, 0]", "likewise", "[nan, nan]", norm(x, inf)),
      ROW("a norm with NaN, p = 0", value, "torch.linalg.vector_norm(torch.tensor([math.nan, 1.]), 0)", "2", "likewise", "nan", norm(tensor({nan, 1}), 0)),
      ROW("a maximum with NaN", tensor({nan, 1}), "x.max()", "[1, 0]", "likewise", "[nan, nan]", max(x)),
      ROW("softsign of infinity", value, "F.softsign(torch.tensor(math.inf))", "nan", "the limit exists", "1", softsign(scalar(inf))),
      ROW("gelu by tanh, far out", scalar(1e20), "F.gelu(x, approximate='tanh')", "nan", "nothing overflows on the way", "1", gelu(x, true)),
      ROW("hypot at infinity", scalar(inf), "torch.hypot(x, torch.tensor(1.))", "nan", "the limit exists", "1", hypot(x, 1)),
      ROW("copysign at infinity", scalar(inf), "torch.copysign(x, torch.tensor(-1.))", "nan", "it is a sign", "-1", copysign(x, -1)),
      ROW("asinh far out", scalar(1e20), "torch.asinh(x)", "0", "x^2 is not squared where it overflows", "1e-20", asinh(x)),
      ROW("atan2 near the origin", scalar(1e-20), "torch.atan2(x, torch.tensor(0.))", "nan", "x^2 + y^2 does not underflow", "0", atan2(x, 0)),
      ROW("norm of large numbers", value, "torch.linalg.vector_norm(torch.tensor([1e30, 1e30]))", "inf", "scaled before it is squared", "1.41421e+30", norm(tensor({1e30, 1e30}))),
      ROW("norm of small numbers", value, "torch.linalg.vector_norm(torch.tensor([1e-30, 1e-30]))", "0", "likewise", "1.41421e-30", norm(tensor({1e-30, 1e-30}))),
      ROW("a product of large numbers", tensor({1e30, 1e30}), "x.prod()", "[inf, inf]", "the slope is the product of the others, not y / x", "[1e+30, 1e+30]", prod(x)),
      ROW("its running form", tensor({1e30, 1e30}), "x.cumprod(0)", "[inf, inf]", "likewise", "[1e+30, 1e+30]", cumprod(x)),
      ROW("a product of infinities", tensor({inf, inf}), "x.prod()", "[nan, nan]", "likewise", "[inf, inf]", prod(x)),
      ROW("layer_norm of large equal numbers", value, "F.layer_norm(torch.tensor([1e30, 1e30]), (2,))", "[nan, nan]", "equal numbers have no spread", "[0, 0]", layer_norm(tensor({1e30, 1e30}), ones({2}), zeros({2}))),
      ROW("a root by pow, at -inf", value, "torch.tensor(-math.inf) ** 0.5", "nan", "C's pow, whatever the exponent; `sqrt` is the other", "inf", pow(scalar(-inf), 0.5)),
      ROW("silu far below 0", value, "F.silu(torch.tensor(-100.))", "0", "every bit of it, down to the smallest float", "-3.72045e-42", silu(scalar(-100))),
      ROW("BCE of a right logit far out", value, "F.binary_cross_entropy_with_logits(torch.tensor(-20.), torch.tensor(0.))", "0", "log1p(e^z), without cancellation", "2.06115e-09", binary_cross_entropy_with_logits(full({1}, -20), zeros({1}))(0)),
      ROW("BCE of an infinite logit on the wrong side", value,
          "F.binary_cross_entropy_with_logits(torch.tensor(-math.inf), torch.tensor(1.))", "nan",
          "a certainty that is wrong costs infinitely much", "inf", binary_cross_entropy_with_logits(full({1}, -inf), ones({1}))(0)),
      ROW("the tail of sigmoid", value, "torch.sigmoid(torch.tensor(-100.))", "0",
          "every bit of it, down to the smallest float", "3.78351e-44", sigmoid(scalar(-100))),
      ROW("log1p of the smallest float", value, "torch.log1p(torch.tensor(1e-45))", "0",
          "no number is flushed to 0", "1.4013e-45", log1p(scalar(1e-45))),
      ROW("softplus beyond 20", value, "F.softplus(torch.tensor(25., dtype=torch.float64)) - 25", "0",
          "one formula, without a threshold", "1.38876e-11", softplus(scalar(25, float64)) - 25),
      ROW("BCE of an infinite logit on the right side", value,
          "F.binary_cross_entropy_with_logits(torch.tensor(math.inf), torch.tensor(1.))", "nan",
          "a certainty that is right costs nothing", "0", binary_cross_entropy_with_logits(full({1}, inf), ones({1}))(0)),
      ROW("the slope of digamma at a pole", scalar(-1), "torch.digamma(x)", "1.29137e+15", "the pole, not what rounding leaves of it", "inf", digamma(x)),
  };
}

std::vector<Row> refusals() {
  return {
      ROW("a loss of (3,) against (3, 1)", value, "F.mse_loss(torch.zeros(3), torch.tensor([[1.], [2.], [3.]]))", "4.66667, and a warning",
          "it broadcasts to (3, 3): a wrong number", "throws ShapeError: squared_error: the prediction (3,) and the target (3, 1) differ in shape; reshape one of them",
          mean(squared_error(zeros({3}), zeros({3, 1})))),
      ROW("float32 with float64", value, "(torch.zeros(2) + torch.zeros(2, dtype=torch.float64)).dtype", "float64",
          "a promotion doubles the memory, and the time, unseen", "throws DTypeError: add: dtypes differ: (2,) is float32, (2,) is float64; convert one with astype(float64)",
          (zeros({2}) + zeros({2}, float64)).dtype()),
      ROW("a float64 of one element", value, "(torch.zeros(2) * torch.tensor(2., dtype=torch.float64)).dtype", "float32",
          "a tensor is a tensor, whatever its shape; only C++ numbers are weak", "throws DTypeError: mul: dtypes differ: (2,) is float32, () is float64; convert one with astype(float64)",
          (zeros({2}) * scalar(2, float64)).dtype()),
      ROW("the label -100", value, "F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, -100]), reduction='none')", "[1.09861, 0]",
          "no label is ignored in silence; leave such rows out, or give them the weight 0", "throws Error: softmax_cross_entropy: label -100 of example 1 is not in [0, 3)",
          softmax_cross_entropy(zeros({2, 3}), tensor({0, -100}, int64))),
      ROW("reversed bounds", value, "torch.tensor([0., 5.]).clamp(2, 1)", "[1, 1]",
          "no number lies between them", "throws Error: clip: the bounds are reversed or NaN: 2.000000 and 1.000000", clip(tensor({0, 5}), 2, 1)),
      ROW("the sample's deviation of one element", value, "torch.tensor([3.]).std()", "nan, and a warning",
          "0 / 0 is found where it is written", "throws ShapeError: std: the correction 1 leaves nothing of 1 element: (1,); one element has no spread",
          xgrad::std(tensor({3}), {}, {.correction = 1})),
      ROW("the gradient of what the result does not depend on", value, "torch.zeros(2, requires_grad=True).grad", "None",
          "a typo should not look like a gradient of 0; `find` and `or_zeros` are for those who mean it", "throws GraphError: Gradients: the result does not depend on parameter w (2,); use find() or or_zeros() if that is meant to be possible",
          [] { Parameter w("w", zeros({2})), v("v", 1.0); Tape tape; return tape.backward(v * 2)[w]; }()),
  };
}

std::vector<Row> matrices() {
  return {
      ROW("det of a singular matrix", tensor({{1, 2}, {2, 4}}), "torch.det(x)", "[[0, 0], [0, 0]]",
          "the cofactors are found without a division", "[[4, -2], [-2, 1]]", det(x)),
      ROW("logdet of a singular matrix", tensor({{1, 2}, {2, 4}}), "torch.logdet(x)", "[[-inf, inf], [inf, -inf]]",
          "the gradient is the inverse, and there is none", "throws Error: logdet: (2, 2) is singular (pivot 2 is 0)", logdet(x)),
      ROW("slogdet of a singular matrix", tensor({{1, 2}, {2, 4}}), "torch.slogdet(x).logabsdet", "[[-inf, inf], [inf, -inf]]",
          "likewise", "throws Error: slogdet: (2, 2) is singular (pivot 2 is 0)", slogdet(x).logabsdet),
      ROW("a norm by singular values, with NaN", value, "torch.linalg.matrix_norm(torch.tensor([[math.nan, 1.]]), 2)", "throws _LinAlgError",
          "NaN in, NaN out: no exception for numbers", "nan", matrix_norm(tensor({{nan, 1}}), 2)),
      ROW("cholesky of a matrix that is not symmetric", value, "torch.linalg.cholesky(torch.tensor([[4., 0.], [2., 5.]]))", "[[2, 0], [1, 2]]",
          "the symmetric part counts, as of a quadratic form; so the gradient is symmetric", "[[2, 0], [0.5, 2.17945]]", cholesky(tensor({{4, 0}, {2, 5}}))),
      ROW("eigh of a matrix that is not symmetric", value, "torch.linalg.eigvalsh(torch.tensor([[1., 8.], [2., 1.]]))", "[-1, 3]",
          "likewise; PyTorch reads the lower triangle", "[-4, 6]", eigh(tensor({{1, 8}, {2, 1}})).values),
  };
}

std::vector<Row> numbers() {
  return {
      ROW("the variance's default", value, "torch.tensor([1., 3.]).var()", "2",
          "NumPy's and the Array API's: of all there is; `.correction = 1` is PyTorch's", "1", var(tensor({1, 3}))),
      ROW("the mean of integers", value, "torch.tensor([1, 2]).mean()", "throws RuntimeError",
          "integers become float32 where the result is none, everywhere", "1.5", mean(tensor({1, 2}, int64))),
      ROW("true + true", value, "torch.tensor([True]) + torch.tensor([True])", "[1]",
          "arithmetic counts; `logical_or` is the other", "[2]", tensor({1}, bool_) + tensor({1}, bool_)),
      ROW("an integer to a negative power", value, "torch.tensor([2]) ** torch.tensor([-1])", "[0]",
          "as division", "[0.5]", pow(tensor({2}, int64), tensor({-1}, int64))),
      ROW("counting", value, "torch.arange(0, 3).dtype", "int64", "floating unless asked for, as all that makes tensors", "float32", arange(0, 3).dtype()),
      ROW("one_hot", value, "F.one_hot(torch.tensor([1]), 3).dtype", "int64", "it is multiplied with what is floating", "float32", one_hot(tensor({1}, int64), 3).dtype()),
  };
}

std::vector<Row> names() {
  return {
      ROW("a maximum along an axis", value, "torch.tensor([[1., 2.]]).max(1)", "[2], [1]",
          "the values; `argmax` has the places", "[2]", max(tensor({{1, 2}}), 1)),
      ROW("softmax without an axis", value, "F.softmax(torch.zeros(1, 1, 2))", "[[[1, 1]]], and a warning",
          "the last axis, whatever the rank", "[[[0.5, 0.5]]]", softmax(zeros({1, 1, 2}))),
      ROW("the axis of the classes", value, "F.cross_entropy(torch.tensor([[[0., 1.], [2., 3.]]]), torch.tensor([[0, 0]]), reduction='none')", "[[2.12693, 2.12693]]",
          "likewise; an argument says which", "[[1.31326, 1.31326]]", softmax_cross_entropy(tensor({{0, 1}, {2, 3}}).reshape({1, 2, 2}), tensor({{0, 0}}, int64))),
      ROW("argmax without an axis", value, "torch.tensor([[1., 2.], [3., 0.]]).argmax()", "2",
          "the last axis: what a classifier asks for", "[1, 0]", argmax(tensor({{1, 2}, {3, 0}}))),
      ROW("take", value, "torch.tensor([[1., 2.], [3., 4.]]).take(torch.tensor([1]))", "[2]",
          "along an axis, the first unless said; of all elements: flatten before", "[[3, 4]]", take(tensor({{1, 2}, {3, 4}}), tensor({1}, int64))),
      ROW("repeat", value, "torch.tensor([1., 2.]).repeat(2)", "[1, 2, 1, 2]",
          "NumPy's names: that is `tile`", "[1, 1, 2, 2]", repeat(tensor({1, 2}), 2)),
      ROW("split", value, "torch.arange(4.).split(1)", "[0], [1], [2], [3]",
          "NumPy's: the number of parts, not their size", "[0, 1, 2, 3]", split(arange(0, 4), 1)),
      ROW("transpose", value, "torch.arange(4.).reshape(2, 2).transpose()", "throws TypeError",
          "NumPy's: all axes reversed; two of them are exchanged by `swapaxes`", "[[0, 2], [1, 3]]", transpose(reshape(arange(0, 4), {2, 2}))),
      ROW("meshgrid", value, "torch.meshgrid(torch.tensor([1., 2.]), torch.tensor([3., 4.]))", "[[1, 1], [2, 2]], [[3, 4], [3, 4]]",
          "NumPy's order of a picture; `Indexing::ij` is the other", "[[1, 2], [1, 2]], [[3, 3], [4, 4]]", meshgrid({tensor({1, 2}), tensor({3, 4})})),
      ROW("normalize", value, "F.normalize(torch.tensor([[[3., 4.]]]))", "[[[1, 1]]]",
          "the last axis, as softmax and the norms of layers", "[[[0.6, 0.8]]]", normalize(reshape(tensor({3, 4}), {1, 1, 2}))),
      ROW("a loss", value, "F.mse_loss(torch.tensor([1., 3.]), torch.zeros(2))", "5",
          "of single elements; `mean` or `sum` is written where it is meant", "[1, 9]", squared_error(tensor({1, 3}), zeros({2}))),
      ROW("cross entropy of no rows", value, "F.cross_entropy(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))", "nan",
          "likewise: there is none", "[]", softmax_cross_entropy(zeros({0, 3}), zeros({0}, int64))),
  };
}

std::vector<Words> design() {
  return {
      {"`a += b`", "changes the tensor, and all that share it", "gives the name a new value; what it named stays",
       "values never change, so no graph can be spoiled",
       [] { Variable a = ones({2}); const Variable old = a; a += 1; return is_same(old, ones({2})) && is_same(a, full({2}, 2)); }},
      {"gradients", "are added to `.grad` until `zero_grad`", "are returned by `backward`",
       "nothing to forget, nothing that two threads share",
       [] { const Parameter w("w", 3.0); Tape tape; const Variable y = w * w; tape.backward(y, {.retain = true}); return tape.backward(y)[w].item() == 6; }},
      {"an update before the backward pass", "an error about versions, or a wrong derivative through `.data`", "the old graph keeps its old values",
       "a parameter is copied when somebody holds its value",
       [] { Parameter w("w", 3.0); Tape tape; const Variable y = w * w; w.set(scalar(10)); return tape.backward(y)[w].item() == 6; }},
      {"what is recorded", "whatever touches `requires_grad`, unless `no_grad`", "what stands below a `Tape`, from a Parameter or a watched input on",
       "inference needs no guard, and no flag falls out of step",
       [] { const Parameter w("w", 3.0); const Variable before = w * w; Tape tape; const Variable y = w * w; return before.is_constant() && !y.is_constant(); }},
      {"a walk that throws", "may have added to some `.grad`", "returns nothing, and with `.retain` leaves the tape as it was",
       "all or nothing",
       [] {
         const Parameter w("w", 3.0);
         bool fails = true;
         Tape tape;
         const Variable y = on_gradient(w * 2, [&](const Variable&) { if (fails) throw Error("no"); }) * w;
         try { tape.backward(y, {.retain = true}); return false; } catch (const Error&) { fails = false; }
         return tape.backward(y)[w].item() == 12;
       }},
      {"a graph of another thread", "may be walked by any thread", "is refused, as a GraphError",
       "a tape needs no locks; Parameters and Tensors are read by all",
       [] {
         const Parameter w("w", 3.0);
         Tape tape;
         const Variable y = w * w;
         bool refused = false;
         std::thread([&] { try { tape.backward(y); } catch (const GraphError&) { refused = true; } }).join();
         return refused && tape.backward(y)[w].item() == 6;
       }},
      {"arguments", "`dim`, `keepdim`", "`axis`, `axes`, `keepdims`",
       "NumPy's and the Array API's names",
       [] { return sum(ones({2, 3}), 1, true).shape() == Shape{2, 1} && sum(ones({2, 3, 4}), {0, -1}).shape() == Shape{3}; }},
      {"random numbers", "from a global generator, unless one is given", "from the `Generator` that is given, by its counter",
       "the same bits with any number of threads, and nothing to seed by accident",
       [] { Generator a(7), b(7); return is_same(normal({5}, a), normal({5}, b)) && a.position() == b.position(); }},
      {"running statistics of batch_norm", "are changed in place", "are results beside y",
       "values never change; a model stores them where it likes",
       [] { return batch_norm(tensor({{1}, {3}}), ones({1}), zeros({1}), zeros({1}), ones({1})).mean.item() > 0; }},
      {"`sort` and `topk` of equals", "in any order, unless `stable`", "the first comes first, in both directions",
       "the same result on every machine",
       [] { return is_same(argsort(tensor({1, 1, 1}), -1, true), tensor({0, 1, 2}, int64)) && is_same(topk(tensor({1, 1, 1}), 2).indices, tensor({0, 1}, int64)); }},
      {"sums with several threads", "may differ in their last digits with the number of threads", "the same bits",
       "the order of additions depends on the shape alone",
       [] {
         const int before = num_threads();
         const Tensor x = div(1, arange(1, 1 << 18)).value();
         set_num_threads(1);
         const Variable one = sum(x);
         set_num_threads(3);
         const bool same = is_same(sum(x), one.value());
         set_num_threads(before);
         return same;
       }},
  };
}

// clang-format on

}  // namespace

const std::vector<Section>& table() {
  static const std::vector<Section> sections{
      {"Slopes where there is none, or more than one", ties(), {}},
      {"Infinities, NaN and the ends of the range", ends(), {}},
      {"Refused, not guessed", refusals(), {}},
      {"Matrices", matrices(), {}},
      {"Numbers and dtypes", numbers(), {}},
      {"Names and defaults", names(), {}},
      {"By design", {}, design()},
  };
  return sections;
}

}  // namespace differences
