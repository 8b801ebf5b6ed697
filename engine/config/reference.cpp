// SPDX-License-Identifier: MIT
#include "engine/config/reference.h"

#include "engine/config/bounded_file.h"
#include "engine/contract/credentials.h"

#include <QDir>
#include <QFile>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

namespace lockboard {

//! Of what is no variable's name, nobody knows that it is none of the values.
static std::string shownVariable(const std::string& name)
{
    const bool isName = std::all_of(name.begin(), name.end(), [](unsigned char letter) {
        return letter < 0x80 && (std::isalnum(letter) != 0 || letter == '_');
    });
    return isName ? shownWord(name) : "****";
}

static std::string resolved(const std::string& reference, const std::string& folder)
{
    if (reference.starts_with("env:")) {
        const std::string name = reference.substr(4);
        const char* const value = std::getenv(name.c_str());
        if (!value)
            throw std::runtime_error("refers to the environment variable \"" + shownVariable(name)
                                     + "\", which is not set");
        return value;
    }
    if (!reference.starts_with("file:"))
        throw std::runtime_error("has a reference that is neither ${env:NAME} nor ${file:PATH}; "
                                 "\"$${\" stands for the characters \"${\"");
    const std::string name = reference.substr(5);
    std::string content = readNamedFile(name, shownWord(name), folder, "refers to");
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

std::string readNamedFile(const std::string& name, const std::string& shown,
                          const std::string& folder, const std::string& verb)
{
    if (name.empty())
        throw std::runtime_error(verb + " a file without a name");
    const QDir base(QString::fromStdString(folder));
    const QByteArray path = QFile::encodeName(base.absoluteFilePath(QString::fromStdString(name)));
    try {
        return readBoundedFile(path.toStdString());
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(verb + " the file \"" + shown + "\", which " + error.what());
    }
}

} // namespace lockboard
