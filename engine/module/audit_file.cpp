// SPDX-License-Identifier: MIT
#include "engine/module/audit_file.h"

#include "engine/contract/errors.h"

#include <QtGlobal>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr auto patience = 1s;

static std::string saying(int error)
{
    return std::strerror(error);
}

//! Why a file that is there can't be an audit log; empty: it can.
static std::string faultOf(const struct stat& file)
{
    const std::string otherwise = "; name a regular file, or say --no-audit to keep no record";
    if (S_ISLNK(file.st_mode))
        return "it is a symbolic link, which is not followed" + otherwise;
    if (S_ISREG(file.st_mode))
        return {};
    const char* const kind = S_ISDIR(file.st_mode) ? "a directory"
        : S_ISFIFO(file.st_mode)                   ? "a FIFO"
        : S_ISSOCK(file.st_mode)                   ? "a socket"
                                                   : "a device";
    return std::string("it is ") + kind + otherwise;
}

//! What the folders of a file are made as: nobody else's business.
static void makeFoldersOf(const std::string& path)
{
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1))
        ::mkdir(path.substr(0, slash).c_str(),
                0700); // what fails here fails at open, with a reason
}

namespace {

//! A limit of the size of files would end the program by a signal: an error is enough.
class WithoutSizeSignal final {
public:
    WithoutSizeSignal()
    {
        sigemptyset(&m_signal);
        sigaddset(&m_signal, SIGXFSZ);
        pthread_sigmask(SIG_BLOCK, &m_signal, &m_before);
        sigset_t pending;
        sigpending(&pending);
        m_wasPending = sigismember(&pending, SIGXFSZ) == 1;
    }
    ~WithoutSizeSignal()
    {
        const int error = errno;
        const timespec now{};
        if (!m_wasPending)
            sigtimedwait(&m_signal, nullptr, &now);
        pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
        errno = error;
    }
    WithoutSizeSignal(const WithoutSizeSignal&) = delete;
    WithoutSizeSignal& operator=(const WithoutSizeSignal&) = delete;

private:
    sigset_t m_signal{};
    sigset_t m_before{};
    bool m_wasPending = false;
};

} // namespace

