// SPDX-License-Identifier: MIT
#include "engine/redis/wire/socket.h"

#include "engine/redis/wire/tls.h"

#include <QLocalSocket>
#include <QNetworkProxy>
#include <QSslSocket>
#include <QTimer>

namespace lockboard::redis {

using namespace Qt::StringLiterals;

Socket::Socket(const Endpoint& endpoint)
{
    if (endpoint.path.empty())
        openStream(endpoint);
    else
        openLocal(endpoint);
    connect(m_device, &QIODevice::readyRead, this, &Socket::readyRead);
}

Socket::~Socket()
{
    m_device->disconnect(this);
}

void Socket::openStream(const Endpoint& endpoint)
{
    QSslSocket* const secure = endpoint.tls ? new QSslSocket(this) : nullptr;
    m_stream = secure ? secure : new QTcpSocket(this);
    m_device = m_stream;
    m_stream->setProxy(QNetworkProxy::NoProxy);
    const auto begin = [this] {
        m_stream->setSocketOption(QAbstractSocket::LowDelayOption, 1);
        m_stream->setSocketOption(QAbstractSocket::KeepAliveOption, 1);
        Q_EMIT opened();
    };
    if (secure)
        connect(secure, &QSslSocket::encrypted, this, begin);
    else
        connect(m_stream, &QAbstractSocket::connected, this, begin);
    connect(m_stream, &QAbstractSocket::errorOccurred, this, [this, secure, tls = endpoint.tls] {
        QString problem = secure ? tls->problem(*secure, m_quiet) : QString();
        if (problem.isEmpty())
            problem = m_stream->errorString();
        // What expects TLS hangs up on whoever does not speak it, without a word.
        if (!secure && m_quiet && m_stream->error() == QAbstractSocket::RemoteHostClosedError)
            problem += u"; it may speak TLS only (rediss://)"_s;
        Q_EMIT failed(problem);
    });

    const QString host = QString::fromStdString(endpoint.host);
    const auto port = static_cast<quint16>(endpoint.port);
    if (secure) {
        secure->setSslConfiguration(endpoint.tls->configuration());
        const std::string& name = endpoint.tls->serverName();
        secure->connectToHostEncrypted(host, port,
                                       name.empty() ? host : QString::fromStdString(name));
    } else {
        m_stream->connectToHost(host, port);
    }
}

void Socket::openLocal(const Endpoint& endpoint)
{
    m_local = new QLocalSocket(this);
    m_device = m_local;
    connect(m_local, &QLocalSocket::connected, this, &Socket::opened);
    // errorString() here is "QLocalSocket::connectToServer: ..."
    connect(m_local, &QLocalSocket::errorOccurred, this, [this] {
        const QString text = m_local->errorString();
        Q_EMIT failed(text.section(QStringLiteral(": "), -1));
    });
    // From the event loop, so that what goes wrong at once is heard all the same.
    QTimer::singleShot(0, m_local, [this, path = QString::fromStdString(endpoint.path)] {
        m_local->connectToServer(path);
    });
}

void Socket::write(const char* data, qint64 size)
{
    m_device->write(data, size);
    if (m_stream)
        m_stream->flush();
    else
        m_local->flush();
}

qint64 Socket::read(char* data, qint64 size)
{
    const qint64 count = m_device->read(data, size);
    m_quiet = m_quiet && count <= 0;
    return count;
}

bool Socket::isEncrypting() const
{
    const auto* const secure = qobject_cast<QSslSocket*>(m_stream);
    return secure && secure->state() == QAbstractSocket::ConnectedState && !secure->isEncrypted();
}

} // namespace lockboard::redis
