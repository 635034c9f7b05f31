// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Pebble
import Testing

/// Blocks a thread of its own, as those who use the blocking forms do.
private func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "test").async { continuation.resume(with: Result(catching: body)) }
  }
}

@Suite("A queue", .timeLimit(.minutes(5)))
struct QueueTests {
  @Test("gives what was put, in order")
  func order() async throws {
    let queue = try Queue<String>()
    for word in ["a", "b", "c"] { try await queue.put(word) }
    #expect(queue.count == 3)
    for word in ["a", "b", "c"] { #expect(try await queue.get() == word) }
    #expect(try queue.poll() == nil)
  }

  @Test("holds no more than its capacity")
  func capacity() async throws {
    let queue = try Queue<Int>(capacity: 1)
    #expect(try queue.offer(1))
    #expect(try !queue.offer(2))
    let error = await #expect(throws: TimeoutError.self) {
      try await onThread { try queue.put(2, timeout: .milliseconds(1)) }
    }
    #expect(error?.limit == .wait)
    async let put: Void = queue.put(3)
    #expect(try await queue.get() == 1)
    try await put
    #expect(try await queue.get() == 3)
    #expect { try Queue<Int>(capacity: 0) } throws: { ($0 as? PebbleError)?.code == .invalidArgument }
  }

  @Test("waits for an element")
  func waiting() async throws {
    let queue = try Queue<Int>()
    async let first = queue.get()
    async let second = onThread { try queue.get(timeout: .seconds(30)) }
    try await queue.put(1)
    try await queue.put(2)
    let both = [try await first, try await second]
    #expect(both == [1, 2] || both == [2, 1])
    await #expect(throws: TimeoutError.self) {
      try await onThread { try queue.get(timeout: .milliseconds(1)) }
    }
  }

  @Test("ends when it is closed and empty")
  func close() async throws {
    let queue = try Queue<Int>()
    let sum = Task {
      var sum = 0
      for try await element in queue { sum += element }
      return sum
    }
    for n in 1...100 { try await queue.put(n) }
    queue.close()
    #expect(try await sum.value == 5050)
    #expect(try await queue.get() == nil)
    await #expect { try await queue.put(1) } throws: { ($0 as? PebbleError)?.code == .closed }
  }

  @Test("lets a waiting task be cancelled, which takes nothing")
  func cancellation() async throws {
    let queue = try Queue<Int>()
    let task = Task { try await queue.get() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    try await queue.put(1)
    #expect(try await queue.get() == 1)
  }

  @Test("passes every element once among many tasks")
  func crowd() async throws {
    let queue = try Queue<Int>(capacity: 4)
    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var sum = 0
          while let element = try await queue.get() { sum += element }
          return sum
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { putters in
        for n in 0..<4 {
          putters.addTask { for element in 0..<250 { try await queue.put(n * 250 + element) } }
        }
        try await putters.waitForAll()
      }
      queue.close()
      return try await group.reduce(0, +)
    }
    #expect(sum == (0..<1000).reduce(0, +))
  }

  @Test("releases what nobody got")
  func release() throws {
    final class Token: Sendable {}
    weak var kept: Token?
    do {
      let queue = try Queue<Token>()
      let token = Token()
      kept = token
      #expect(try queue.offer(token))
    }
    #expect(kept == nil)
  }
}

@Suite("Waiting for queues", .timeLimit(.minutes(5)))
struct WaitForQueuesTests {
  @Test("returns the one with an element")
  func single() async throws {
    let queues = [try Queue<Int>(), try Queue<Int>(), try Queue<Int>()]
    async let ready = waitForQueues(queues)
    try await queues[1].put(1)
    #expect(try await ready.map { $0 === queues[1] } == [true])
    #expect(queues[1].count == 1)
  }

  @Test("returns all that are ready, closed ones among them, in order")
  func several() async throws {
    let queues = [try Queue<Int>(), try Queue<Int>(), try Queue<Int>()]
    try await queues[2].put(1)
    queues[0].close()
    let ready = try await onThread { try waitForQueues(queues, timeout: .seconds(30)) }
    #expect(ready.count == 2 && ready[0] === queues[0] && ready[1] === queues[2])
  }

  @Test("returns none when the time is over, and leaves the queues as they were")
  func timeout() async throws {
    let queue = try Queue<Int>()
    #expect(try await waitForQueues([queue], timeout: .milliseconds(1)).isEmpty)
    try await queue.put(1)
    #expect(try await queue.get() == 1)
  }

  @Test("takes queues of different elements")
  func mixed() async throws {
    let numbers = try Queue<Int>()
    let words = try Queue<String>()
    try await words.put("a")
    let ready = try await waitForQueues([numbers, words] as [any WaitableQueue])
    #expect(ready.count == 1 && ready[0] === words)
  }
}
