# SPDX-License-Identifier: MIT
# Writes the first C++ program of the page PAGE to PROGRAM.
file(READ "${PAGE}" text)
string(FIND "${text}" "\n```cpp\n" at)
if(at EQUAL -1)
    message(FATAL_ERROR "${PAGE} shows no C++ program.")
endif()
math(EXPR at "${at} + 8")
string(SUBSTRING "${text}" ${at} -1 text)
string(FIND "${text}" "\n```\n" length)
string(SUBSTRING "${text}" 0 ${length} text)
file(WRITE "${PROGRAM}" "${text}\n")
