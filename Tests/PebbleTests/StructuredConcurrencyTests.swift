// SPDX-License-Identifier: Apache-2.0
import Pebble
import Testing

@Suite("Structured concurrency", .timeLimit(.minutes(5)))
struct StructuredConcurrencyTests {
  @Test("waits for more jobs than there are threads, while other tasks go on", arguments: StartMethod.allCases)
  func waiting(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let meeting = Meeting()
      let first = try pool.schedule(Calls.arrive, meeting.path)
      let sum = try await withThrowingTaskGroup(of: Int.self) { group in
        for n in 1...64 { group.addTask { try await pool.schedule(Calls.square, n).value } }
        // The jobs of the others cannot begin before this task has run.
        group.addTask { [path = meeting.path] in
          await Meeting.arrival(at: path)
          return 0
        }
        return try await group.reduce(0, +)
      }
      #expect(sum == (1...64).reduce(0) { $0 + $1 * $1 })
      try await expect(first, meeting.path)
    }
  }

  @Test("ends the jobs of a group's other tasks when one throws", arguments: StartMethod.allCases)
  func group(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 4, startMethod: method)) { pool in
      await #expect(throws: OrderError.tooMany(11, of: "apples")) {
        try await withThrowingTaskGroup(of: Int.self) { group in
          for _ in 1...3 { group.addTask { try await pool.schedule(Calls.hang, 1).value } }
          group.addTask { try await pool.schedule(Calls.order, 11).value }
          for try await _ in group {}
        }
      }
      #expect(pool.statistics.running == 0 && pool.statistics.queued == 0)
    }
  }

  @Test("ends the job of an async let whose scope is left", arguments: StartMethod.allCases)
  func asyncLet(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let future = try pool.schedule(Calls.hang, 1)
      await #expect(throws: OrderError.tooMany(11, of: "apples")) {
        async let hanging = future.value
        async let failing = pool.schedule(Calls.order, 11).value
        _ = try await failing + hanging
      }
      #expect(throws: CancellationError.self) { try resultNow(future) }
    }
  }

  private func resultNow(_ future: ProcessFuture<Int>) throws -> Int { try future.result(timeout: .zero) }
}
