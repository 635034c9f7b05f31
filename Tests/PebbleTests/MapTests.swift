// SPDX-License-Identifier: Apache-2.0
import Pebble
import Testing

@Suite("Map", .timeLimit(.minutes(5)))
struct MapTests {
  @Test("gives results in the order of the inputs", arguments: StartMethod.allCases, [1, 3, 100])
  func ordered(method: StartMethod, chunkSize: Int) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      var results: [Int] = []
      for try await result in try pool.map(Calls.square, 0..<50, chunkSize: ChunkSize(chunkSize)) {
        results.append(result)
      }
      #expect(results == (0..<50).map { $0 * $0 })
    }
  }

  @Test("waits for room where few jobs may wait", arguments: [1, 3])
  func room(maxQueued: Int) async throws {
    try await withProcessPool(.init(maxWorkers: 2, maxQueued: maxQueued)) { pool in
      var sum = 0
      for try await result in try pool.map(Calls.square, 0..<2000) { sum += result }
      #expect(sum == (0..<2000).reduce(0) { $0 + $1 * $1 })
    }
  }

  @Test("waits for room where other jobs fill the pool", arguments: StartMethod.allCases)
  func roomAmongOthers(method: StartMethod) async throws {
    try await withFullPool(method) { pool, running in
      // The second element is taken when the first one's job has been refused.
      let inputs = SecondTold(numbers: 0..<20) { running.cancel() }
      var results: [Int] = []
      for try await result in try pool.map(Calls.square, inputs, chunkSize: 1) { results.append(result) }
      #expect(results == (0..<20).map { $0 * $0 })
    }
  }

  @Test("can be cancelled while it waits for room", arguments: StartMethod.allCases)
  func cancelledWithoutRoom(method: StartMethod) async throws {
    try await withFullPool(method) { pool, running in
      let inputs = SecondTold(numbers: 0..<20) { withUnsafeCurrentTask { $0?.cancel() } }
      let map = try pool.map(Calls.square, inputs, chunkSize: 1)
      let errors = await Task {
        var errors: [any Error] = []
        for await case .failure(let error) in map.results { errors.append(error) }
        return errors
      }.value
      #expect(errors.count == 2 && errors.allSatisfy { $0 is CancellationError })
      #expect(running.isRunning)
      running.cancel()
    }
  }

  /// A pool whose worker is at work and in which no more jobs may wait, until `running` is cancelled.
  private func withFullPool(
    _ method: StartMethod, _ body: (ProcessPool, _ running: ProcessFuture<Int>) async throws -> Void
  ) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, maxQueued: 2)) { pool in
      let meeting = Meeting()
      let running = try pool.schedule(Calls.arriveAndHang, meeting.path)
      meeting.wait()
      let waiting = try [2, 3].map { try pool.schedule(Calls.square, $0) }
      try await body(pool, running)
      try await expect(waiting[0], 4)
      try await expect(waiting[1], 9)
    }
  }

  @Test("of nothing is nothing")
  func empty() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      for try await _ in try pool.map(Calls.square, [Int]()) { Issue.record("an element of nothing") }
      var single: [Int] = []
      for try await result in try pool.map(Calls.square, [7]) { single.append(result) }
      #expect(single == [49])
    }
  }

  @Test("of two inputs stops at the shorter one")
  func two() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      var sums: [Int] = []
      for try await sum in try pool.map(Calls.add, 0..., [10, 20, 30], chunkSize: 2) { sums.append(sum) }
      #expect(sums == [10, 21, 32])
    }
  }

  @Test("refuses a chunk size below one")
  func zeroChunk() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      #expect { try pool.map(Calls.square, [1], chunkSize: 0) } throws: {
        ($0 as? PebbleError)?.code == .invalidArgument
      }
    }
  }

  @Test("takes inputs without end as they are needed")
  func unbounded() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      var taken = 0
      for try await square in try pool.map(Calls.square, 0..., chunkSize: 10) {
        taken += 1
        if square >= 10_000 { break }
      }
      #expect(taken == 101)
      #expect(pool.statistics.done <= 30)
    }
  }

  @Test("keeps an element's error in its place", arguments: StartMethod.allCases, [1, 2, 10])
  func errors(method: StartMethod, chunkSize: Int) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      var results: [String] = []
      for await result in try pool.map(Calls.order, [1, 11, 2, 12, 3], chunkSize: ChunkSize(chunkSize)).results {
        switch result {
        case .success(let value): results.append("\(value)")
        case .failure(let error as OrderError): results.append("\(error)")
        case .failure(let error): results.append("?\(error)")
        }
      }
      #expect(results == ["1", "tooMany(11, of: \"apples\")", "2", "tooMany(12, of: \"apples\")", "3"])
    }
  }

  @Test("loses only the guilty element when a chunk's worker dies", arguments: StartMethod.allCases)
  func crash(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      var results: [String] = []
      for await result in try pool.map(Calls.element, [0, 1, 9, 2, 1], chunkSize: 5).results {
        switch result {
        case .success(let value): results.append("\(value)")
        case .failure(let error): results.append("\(type(of: error))")
        }
      }
      #expect(results == ["1", "2", "ProcessExpired", "3", "2"])
    }
  }

  @Test("throws at the first error and cancels the rest")
  func throwing() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      var results: [Int] = []
      await #expect(throws: OrderError.self) {
        for try await result in try pool.map(Calls.order, 8...) { results.append(result) }
      }
      #expect(results == [8, 9, 10])
    }
  }

  @Test("ends every element that is over its limit")
  func timeout() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      var count = 0
      for await result in try pool.map(Calls.hang, 0..<3, timeout: .milliseconds(50)).results {
        #expect(throws: TimeoutError.self) { try result.get() }
        count += 1
      }
      #expect(count == 3)
    }
  }
}

/// Numbers, and a call when the second one is taken.
private struct SecondTold: Sequence, Sendable {
  let numbers: Range<Int>
  let isTaken: @Sendable () -> Void

  func makeIterator() -> AnyIterator<Int> {
    var rest = numbers
    return AnyIterator {
      if rest.lowerBound == numbers.lowerBound + 1 { isTaken() }
      return rest.popFirst()
    }
  }
}