//! Keeps other programs that append away. A file system without such locks is used without.
class AuditFile::Lock final {
public:
    explicit Lock(int file)
        : m_file(file)
    {
        const auto until = std::chrono::steady_clock::now() + patience;
        for (auto pause = 1ms; flock(m_file, LOCK_EX | LOCK_NB) != 0;
             pause = std::min(pause * 2, 20ms)) {
            if (errno != EWOULDBLOCK && errno != EINTR) {
                m_file = -1;
                return;
            }
            if (std::chrono::steady_clock::now() > until) {
                m_file = -1;
                m_isTaken = true;
                return;
            }
            std::this_thread::sleep_for(pause);
        }
    }
    ~Lock()
    {
        if (m_file >= 0)
            flock(m_file, LOCK_UN);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    [[nodiscard]] bool isOurs() const { return m_file >= 0; }
    //! Somebody else has it, and keeps it.
    [[nodiscard]] bool isTaken() const { return m_isTaken; }

private:
    int m_file;
    bool m_isTaken = false;
};

AuditFile::AuditFile(std::string path, std::int64_t limit)
    : m_path(std::move(path))
    , m_limit(limit)
{
    makeFoldersOf(m_path);
    if (const auto problem = open()) {
        throw ConfigError(printable(m_path), "", 0, "the audit log can't be written: " + *problem);
    }
}

AuditFile::~AuditFile()
{
    close();
}

void AuditFile::close()
{
    if (m_file >= 0)
        ::close(m_file);
    m_file = -1;
}

//! Opens what lies there, or makes it. Nothing else is opened, not even to find out what it is.
std::optional<std::string> AuditFile::open()
{
    close();
    const char* const path = m_path.c_str();
    constexpr int how = O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    // Others may make or rename it meanwhile; hardly ever twice.
    for (int tries = 0; tries < 10; ++tries) {
        struct stat there { };
        if (lstat(path, &there) != 0) {
            if (errno != ENOENT)
                return saying(errno);
            m_file = ::open(path, how | O_RDWR | O_CREAT | O_EXCL, 0600);
            m_readable = true;
            if (m_file >= 0)
                return {};
            if (errno != EEXIST)
                return saying(errno);
            continue;
        }
        if (const std::string fault = faultOf(there); !fault.empty())
            return fault;
        m_file = ::open(path, how | O_RDWR);
        m_readable = m_file >= 0;
        if (m_file < 0 && errno == EACCES)
            m_file = ::open(path, how | O_WRONLY);
        if (m_file < 0 && errno != ENOENT && errno != ELOOP && errno != ENXIO)
            return saying(errno);
        struct stat opened { };
        if (m_file >= 0 && fstat(m_file, &opened) == 0 && S_ISREG(opened.st_mode))
            return {};
        close();
    }
    return "it changes all the time";
}

//! What is open is what lies there: nobody has renamed or removed it.
bool AuditFile::isCurrent() const
{
    struct stat opened { };
    struct stat there { };
    return m_file >= 0 && fstat(m_file, &opened) == 0 && lstat(m_path.c_str(), &there) == 0
        && opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

std::optional<std::string> AuditFile::append(std::string_view line)
{
    const std::lock_guard guard(m_mutex);
    for (int tries = 0; tries < 10; ++tries) {
        if (!isCurrent()) {
            makeFoldersOf(m_path);
            if (auto problem = open())
                return problem;
        }
        const Lock lock(m_file);
        if (lock.isTaken())
            return "another program keeps it locked";
        if (!isCurrent())
            continue; // it was renamed while we waited
        struct stat now { };
        fstat(m_file, &now);
        const bool isFull =
            now.st_size > 0 && now.st_size + std::int64_t(line.size()) + 1 > m_limit;
        if (isFull && lock.isOurs() && rotate())
            continue;
        return write(line, lock.isOurs());
    }
    return "it changes all the time";
}

std::optional<std::string> AuditFile::write(std::string_view line, bool mayUndo)
{
    struct stat before { };
    fstat(m_file, &before);
    std::string text;
    text.reserve(line.size() + 2);
    // A line that was torn, by a machine that went down say, must not spoil ours.
    char last = '\n';
    if (m_readable && before.st_size > 0
        && (pread(m_file, &last, 1, before.st_size - 1) != 1 || last != '\n'))
        text += '\n';
    text += line;
    text += '\n';
    const WithoutSizeSignal guard;
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count = ::write(m_file, text.data() + done, text.size() - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            const int error = count == 0 ? ENOSPC : errno;
            if (done > 0 && mayUndo && ftruncate(m_file, before.st_size) != 0)
                return saying(error) + ", and a part of a line is left at its end";
            return saying(error);
        }
        done += static_cast<std::size_t>(count);
    }
    return {};
}

//! The oldest goes, the others move on, and an empty one takes the place of the full one, with the
//! same owner and mode. False: it stays as it is, and grows on.
bool AuditFile::rotate()
{
    const std::string fresh = m_path + ".new";
    ::unlink(fresh.c_str()); // what a program that was ended has left
    const int file =
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    const bool done = replaceBy(fresh, file);
    ::close(file);
    if (!done)
        ::unlink(fresh.c_str());
    return done;
}

bool AuditFile::replaceBy(const std::string& fresh, int file)
{
    struct stat full { };
    struct stat made { };
    if (fstat(m_file, &full) != 0 || fstat(file, &made) != 0)
        return false;
    if ((full.st_uid != made.st_uid || full.st_gid != made.st_gid)
        && fchown(file, full.st_uid, full.st_gid) != 0)
        return false;
    if (fchmod(file, full.st_mode & 0777) != 0)
        return false;
    const auto name = [this](int number) { return m_path + '.' + std::to_string(number); };
    for (int number = keptFiles; number > 1; --number) {
        if (rename(name(number - 1).c_str(), name(number).c_str()) != 0 && errno != ENOENT)
            return false;
    }
    // So there is a file by its name at any time, and nobody else makes one in between.
    return link(m_path.c_str(), name(1).c_str()) == 0 && rename(fresh.c_str(), m_path.c_str()) == 0;
}

} // namespace lockboard
