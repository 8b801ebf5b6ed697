// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace lockboard {

//! A growing sequence in chunks that copies share until one of them writes: a worker gets a
//! snapshot of a million rows for the price of some hundred reference counts. One thread writes;
//! a copy may be read and dropped on any other.
template <typename T, std::size_t ChunkSize = 1024> class CowVector final {
public:
    [[nodiscard]] std::size_t size() const { return m_size; }
    [[nodiscard]] const T& operator[](std::size_t i) const
    {
        return (*m_chunks[i / ChunkSize])[i % ChunkSize];
    }
    [[nodiscard]] T& edit(std::size_t i)
    {
        auto& chunk = m_chunks[i / ChunkSize];
        if (chunk.use_count() > 1)
            chunk = std::make_shared<Chunk>(*chunk);
        // Pairs with the release in which another thread let go of its copy.
        std::atomic_thread_fence(std::memory_order_acquire);
        return (*chunk)[i % ChunkSize];
    }
    void append(T value)
    {
        if (m_size % ChunkSize == 0)
            m_chunks.push_back(std::make_shared<Chunk>());
        ++m_size;
        edit(m_size - 1) = std::move(value);
    }

private:
    using Chunk = std::array<T, ChunkSize>;
    std::vector<std::shared_ptr<Chunk>> m_chunks;
    std::size_t m_size = 0;
};

} // namespace lockboard
