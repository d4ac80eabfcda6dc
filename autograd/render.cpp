#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>
#include <xgrad/autograd/draw.hpp>

namespace xgrad {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t complaint_bytes = 2000;
constexpr int complaint_lines = 3;

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void cannot(const std::string& what, int error) {
  throw IoError("render: cannot " + what + ": " + reason(error));
}

// An open file, closed on exec and never 0, 1 or 2: the child's standard streams are made from these by dup2.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {
    if (fd_ > 2 || fd_ < 0) return;
    fd_ = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    const int error = errno;
    ::close(fd);
    errno = error;
  }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() { close(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// What the system says at last: a full disk may be reported only here.
  bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_ = -1;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// A file beside `path` that takes its place in the end, or disappears.
class Replacement {
 public:
  explicit Replacement(const fs::path& path) : path_(path) {
    static std::atomic<unsigned> last{0};
    do {
      name_ = path.parent_path() / (".xgrad-" + std::to_string(getpid()) + "-" + std::to_string(++last));
      file_ = File(open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    } while (!file_ && errno == EEXIST);
    if (!file_) fail(errno);
  }
  ~Replacement() {
    if (!done_) unlink(name_.c_str());
  }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  int fd() const { return file_.get(); }
  bool is_empty() const {
    struct stat status {};
    return fstat(fd(), &status) == 0 && status.st_size == 0;
  }
  [[noreturn]] void fail(int error) const { cannot("write " + path_.string(), error); }
  void take_place() {
    if (!file_.close() || rename(name_.c_str(), path_.c_str()) != 0) fail(errno);
    done_ = true;
  }

 private:
  fs::path path_, name_;
  File file_;
  bool done_ = false;
};

// Graphviz, in a process group of its own that does not outlive this object.
class Child {
 public:
  Child(const std::string& program, std::vector<std::string> arguments, int in, int out) : program_(program) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) cannot("run " + program, errno);
    errors_ = File(ends[0]);
    const File write_end(ends[1]);
    if (!errors_ || !write_end) cannot("run " + program, errno);
    fcntl(errors_.get(), F_SETFL, O_NONBLOCK);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), 2);
    // The child starts with the signals as a shell would give them, whatever this program made of its own.
    sigset_t every, blocked;
    sigfillset(&every);
    sigemptyset(&blocked);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigdefault(&attributes, &every);
    posix_spawnattr_setsigmask(&attributes, &blocked);

    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int error = posix_spawnp(&pid_, program.c_str(), &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0) return;
    pid_ = 0;
    if (error != ENOENT) cannot("run " + program, error);
    throw IoError(
        "render: the program " + program +
        " is missing; install Graphviz (apt-get install graphviz), or give a path that ends in .dot "
        "to write the text itself");
  }
  ~Child() {
    if (pid_ <= 0) return;
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Throws IoError unless it ends well and in time.
  void wait(milliseconds timeout) {
    // Its end closes the pipe, which ends poll; asked again soon in case another process holds the pipe open.
    constexpr milliseconds longest_nap{50};
    const auto deadline =
        Clock::now() + std::clamp<milliseconds>(timeout, milliseconds{0}, std::chrono::hours{24});
    bool open = true;
    for (milliseconds nap{1};; nap = std::min(2 * nap, longest_nap)) {
      int status = 0;
      const pid_t ended = waitpid(pid_, &status, WNOHANG);
      if (ended > 0 || (ended < 0 && errno == ECHILD)) {  // ECHILD: the program ignores SIGCHLD
        pid_ = 0;
        read_errors();
        return judge(status);
      }
      const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
      if (left <= milliseconds{0}) too_slow(timeout);
      pollfd watched{errors_.get(), POLLIN, 0};
      poll(&watched, open ? 1 : 0, static_cast<int>(std::min(left, open ? longest_nap : nap).count()));
      if (open && watched.revents != 0) {
        open = read_errors();
        nap = milliseconds{1};
      }
    }
  }

 private:
  // Takes what stands in the pipe now; false at its end.
  bool read_errors() {
    char buffer[4096];
    for (int i = 0; i < 16; ++i) {  // one that never stops writing must not keep us from looking at the clock
      const ssize_t n = read(errors_.get(), buffer, sizeof(buffer));
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
      if (n < 0) return true;
      const std::size_t room = complaint_bytes - complaint_.size();
      complaint_.append(buffer, std::min(room, static_cast<std::size_t>(n)));
    }
    return true;
  }

  std::string first_lines() const {
    std::size_t end = 0;
    for (int i = 0; i < complaint_lines && end < complaint_.size(); ++i) {
      end = std::min(complaint_.find('\n', end), complaint_.size() - 1) + 1;
    }
    std::string text = complaint_.substr(0, end);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.empty() ? "" : ": " + text;
  }

  void judge(int status) const {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    const std::string how = WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                                              : "signal " + std::to_string(WTERMSIG(status));
    throw IoError("render: " + program_ + " failed (" + how + ")" + first_lines());
  }

  [[noreturn]] void too_slow(milliseconds timeout) const {
    const auto ms = timeout.count();
    const std::string limit = ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
    throw IoError("render: " + program_ + " did not finish within " + limit +
                  "; draw less with DrawOptions::collapse_depth or max_nodes, or give it more time with "
                  "RenderOptions::timeout");
  }

  std::string program_;
  pid_t pid_ = 0;
  File errors_;
  std::string complaint_;
};

}  // namespace

void render(const std::string& dot, const fs::path& path, const RenderOptions& options) {
  std::string format = path.extension().string();
  std::transform(format.begin(), format.end(), format.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (format != ".svg" && format != ".png" && format != ".pdf" && format != ".dot") {
    throw Error("render: " + path.string() + " must end in .svg, .png, .pdf or .dot");
  }
  Replacement file(path);
  if (format == ".dot") {
    if (!write_all(file.fd(), dot)) file.fail(errno);
    return file.take_place();
  }
  // A file instead of a pipe: nobody waits for anybody, and there is no SIGPIPE.
  const File text(memfd_create("xgrad-dot", MFD_CLOEXEC));
  if (!text || !write_all(text.get(), dot) || lseek(text.get(), 0, SEEK_SET) != 0) {
    cannot("pass the diagram to " + options.program, errno);
  }
  std::vector<std::string> arguments{options.program, "-T" + format.substr(1)};
  if (format == ".png") arguments.push_back("-Gdpi=144");
  Child(options.program, std::move(arguments), text.get(), file.fd()).wait(options.timeout);
  if (file.is_empty()) throw IoError("render: " + options.program + " wrote nothing");
  file.take_place();
}

void render(const Tape& tape, const fs::path& path, const DrawOptions& draw, const RenderOptions& options) {
  render(to_dot(tape, draw), path, options);
}

void render(const Variable& result, const fs::path& path, const DrawOptions& draw,
            const RenderOptions& options) {
  render(to_dot(result, draw), path, options);
}

}  // namespace xgrad
