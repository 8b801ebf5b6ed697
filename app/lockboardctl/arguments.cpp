// SPDX-License-Identifier: MIT
#include "app/lockboardctl/arguments.h"

#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/options.h"
#include "app/lockboardctl/suggestion.h"
#include "app/lockboardctl/verbs.h"

#include "engine/contract/credentials.h"

#include <QByteArray>

#include <algorithm>

namespace lockboard::ctl {

namespace {

struct Given {
    std::string name; // without the dashes
    const char* value; // null: none
};

struct Words {
    std::vector<std::string> operands;
    std::vector<Given> options;
};

} // namespace

static const Option& findOption(const std::string& name)
{
    std::vector<std::string_view> known;
    for (const Option& each : options()) {
        if (each.name == name)
            return each;
        known.push_back(each.name);
    }
    const std::string_view near = nearest(name, known);
    throw UsageError("There is no option --" + shownWord(name) + '.'
                     + (near.empty() ? "" : " Did you mean --" + std::string(near) + '?'));
}

//! Options may stand anywhere; after `--` every word is an operand.
static Words split(int argc, char* argv[])
{
    Words words;
    bool onlyOperands = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (onlyOperands || !word.starts_with('-') || word == "-") {
            words.operands.emplace_back(word);
            continue;
        }
        if (word == "--") {
            onlyOperands = true;
            continue;
        }
        if (word == "-h") {
            words.options.push_back({"help", nullptr});
            continue;
        }
        if (!word.starts_with("--")) {
            throw UsageError("There is no option " + shownWord(word)
                             + ". A key that begins with a dash comes after --.");
        }
        const std::size_t equals = word.find('=');
        const std::string name(word.substr(2, equals == word.npos ? word.npos : equals - 2));
        const bool takesValue = findOption(name).value;
        const char* value = equals == word.npos ? nullptr : argv[i] + equals + 1;
        if (value && !takesValue)
            throw UsageError("--" + name + " takes no value.");
        if (takesValue && !value) {
            // A forgotten value must not swallow the next option: `--owner --dry-run`.
            if (i + 1 == argc || std::string_view(argv[i + 1]).starts_with("--")) {
                throw UsageError("--" + name
                                 + " needs a value; one that begins with dashes is given as --"
                                 + name + "=VALUE.");
            }
            value = argv[++i];
        }
        words.options.push_back({name, value});
    }
    return words;
}

static const Verb* verbNamed(const std::string& name)
{
    if (const Verb* verb = findVerb(name))
        return verb;
    std::vector<std::string_view> known;
    std::string list;
    for (const Verb& each : verbs()) {
        known.push_back(each.name);
        list += (list.empty() ? "" : ", ") + std::string(each.name);
    }
    const std::string_view near = nearest(name, known);
    throw UsageError(
        "There is no verb \"" + shownWord(name) + "\". "
        + (near.empty() ? "Verbs are " + list + '.' : "Did you mean " + std::string(near) + '?'));
}

static void store(const Words& words, Arguments& arguments)
{
    std::vector<std::string> seen;
    for (const Given& given : words.options) {
        const std::string_view verb = arguments.verb ? arguments.verb->name : "";
        const auto row = std::find_if(options().begin(), options().end(), [&](const Option& each) {
            return each.name == given.name && each.belongsTo(verb);
        });
        if (row == options().end()) {
            throw UsageError("--" + given.name + " is no option of "
                             + (verb.empty() ? "help." : std::string(verb) + '.'));
        }
        const bool again = std::find(seen.begin(), seen.end(), given.name) != seen.end();
        if (again && given.value && !row->repeats)
            throw UsageError("--" + given.name + " is given twice.");
        seen.push_back(given.name);
        row->store(arguments, given.value);
    }
}

static void decodeKeys(Arguments& arguments)
{
    for (std::string& key : arguments.keys) {
        const QByteArray given = QByteArray::fromStdString(key);
        const QByteArray bytes = QByteArray::fromBase64(given);
        // The way back decides: Qt passes over what it doesn't understand.
        if (bytes.toBase64() != given && bytes.toBase64(QByteArray::OmitTrailingEquals) != given)
            throw UsageError("The key \"" + shownWord(key) + "\" is not base64.");
        key = bytes.toStdString();
    }
}

static void judge(const Arguments& arguments)
{
    if (arguments.owner && arguments.noOwner)
        throw UsageError("--owner and --no-owner contradict each other.");
    if (arguments.config && arguments.connect)
        throw UsageError("--config and --connect contradict each other.");
    if (arguments.demo && (arguments.config || arguments.connect)) {
        throw UsageError(std::string("--demo and --") + (arguments.config ? "config" : "connect")
                         + " contradict each other.");
    }
    if (arguments.claim && arguments.wait)
        throw UsageError("--claim and --wait contradict each other: who waits never claims.");
    if (arguments.claim && arguments.noExtend) {
        throw UsageError("--claim and --no-extend contradict each other: a lock that is claimed is "
                         "there, and extended.");
    }
    if (arguments.auditLog && arguments.noAudit)
        throw UsageError("--audit-log and --no-audit contradict each other.");
    const bool takesKeys = *arguments.verb->operands != '\0';
    if (takesKeys && arguments.keys.empty())
        throw UsageError(std::string(arguments.verb->name) + " needs at least one "
                         + (arguments.verb->operands[0] == 'K' ? "KEY." : "ACTION."));
    if (!takesKeys && !arguments.keys.empty()) {
        throw UsageError(std::string(arguments.verb->name) + " takes options only, no \""
                         + shownWord(arguments.keys.front()) + "\".");
    }
}

Arguments Arguments::parse(int argc, char* argv[])
{
    Words words = split(argc, argv);
    auto& operands = words.operands;
    Arguments arguments;
    if (!operands.empty() && operands.front() == "help") {
        arguments.help = true;
        operands.erase(operands.begin());
    }
    if (!operands.empty()) {
        arguments.verb = verbNamed(operands.front());
        arguments.keys.assign(operands.begin() + 1, operands.end());
    }
    store(words, arguments);
    if (arguments.help || arguments.version)
        return arguments;
    if (!arguments.verb)
        throw UsageError("No verb is given; lockboardctl --help lists them.");
    judge(arguments);
    if (arguments.base64)
        decodeKeys(arguments);
    return arguments;
}

} // namespace lockboard::ctl
