// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

@Suite("Waiting for futures", .timeLimit(.minutes(5)))
struct WaitForFuturesTests {
  @Test("returns the first that is done", arguments: StartMethod.allCases)
  func first(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let hanging = try pool.schedule(Calls.hang, 0)
      let quick = try pool.schedule(Calls.square, 3)
      let done = try await wait(for: [hanging, quick], .first)
      #expect(done.count == 1 && done[0] === quick)
      #expect(waitBlocking(for: [hanging, quick], .first).map { $0 === quick } == [true])
      hanging.cancel()
    }
  }

  @Test("returns all, whatever their outcomes, in the order given", arguments: StartMethod.allCases)
  func all(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let futures = [
        try pool.schedule(Calls.square, 1), try pool.schedule(Calls.order, 11), try pool.schedule(Calls.leave, 1),
        try pool.schedule(Calls.hang, 0, timeout: .milliseconds(50)),
      ]
      let done = try await wait(for: futures + [futures[0]])
      #expect(done.count == 5 && zip(done, futures).allSatisfy { $0 === $1 })
      #expect(waitBlocking(for: futures, .all).count == 4)
    }
  }

  @Test("returns those that are done when the time is over")
  func timeout() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      let hanging = try pool.schedule(Calls.hang, 0)
      let quick = try pool.schedule(Calls.square, 3)
      try await expect(quick, 9)
      #expect(try await wait(for: [hanging, quick], .all, timeout: .milliseconds(20)).map { $0 === quick } == [true])
      #expect(try await wait(for: [hanging], .first, timeout: .milliseconds(20)).isEmpty)
      #expect(waitBlocking(for: [hanging], .first, timeout: .milliseconds(20)).isEmpty)
      #expect(try await wait(for: [ProcessFuture<Int>]()).isEmpty)
      #expect(!hanging.isDone)
      hanging.cancel()
    }
  }

  @Test("ends with the task that waits, and leaves the jobs alone")
  func cancellation() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let meeting = Meeting()
      let future = try pool.schedule(Calls.arriveAndHang, meeting.path)
      let task = Task { try await wait(for: [future]).count }
      meeting.wait()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(future.state == .running)
      future.cancel()
    }
  }

  @Test("takes futures of different values")
  func mixed() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      let number = try pool.schedule(Calls.square, 3)
      let text = try pool.schedule(Calls.greet)
      let done = try await wait(for: [number, text] as [any WaitableFuture])
      #expect(done.count == 2 && done[0] === number && done[1] === text)
    }
  }

  @Test("can be repeated on the same futures, by many tasks")
  func crowd() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      let futures = try (0..<50).map { try pool.schedule(Calls.square, $0) }
      let counts = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 {
          group.addTask {
            var rest = futures
            var count = 0
            while !rest.isEmpty {
              count += try await wait(for: rest, .first).count
              rest.removeAll { $0.isDone }
            }
            return count
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(counts.count == 8 && counts.allSatisfy { $0 >= 1 })
    }
  }

  @Test("gives each as it completes", arguments: StartMethod.allCases)
  func asTheyComplete(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 3, startMethod: method)) { pool in
      let first = Meeting()
      let second = Meeting()
      let late = try pool.schedule(Calls.arrive, first.path)
      let later = try pool.schedule(Calls.arrive, second.path)
      let early = try pool.schedule(Calls.arrive, "/dev/null")
      var order: [ObjectIdentifier] = []
      for await future in asCompleted([later, late, early]) {
        order.append(ObjectIdentifier(future))
        if future === early { first.wait() }
        if future === late { second.wait() }
      }
      #expect(order == [early, late, later].map(ObjectIdentifier.init))
    }
  }

  @Test("as they complete ends at once without futures, and when its task is cancelled")
  func asTheyCompleteEnds() async throws {
    for await _ in asCompleted([ProcessFuture<Int>]()) { Issue.record("a future of none") }
    try await withProcessPool(maxWorkers: 1) { pool in
      let future = try pool.schedule(Calls.hang, 0)
      let task = Task { for await _ in asCompleted([future]) { Issue.record("it hangs") } }
      task.cancel()
      await task.value
      #expect(!future.isDone)
      future.cancel()
    }
  }
}

@Suite("The state of a future", .timeLimit(.minutes(5)))
struct FutureStateTests {
  @Test("is pending, running, done")
  func states() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let meeting = Meeting()
      let first = try pool.schedule(Calls.arriveAndHang, meeting.path)
      let second = try pool.schedule(Calls.square, 3)
      meeting.wait()
      #expect(first.state == .running && second.state == .pending)
      first.cancel()
      #expect(first.state == .done)
      try await expect(second, 9)
      #expect(second.state == .done)
    }
  }

  @Test("gone comes when the process is", arguments: StartMethod.allCases)
  func gone(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let process = try await pool.schedule(Calls.processID, 0).value
      let meeting = Meeting()
      let future = try pool.schedule(Calls.arriveAndSpin, meeting.path)
      meeting.wait()
      async let gone: Void = future.gone()
      future.cancel()
      await gone
      #expect(kill(process, 0) == -1 && errno == ESRCH)
      await future.gone()
    }
  }

  @Test("gone can be awaited in a task that is cancelled, and by more tasks than there are threads")
  func goneInCancelledTask() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let process = try await pool.schedule(Calls.processID, 0).value
      let meeting = Meeting()
      let future = try pool.schedule(Calls.arriveAndSpin, meeting.path)
      let tasks = (0..<100).map { _ in
        Task {
          _ = try? await future.value
          await future.gone()
          return kill(process, 0) == -1 && errno == ESRCH
        }
      }
      meeting.wait()
      for task in tasks { task.cancel() }
      for task in tasks { #expect(await task.value) }
    }
  }
}

// The blocking form, from asynchronous tests.
func waitBlocking<Value>(
  for futures: [ProcessFuture<Value>], _ awaited: FuturesAwaited, timeout: Duration? = .seconds(30)
) -> [ProcessFuture<Value>] {
  wait(for: futures, awaited, timeout: timeout)
}
