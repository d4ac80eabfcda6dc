// The examples of docs/threads.md.
#include <iostream>
#include <thread>
#include <vector>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

int main() {
  {
    // [number]
    set_num_threads(2);  // from the next operation on, the calling thread included
    std::cout << num_threads() << " threads\n";
    try {
      set_num_threads(0);
    } catch (const Error& error) {
      std::cout << error.what() << "\n";
    }
    // [/number]
  }
  {
    // [bits]
    Generator random(1);
    const Tensor x = normal({1000, 1000}, random);
    const auto f = [&] { return sum(softmax(x, 1) * tanh(x)).value(); };
    set_num_threads(1);
    const Tensor by_one = f();
    set_num_threads(3);
    std::cout << (equal(f(), by_one) ? "the same bits\n" : "not the same bits\n");
    // [/bits]
  }
  {
    // [data]
    Generator random(2);
    const Tensor X = normal({64, 5}, random, 0, 1, float64), Y = normal({64}, random, 0, 1, float64);
    const Parameter w("w", zeros({5}, float64));
    const auto loss = [&](const Variable& x, const Variable& y) {
      return sum(squared_error(matmul(x, w), y)) / 64;
    };

    std::vector<Gradients> parts(4);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const Range quarter{16 * i, 16 * (i + 1)};
        Tape tape;  // this thread's own; w is read by all of them
        parts[i] = tape.backward(loss(slice(X, 0, quarter), slice(Y, 0, quarter)));
      });
    }
    for (std::thread& thread : threads) thread.join();
    Gradients total;
    for (const Gradients& part : parts) total += part;  // in this order, whoever was first

    Tape tape;
    const Gradients whole = tape.backward(loss(X, Y));
    const double difference = max(abs(total[w] - whole[w])).item();
    std::cout << (difference < 1e-12 ? "the gradient of the whole batch\n" : "another gradient\n");
    // [/data]
  }
  {
    // [elsewhere]
    const Parameter w("w", 2.0);
    Tape tape;
    const Variable y = w * w;
    std::thread([&] {
      try {
        tape.backward(y);
      } catch (const GraphError& error) {
        std::cout << error.what() << "\n";
      }
    }).join();
    // [/elsewhere]
  }
}
