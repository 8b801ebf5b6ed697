// SPDX-License-Identifier: MIT
#include "app/lockboardctl/help.h"

#include "app/lockboardctl/options.h"
#include "app/lockboardctl/verbs.h"

namespace lockboard::ctl {

static std::string row(std::string left, const char* right)
{
    left.resize(std::max<std::size_t>(left.size() + 2, 22), ' ');
    return "  " + left + right + '\n';
}

template <typename Wanted> static std::string optionRows(Wanted wanted)
{
    std::string text;
    for (const Option& each : options()) {
        if (wanted(each)) {
            text += row("--" + std::string(each.name) + (each.value ? " " : "")
                            + (each.value ? each.value : ""),
                        each.help);
        }
    }
    return text;
}

static std::string programHelp()
{
    std::string text = "Usage: lockboardctl [OPTION...] VERB [ARGUMENT...]\n"
                       "Shows who holds your locks, and lets go of the stuck ones.\n\n"
                       "Verbs (VERB --help tells more):\n";
    for (const Verb& each : verbs())
        text += row(std::string(each.name) + ' ' + each.operands, each.summary);
    text += "\nOptions for every verb, before or after it:\n";
    text += optionRows([](const Option& each) { return each.isGlobal(); });
    text +=
        "\nWithout --config and --connect it reads lockboard/config.json in $XDG_CONFIG_HOME\n"
        "(~/.config), if there is one. The in-memory provider is always there; its locks end\n"
        "with the command, so it is used only if --provider names it.\n\n"
        "Results go to stdout, everything else to stderr. Exit codes: 0 done; 1 the answer is\n"
        "no; 64 usage; 69 provider unreachable; 74 the output or the audit log can't be written;\n"
        "75 conflict or timed out; 77 denied or read-only; 78 config error; 128 + N ended by\n"
        "signal N.\n";
    return text;
}

std::string helpText(const Verb* verb)
{
    if (!verb)
        return programHelp();
    std::string text = "Usage: lockboardctl [OPTION...] " + std::string(verb->name);
    text += *verb->operands ? ' ' + std::string(verb->operands) : "";
    std::string summary = verb->summary;
    summary.front() = static_cast<char>(std::toupper(summary.front()));
    text += '\n' + summary + ".\n";
    if (*verb->details)
        text += '\n' + std::string(verb->details);
    const std::string own = optionRows(
        [&](const Option& each) { return !each.isGlobal() && each.belongsTo(verb->name); });
    if (!own.empty())
        text += "\nOptions:\n" + own;
    return text + "\nOptions for every verb: lockboardctl --help\n";
}

} // namespace lockboard::ctl
