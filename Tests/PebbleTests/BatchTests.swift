// SPDX-License-Identifier: Apache-2.0
import Pebble
import Testing

@Suite("Batch", .timeLimit(.minutes(5)))
struct BatchTests {
  private struct Refusal: Error {}

  @Test("runs its jobs like others", arguments: StartMethod.allCases)
  func jobs(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let futures = try pool.batch { try (0..<100).map { try pool.schedule(Calls.square, $0) } }
      for (i, future) in futures.enumerated() { #expect(try await future.value == i * i) }
    }
  }

  @Test("ends with its error")
  func error() async throws {
    try await withProcessPool(.init(maxWorkers: 1)) { pool in
      var future: ProcessFuture<Int>?
      #expect(throws: Refusal.self) {
        try pool.batch {
          future = try pool.schedule(Calls.square, 6)
          throw Refusal()
        }
      }
      let scheduled = try #require(future)
      #expect(try await scheduled.value == 36)
    }
  }

  @Test("is for threads too")
  func threads() async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      let futures = try pool.batch { try (0..<100).map { i in try pool.schedule { i } } }
      for (i, future) in futures.enumerated() { #expect(try await future.value == i) }
    }
  }

  /// Takes its time for the second path: until a job has arrived at the first.
  private struct Slow: Sequence, Sendable {
    let path: String

    func makeIterator() -> AnyIterator<String> {
      var count = 0
      return AnyIterator {
        count += 1
        if count == 2 { Meeting.wait(at: path) }
        return count < 3 ? path : nil
      }
    }
  }

  @Test("is not what a map makes of inputs that may take their time", arguments: StartMethod.allCases)
  func slowInputs(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let meeting = Meeting()
      var results = try pool.map(Calls.arrive, Slow(path: meeting.path)).makeAsyncIterator()
      #expect(try await results.next() == meeting.path)
      await meeting.arrival()
      #expect(try await results.next() == meeting.path)
      #expect(try await results.next() == nil)
    }
  }
}
