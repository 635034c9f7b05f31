// SPDX-License-Identifier: Apache-2.0
import Pebble
import Synchronization
import Testing

@Suite("Map in threads", .timeLimit(.minutes(5)))
struct ThreadMapTests {
  @Test("gives results in the order of the inputs", arguments: [1, 3, 100])
  func ordered(chunkSize: Int) async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      let offset = Box(1)
      var results: [Box] = []
      for try await result in try pool.map(
        (0..<50).map(Box.init), chunkSize: ChunkSize(chunkSize),
        {
          Box($0.value + offset.value)
        })
      {
        results.append(result)
      }
      #expect(results.map(\.value) == Array(1...50))
    }
  }

  @Test("of several inputs stops at the shortest one")
  func several() async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      var two: [Int] = []
      for try await sum in try pool.map(0..., [10, 20, 30], chunkSize: 2, { $0 + $1 }) { two.append(sum) }
      #expect(two == [10, 21, 32])
      var three: [String] = []
      for try await text in try pool.map(0..., ["a", "b"], [1.5, 2.5, 3.5], { "\($0)\($1)\($2)" }) {
        three.append(text)
      }
      #expect(three == ["0a1.5", "1b2.5"])
      var four: [Int] = []
      for try await sum in try pool.map([1], 0..., 0..., [10, 20], { $0 + $1 + $2 + $3 }) { four.append(sum) }
      #expect(four == [11])
    }
  }

  @Test("takes asynchronous inputs, and their error as the last")
  func asynchronous() async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      let inputs = AsyncThrowingStream<Int, any Error> { continuation in
        for n in 1...3 { continuation.yield(n) }
        continuation.finish(throwing: UncodableError())
      }
      var results: [Int] = []
      await #expect(throws: UncodableError.self) {
        for try await result in try pool.map(inputs, chunkSize: 2, { $0 * 10 }) { results.append(result) }
      }
      #expect(results == [10, 20, 30])
    }
  }

  @Test("keeps an element's error in its place, as it was thrown", arguments: [1, 2, 10], [true, false])
  func errors(chunkSize: Int, ordered: Bool) async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      var values: [Int] = []
      var errors = 0
      let map = try pool.map(0..<6, chunkSize: ChunkSize(chunkSize), ordered: ordered) {
        if $0 % 3 == 1 { throw UncodableError() }
        return $0
      }
      for await result in map.results {
        switch result {
        case .success(let value): values.append(value)
        case .failure(let error): errors += error is UncodableError ? 1 : 0
        }
      }
      #expect(errors == 2)
      #expect((ordered ? values : values.sorted()) == [0, 2, 3, 5])
    }
  }

  @Test("begins no element of a chunk behind the one that is over the limit")
  func timeout() async throws {
    try await withThreadPool(maxWorkers: 1) { pool in
      let begun = Mutex<[Int]>([])
      var count = 0
      for await result in try pool.map(
        0..<3, chunkSize: 3, timeout: .milliseconds(20),
        { n in
          begun.withLock { $0.append(n) }
          while !isJobCancelled {}
        }
      ).results {
        #expect(throws: TimeoutError.self) { try result.get() }
        count += 1
      }
      #expect(count == 3)
      pool.close()
      try await pool.joined()
      #expect(begun.withLock { $0 } == [0])
    }
  }

  @Test("finds the element that is over its limit among those of a chunk")
  func elementTimeout() async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      var results: [String] = []
      for await result in try pool.map(
        0..<3, chunkSize: 3, elementTimeout: .milliseconds(500),
        { n in
          while n == 1 && !isJobCancelled {}
          return n
        }
      ).results {
        switch result {
        case .success(let value): results.append("\(value)")
        case .failure(let error): results.append("\(type(of: error))")
        }
      }
      #expect(results == ["0", "TimeoutError", "2"])
    }
  }

  @Test("can be cancelled")
  func cancel() async throws {
    try await withThreadPool(maxWorkers: 1) { pool in
      let map = try pool.map(
        0...,
        { n in
          while n == 1 && !isJobCancelled {}
          return n
        })
      var count = 0
      for await result in map.results {
        if count == 0 { map.cancel() } else { #expect(throws: CancellationError.self) { try result.get() } }
        count += 1
      }
      #expect((2...4).contains(count))
    }
  }

  @Test("refuses a chunk size below one")
  func zeroChunk() async throws {
    try await withThreadPool(maxWorkers: 1) { pool in
      #expect { try pool.map([1], chunkSize: 0, { $0 }) } throws: { ($0 as? PebbleError)?.code == .invalidArgument }
    }
  }
}

/// What can only be passed on within a process.
private final class Box: Sendable {
  let value: Int
  init(_ value: Int) { self.value = value }
}
