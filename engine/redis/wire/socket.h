// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/wire/settings.h"

#include <QObject>

class QAbstractSocket;
class QLocalSocket;
class QIODevice;

namespace lockboard::redis {

//! A stream to a server, whatever its kind: TCP, TLS or a Unix socket. Once only: a new
//! attempt takes a new socket.
class Socket final : public QObject {
    Q_OBJECT

public:
    //! Starts to connect at once.
    explicit Socket(const Endpoint& endpoint);
    ~Socket() override;

    //! Hands it to the operating system as far as that takes it, the rest later by itself.
    void write(const char* data, qint64 size);
    //! Up to `size` bytes; 0: none there.
    qint64 read(char* data, qint64 size);
    //! Connected, and in the midst of the TLS handshake.
    [[nodiscard]] bool isEncrypting() const;

Q_SIGNALS:
    void opened();
    void readyRead();
    //! Could not be opened, or is lost: a phrase such as "Connection refused".
    void failed(const QString& why);

private:
    void openStream(const Endpoint& endpoint);
    void openLocal(const Endpoint& endpoint);

    QAbstractSocket* m_stream = nullptr; // one of the two
    QLocalSocket* m_local = nullptr;
    QIODevice* m_device = nullptr;
    bool m_quiet = true; // nothing was read yet
};

} // namespace lockboard::redis
