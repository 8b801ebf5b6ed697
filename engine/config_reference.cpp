// SPDX-License-Identifier: MIT
#include "engine/config_reference.h"

#include "engine/lock.h"

#include <QDir>
#include <QFile>

#include <cstdlib>
#include <stdexcept>

namespace lockboard {

static std::string resolved(const std::string& reference, const std::string& folder)
{
    if (reference.starts_with("env:")) {
        const std::string name = reference.substr(4);
        const char* const value = std::getenv(name.c_str());
        if (!value)
            throw std::runtime_error("refers to the environment variable \"" + printable(name)
                                     + "\", which is not set");
        return value;
    }
    if (!reference.starts_with("file:"))
        throw std::runtime_error("has a reference that is neither ${env:NAME} nor ${file:PATH}; "
                                 "\"$${\" stands for the characters \"${\"");
    std::string content = readNamedFile(reference.substr(5), folder, "refers to");
    if (content.ends_with('\n'))
        content.pop_back();
    if (content.ends_with('\r'))
        content.pop_back();
    return content;
}

std::string expandReferences(const std::string& text, const std::string& folder, bool isUrl)
{
    const bool encodes = isUrl && !isReference(text);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text.compare(at, 3, "$${") == 0) {
            out += "${";
            at += 3;
        } else if (text.compare(at, 2, "${") == 0) {
            const std::size_t end = text.find('}', at);
            if (end == std::string::npos)
                throw std::runtime_error("has a \"${\" that no \"}\" ends; \"$${\" stands for the "
                                         "characters \"${\"");
            const std::string value = resolved(text.substr(at + 2, end - at - 2), folder);
            out += encodes ? QByteArray::fromStdString(value).toPercentEncoding().toStdString()
                           : value;
            at = end + 1;
        } else {
            out += text[at++];
        }
    }
    return out;
}

bool isReference(const std::string& text)
{
    return text.starts_with("${") && text.find('}') == text.size() - 1;
}

std::string readNamedFile(const std::string& name, const std::string& folder,
                          const std::string& verb)
{
    constexpr qint64 most = 1024 * 1024; // no password or certificate is longer
    const std::string subject = verb + " the file \"" + printable(name) + "\", which ";
    const QDir base(QString::fromStdString(folder));
    QFile file(base.absoluteFilePath(QString::fromStdString(name)));
    if (name.empty())
        throw std::runtime_error(verb + " a file without a name");
    const bool opened = file.open(QIODevice::ReadOnly);
    const QByteArray content = opened ? file.read(most + 1) : QByteArray();
    if (file.error() != QFileDevice::NoError)
        throw std::runtime_error(subject + "can't be read: " + file.errorString().toStdString());
    if (content.size() > most)
        throw std::runtime_error(subject + "is larger than 1 MiB");
    return content.toStdString();
}

} // namespace lockboard
