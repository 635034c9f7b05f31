// SPDX-License-Identifier: Apache-2.0
import Pebble
import Testing

@Suite("A map's chunks and limits", .timeLimit(.minutes(5)))
struct MapChunksTests {
  @Test("grow by themselves when elements are quick", arguments: StartMethod.allCases, [true, false])
  func automatic(method: StartMethod, ordered: Bool) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      var results: [Int] = []
      for try await result in try pool.map(Calls.square, 0..<20_000, chunkSize: .automatic, ordered: ordered) {
        results.append(result)
      }
      if !ordered { results.sort() }
      #expect(results == (0..<20_000).map { $0 * $0 })
      #expect(pool.statistics.done < 10_000)
    }
  }

  @Test("have one limit together", arguments: StartMethod.allCases)
  func chunkTimeout(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let results = try await outcomes(
        try pool.map(Calls.hangUnlessZero, [0, 0, 1, 0], chunkSize: 2, timeout: .milliseconds(200)))
      #expect(results == ["0", "0", "TimeoutError", "TimeoutError"])
    }
  }

  @Test("of elements each within a chunk's limit, though together over one element's, succeed")
  func timeoutOfAll() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      let results = try await outcomes(try pool.map(Calls.square, 0..<20, chunkSize: 5, timeout: .seconds(30)))
      #expect(results == (0..<20).map { "\($0 * $0)" })
    }
  }

  @Test("lose only the elements that are over the limit of one", arguments: StartMethod.allCases, [1, 3, 6])
  func elementTimeout(method: StartMethod, chunkSize: Int) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let results = try await outcomes(
        try pool.map(
          Calls.hangUnlessZero, [0, 1, 0, 0, 1, 0], chunkSize: ChunkSize(chunkSize), elementTimeout: .milliseconds(500))
      )
      #expect(results == ["0", "TimeoutError", "0", "0", "TimeoutError", "0"])
    }
  }

  @Test("are refused with a limit that is not positive")
  func badLimit() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      #expect { try pool.map(Calls.square, [1], elementTimeout: .zero) } throws: {
        ($0 as? PebbleError)?.code == .invalidArgument
      }
    }
  }
}

@Suite("A map that is cancelled", .timeLimit(.minutes(5)))
struct MapCancelTests {
  @Test("gives a cancellation for each input without outcome", arguments: StartMethod.allCases, [true, false])
  func rest(method: StartMethod, ordered: Bool) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let map = try pool.map(Calls.hangUnlessZero, [0, 1, 2, 3, 4], ordered: ordered)
      var results: [String] = []
      for await result in map.results {
        results.append(describe(result))
        map.cancel()
      }
      #expect(results == ["0"] + Array(repeating: "CancellationError", count: 4))
    }
  }

  @Test("takes no more inputs")
  func unbounded() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let map = try pool.map(Calls.square, 0..., chunkSize: 2)
      var count = 0
      for await _ in map.results {
        count += 1
        if count == 10 { map.cancel() }
      }
      #expect(count >= 10 && count <= 10 + 2 * 4)
    }
  }

  @Test("also while an element of a chunk is run alone", arguments: StartMethod.allCases)
  func alone(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let meeting = Meeting()
      let map = try pool.map(Calls.dieOrArriveAndHang, ["", meeting.path], chunkSize: 2)
      let task = Task { try await outcomes(map) }
      await meeting.arrival()
      map.cancel()
      #expect(try await task.value == ["ProcessExpired", "CancellationError"])
    }
  }

  @Test("ends with its task, and its workers' jobs with it", arguments: [true, false])
  func task(ordered: Bool) async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      let meeting = Meeting()
      let task = Task {
        try await outcomes(try pool.map(Calls.arriveAndHang, repeatElement(meeting.path, count: 9), ordered: ordered))
      }
      await meeting.arrival()
      task.cancel()
      let results = try await task.value
      #expect(results.allSatisfy { $0 == "CancellationError" })
    }
  }

  @Test("by the end of its pool does not hang, even with inputs without end")
  func stopped() async throws {
    let pool = try ProcessPool(maxWorkers: 2)
    let map = try pool.map(Calls.hangUnlessZero, 0...)
    var results: [String] = []
    for await result in map.results {
      results.append(describe(result))
      pool.stop()
    }
    #expect(results.first == "0" && results.count < 20)
    #expect(results.dropFirst().allSatisfy { ["CancellationError", "PebbleError"].contains($0) })
    map.cancel()
    #expect(!pool.isActive)
    try await pool.joined()
  }
}

