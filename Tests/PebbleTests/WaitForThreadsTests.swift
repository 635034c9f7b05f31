// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

@Suite("Waiting for threads", .timeLimit(.minutes(5)))
struct WaitForThreadsTests {
  /// A thread that ends when something is put into the queue.
  private func threadEnded(by queue: Queue<Int>) throws -> StartedThread {
    try startThread(name: "test") { _ = try? queue.get() }
  }

  @Test("returns the one that has ended")
  func single() async throws {
    let queues = [try Queue<Int>(), try Queue<Int>(), try Queue<Int>()]
    let threads = try queues.map(threadEnded)
    #expect(try await waitForThreads(threads, timeout: .milliseconds(1)).isEmpty)
    try await queues[1].put(1)
    let ended = try await waitForThreads(threads)
    #expect(ended.count == 1 && ended[0] === threads[1])
    #expect(threads.map(\.hasEnded) == [false, true, false])
    for queue in queues { queue.close() }
  }

  @Test("returns all that have ended, in order, and again")
  func multiple() async throws {
    let threads = try (0..<5).map { _ in try startThread {} }
    for thread in threads { _ = try await waitForThreads([thread]) }
    for _ in 0..<2 {
      let ended = try await waitForThreads(threads)
      #expect(ended.count == 5 && zip(ended, threads).allSatisfy { $0 === $1 })
    }
  }

  @Test("lets a thread run on that nobody holds")
  func dropped() async throws {
    let go = try Queue<Int>()
    let done = try Queue<Int>()
    _ = try startThread { _ = try? done.offer((try? go.get() ?? 0) ?? 0) }
    try await go.put(7)
    #expect(try await done.get() == 7)
  }

  @Test("tells threads by their numbers")
  func id() async throws {
    let queues = [try Queue<Int>(), try Queue<Int>()]
    let threads = try queues.map(threadEnded)
    #expect(threads[0].id != threads[1].id)
    for thread in threads { #expect(kill(thread.id, 0) == 0) }
    for queue in queues { queue.close() }
  }

  @Test("of none returns none")
  func none() async throws {
    #expect(try await waitForThreads([]).isEmpty)
  }
}
