// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Synchronization
import Testing

private let marks = Mutex<[Int]>([])

func mark(_ n: Int) { marks.withLock { $0.append(n) } }
func marked(_ n: Int) -> Bool { marks.withLock { $0.contains(n) } }

@Suite("A pool whose jobs run inline", .timeLimit(.minutes(5)))
struct InlineTests {
  private static let mark = ProcessFunction(PebbleTests.mark) { ProcessCall($0).run(PebbleTests.mark) }
  private static let marked = ProcessFunction(PebbleTests.marked) { ProcessCall($0).run(PebbleTests.marked) }

  @Test("runs them in this process, with arguments and results that are coded")
  func process() async throws {
    try await withProcessPool(.init(maxWorkers: 2, execution: .inline)) { pool in
      try await expect(try pool.schedule(Calls.processID, 0), getpid())
      try await expect(try pool.schedule(Calls.join3, "a", 1, 2.5), "a 1 2.5")
      try await pool.schedule(Self.mark, 7).value
      let isMarked = PebbleTests.marked(7)
      #expect(isMarked)
      let undecodable = try pool.schedule(Calls.takeUndecodable, Undecodable(value: 1))
      await #expect { try await undecodable.value } throws: { ($0 as? PebbleError)?.code == .undecodable }
    }
  }

  private func resultNow(_ future: ProcessFuture<Int>) throws -> (Int, isGone: Bool) {
    (try future.result(timeout: .seconds(60)), future.waitUntilGone(timeout: .seconds(60)))
  }

  @Test("gives futures that have it all when they are done")
  func futures() async throws {
    try await withProcessPool(.init(maxWorkers: 1, execution: .inline)) { pool in
      let future = try pool.schedule(Calls.square, 4)
      try await expect(future, 16)
      #expect(try resultNow(future) == (16, true))
      #expect(future.isDone && !future.isRunning)
      #expect(future.cancel() == .tooLate)
      try await expect(future, 16)
    }
  }

  @Test("gives errors as processes would")
  func errors() async throws {
    try await withProcessPool(.init(maxWorkers: 1, execution: .inline)) { pool in
      await #expect(throws: OrderError.tooMany(11, of: "apples")) { try await pool.schedule(Calls.order, 11).value }
      await #expect(throws: RemoteError.self) { try await pool.schedule(Calls.throwUncodable, 0).value }
    }
  }

  @Test("runs asynchronous functions, jobs and maps")
  func asynchronous() async throws {
    try await withProcessPool(.init(maxWorkers: 2, execution: .inline)) { pool in
      try await expect(try pool.schedule(Calls.sumInTasks, 20), 210)
      try await expect(try pool.schedule(Power(base: 2, exponent: 5)), 32)
      var squares: [Int] = []
      for try await square in try pool.map(Calls.square, 0..<20, chunkSize: 3) { squares.append(square) }
      #expect(squares == (0..<20).map { $0 * $0 })
    }
  }

  @Test("sets them up, and tells why it could not")
  func initializer() async throws {
    let good = try WorkerCall(Self.mark, 8)
    try await withProcessPool(.init(maxWorkers: 1, initializer: good, execution: .inline)) { pool in
      try await expect(try pool.schedule(Self.marked, 8), true)
    }
    let bad = try WorkerCall(ProcessFunction(failToLoad) { ProcessCall($0).run(failToLoad) }, "table")
    try await withProcessPool(.init(maxWorkers: 1, initializer: bad, execution: .inline)) { pool in
      let future = try pool.schedule(Self.marked, 8)
      let error = await #expect(throws: InitializerError.self) { _ = try await future.value }
      #expect(error?.cause as? TableError == .missing("table"))
    }
  }
}
