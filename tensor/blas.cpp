#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <complex>
#include <xgrad/tensor/blas.hpp>

// xtensor-blas's interface on pointers. Its configuration must come first: without it the calls below would
// silently take xflens's generic loops instead of the BLAS. It declares cblas itself; the system's <cblas.h>
// must not appear here.
// clang-format off
#include <xtensor-blas/xblas_config.hpp>
#include <xflens/cxxblas/cxxblas.cxx>
// clang-format on
#ifndef HAVE_CBLAS
#error "xtensor-blas is configured without a BLAS"
#endif

extern "C" {
int openblas_get_num_threads(void);
void openblas_set_num_threads(int);
int openblas_get_parallel(void);
}

namespace xgrad::kernel {
namespace {

// OpenBLAS itself takes one thread up to m n k = 262144.
constexpr double alone = 200'000;

// OpenBLAS built on OpenMP asks it for the calling thread's number of threads.
struct OpenMp {
  int (*get)() = nullptr;
  void (*set)(int) = nullptr;
  OpenMp() {
    if (openblas_get_parallel() != 2) return;
    get = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
    set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  }
  bool used() const { return get != nullptr && set != nullptr; }
};

// OpenBLAS built on pthreads has one number for the process: the first product saves it, the last restores it.
class Shared {
 public:
  // fork() waits while a thread is between lock() and unlock(), where OpenBLAS holds a mutex that nobody would
  // open in the child.
  Shared() { pthread_atfork(before_fork, in_parent, in_child); }
  void enter() {
    lock();
    if (users_++ == 0) {
      before_ = openblas_get_num_threads();
      if (before_ != 1) openblas_set_num_threads(1);
    }
    unlock();
  }
  void leave() {
    lock();
    if (--users_ == 0 && before_ != 1) openblas_set_num_threads(before_);
    unlock();
  }

 private:
  void lock() {
    while (taken_.exchange(true, std::memory_order_acquire)) {
    }
  }
  void unlock() { taken_.store(false, std::memory_order_release); }
  static void before_fork();
  static void in_parent();
  static void in_child();

  std::atomic<bool> taken_{false};  // for some nanoseconds
  int users_ = 0, before_ = 1;
};

Shared& shared() {
  static Shared instance;
  return instance;
}

void Shared::before_fork() { shared().lock(); }
void Shared::in_parent() { shared().unlock(); }
// Products of the parent's other threads do not end here.
void Shared::in_child() {
  shared().taken_.store(false);
  shared().users_ = 0;
}

const OpenMp& openmp() {
  static const OpenMp instance;
  return instance;
}

}  // namespace

OneThread::OneThread(bool wanted) : wanted_(wanted) {
  if (!wanted_) return;
  if (openmp().used()) {
    before_ = openmp().get();
    openmp().set(1);
  } else {
    shared().enter();
  }
}

OneThread::~OneThread() {
  if (!wanted_) return;
  if (openmp().used()) {
    openmp().set(before_);
  } else {
    shared().leave();
  }
}

namespace {

template <class T>
void gemm(const GemmShape& s, const T* a, std::int64_t a_row, const T* b, std::int64_t b_row, T* c,
          std::int64_t c_row, bool adds) {
  using cxxblas::NoTrans, cxxblas::Trans, cxxblas::RowMajor;
  const auto flag = [](bool transposed) { return transposed ? Trans : NoTrans; };
  const auto size = [](std::int64_t n) { return static_cast<int>(n); };
  const OneThread scope(static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k) >
                        alone);
  cxxblas::gemm<int>(RowMajor, flag(s.transpose_a), flag(s.transpose_b), size(s.m), size(s.n), size(s.k),
                     T(1), a, size(a_row), b, size(b_row), T(adds ? 1 : 0), c, size(c_row));
}

}  // namespace

void blas_gemm(const GemmShape& shape, const float* a, std::int64_t a_row, const float* b, std::int64_t b_row,
               float* c, std::int64_t c_row, bool adds) {
  gemm(shape, a, a_row, b, b_row, c, c_row, adds);
}
void blas_gemm(const GemmShape& shape, const double* a, std::int64_t a_row, const double* b,
               std::int64_t b_row, double* c, std::int64_t c_row, bool adds) {
  gemm(shape, a, a_row, b, b_row, c, c_row, adds);
}

}  // namespace xgrad::kernel
