// SPDX-License-Identifier: MIT
#include "engine/config/bounded_file.h"

#include "engine/contract/errors.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr std::size_t mostBytes = 1024 * 1024; // no configuration, password or key is longer
static constexpr Duration longestWait = 10s;

namespace {

class Descriptor final {
public:
    explicit Descriptor(const std::string& path)
        // Whoever opens a FIFO stands still until somebody writes, unless told not to.
        : m_number(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY))
    {
    }
    ~Descriptor()
    {
        if (m_number >= 0)
            close(m_number);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int number() const { return m_number; }

private:
    int m_number;
};

[[noreturn]] void failAs(int error)
{
    throw std::runtime_error(std::string("can't be read: ") + std::strerror(error));
}

void judge(const struct stat& status)
{
    if (S_ISDIR(status.st_mode))
        failAs(EISDIR);
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        throw std::runtime_error("can't be read: it is a device or a socket, not a file");
}

void awaitMore(int descriptor, TimePoint deadline)
{
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd one{.fd = descriptor, .events = POLLIN, .revents = 0};
    const int ready = left.count() > 0 ? poll(&one, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR)
        throw Cancelled("Reading a file was interrupted.");
    if (ready < 0)
        failAs(errno);
    if (ready == 0) {
        throw std::runtime_error("can't be read: it is a pipe, and nobody wrote all of it within "
                                 + std::to_string(longestWait / 1s) + " s");
    }
}

} // namespace

std::string readBoundedFile(const std::string& path)
{
    if (path.find('\0') != std::string::npos)
        failAs(ENOENT);
    // Some devices do something when they are opened: look before.
    struct stat status = {};
    if (stat(path.c_str(), &status) != 0)
        failAs(errno);
    judge(status);
    const Descriptor file(path);
    if (file.number() < 0 || fstat(file.number(), &status) != 0)
        failAs(errno);
    judge(status);
    const TimePoint deadline = std::chrono::steady_clock::now() + longestWait;
    // Of a pipe that nobody has opened to write, the end would be read at once.
    bool waits = S_ISFIFO(status.st_mode);
    std::string content;
    std::array<char, 16 * 1024> piece{};
    for (;;) {
        if (waits)
            awaitMore(file.number(), deadline);
        const ssize_t size = read(file.number(), piece.data(), piece.size());
        if (size == 0)
            return content;
        if (size < 0 && errno != EAGAIN && errno != EINTR)
            failAs(errno);
        waits = waits || size < 0;
        if (size > 0)
            content.append(piece.data(), static_cast<std::size_t>(size));
        if (content.size() > mostBytes)
            throw std::runtime_error("is larger than 1 MiB");
    }
}

} // namespace lockboard
