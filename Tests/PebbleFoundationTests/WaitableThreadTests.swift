// SPDX-License-Identifier: Apache-2.0
import Foundation
import Pebble
import PebbleFoundation
import Testing

@Suite("Threads of Foundation", .timeLimit(.minutes(5)))
struct WaitableThreadTests {
  /// A thread that ends when something is put into the queue.
  private func threadEnded(by queue: Queue<Int>) throws -> WaitableThread {
    let thread = try WaitableThread { _ = try? queue.get() }
    thread.start()
    return thread
  }

  @Test("are returned when they have ended, in order, and again")
  func several() async throws {
    let queues = try (0..<3).map { _ in try Queue<Int>() }
    let threads = try queues.map(threadEnded)
    #expect(try await waitForThreads(threads, timeout: .milliseconds(1)).isEmpty)
    try await queues[1].put(1)
    #expect(try await waitForThreads(threads) == [threads[1]])
    for queue in queues { queue.close() }
    for thread in threads { #expect(try await waitForThreads([thread]) == [thread]) }
    #expect(try await waitForThreads(threads) == threads)
    #expect(threads.allSatisfy { $0.thread.isFinished })
  }

  @Test("end also by Thread.exit()")
  func exit() async throws {
    let thread = try WaitableThread { Thread.exit() }
    thread.start()
    #expect(try await waitForThreads([thread]) == [thread])
  }

  @Test("that were cancelled before they begin have ended, those that were not started have not")
  func neverRun() async throws {
    let cancelled = try WaitableThread { Issue.record("it ran") }
    let waiting = try WaitableThread {}
    cancelled.thread.cancel()
    cancelled.start()
    #expect(try await waitForThreads([waiting, cancelled]) == [cancelled])
    #expect(try await waitForThreads([waiting], timeout: .milliseconds(1)) == [])
  }

  @Test("can be waited for by a thread")
  func blocking() async throws {
    let done = try Queue<Bool>()
    let first = try WaitableThread {}
    let second = try WaitableThread {
      first.start()
      let ended = try? waitForThreads([first], timeout: .seconds(50))
      _ = try? done.offer(ended == [first])
    }
    second.start()
    #expect(try await done.get() == true)
  }

  @Test("run on when nobody holds them, and none are none")
  func dropped() async throws {
    let go = try Queue<Int>()
    let done = try Queue<Int>()
    try WaitableThread { _ = try? done.offer((try? go.get()) ?? 0) }.start()
    try await go.put(7)
    #expect(try await done.get() == 7)
    #expect(try await waitForThreads([WaitableThread]()) == [])
  }
}

extension WaitableThread: Equatable {
  public static func == (a: WaitableThread, b: WaitableThread) -> Bool { a === b }
}