@Suite("A map's inputs and order", .timeLimit(.minutes(5)))
struct MapInputTests {
  @Test("three and four, until the shortest ends")
  func several() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      let three = try await outcomes(try pool.map(Calls.volume, 1..., [2, 3, 4], [5, 6], chunkSize: 2))
      #expect(three == ["10", "36"])
      let four = try await outcomes(try pool.map(Calls.join4, 1..., ["a", "b"], [true, false, true], 7...))
      #expect(four == ["1atrue7", "2bfalse8"])
    }
  }

  @Test("as they complete", arguments: StartMethod.allCases)
  func unordered(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let meeting = Meeting()
      var results: [String] = []
      for try await result in try pool.map(Calls.arrive, [meeting.path, "/dev/null"], ordered: false) {
        results.append(result)
        if result == "/dev/null" { meeting.wait() }
      }
      #expect(results == ["/dev/null", meeting.path])
    }
  }

  @Test("of an asynchronous sequence", arguments: StartMethod.allCases, [1, 7, 1000])
  func asynchronous(method: StartMethod, chunkSize: Int) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let queue = try Queue<Int>()
      async let results = outcomes(try pool.map(Calls.square, queue, chunkSize: ChunkSize(chunkSize)))
      for n in 0..<50 { try await queue.put(n) }
      queue.close()
      #expect(try await results == (0..<50).map { "\($0 * $0)" })
    }
  }

  @Test("gives results before an asynchronous sequence goes on")
  func interleaved() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      let queue = try Queue<Int>()
      try await queue.put(1)
      var results: [Int] = []
      for try await result in try pool.map(Calls.square, queue) {
        results.append(result)
        if result == 25 { queue.close() } else { try await queue.put(results.count + 1) }
      }
      #expect(results == [1, 4, 9, 16, 25])
    }
  }

  @Test("takes an asynchronous sequence only as far as needed")
  func backPressure() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let queue = try Queue<Int>()
      for n in 0..<1000 { try await queue.put(n) }
      for try await square in try pool.map(Calls.square, queue) where square == 9 { break }
      #expect(queue.count > 900)
    }
  }

  @Test("has an asynchronous sequence's error as its last result")
  func failing() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      let inputs = AsyncThrowingStream<Int, any Error> { continuation in
        continuation.yield(3)
        continuation.finish(throwing: OrderError.missing("apples"))
      }
      let results = try await outcomes(try pool.map(Calls.square, inputs))
      #expect(results == ["9", "OrderError"])
    }
  }

  @Test("does not wait for an asynchronous sequence when it is cancelled")
  func cancelled() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let queue = try Queue<Int>()
      try await queue.put(0)
      let map = try pool.map(Calls.square, queue)
      var count = 0
      for await _ in map.results {
        count += 1
        map.cancel()
      }
      #expect(count == 1)
    }
  }
}

private func describe<Value>(_ result: Result<Value, any Error>) -> String {
  switch result {
  case .success(let value): "\(value)"
  case .failure(let error): "\(type(of: error))"
  }
}

/// All results, errors by the names of their types.
private func outcomes<Value>(_ map: ProcessMap<Value>) async throws -> [String] {
  var results: [String] = []
  for await result in map.results { results.append(describe(result)) }
  return results
}
