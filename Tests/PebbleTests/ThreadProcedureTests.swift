// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Synchronization
import Testing

@Suite("The threads of a pool", .timeLimit(.minutes(5)))
struct ThreadProcedureTests {
  @Test("run the initializer before their first job, and the finalizer as their last")
  func procedures() async throws {
    let log = Log()
    let configuration = ThreadPool.Configuration(
      maxWorkers: 1, maxTasks: 2, initializer: { log.begin() }, finalizer: { log.add("down") })
    try await withThreadPool(configuration) { pool in
      for n in 0..<4 { try await pool.schedule { log.add("\(n)") }.value }
    }
    for thread in Set(log.entries.map(\.thread)) {
      let entries = log.entries.filter { $0.thread == thread }.map(\.text)
      #expect(entries == ["up", "0", "1", "down"] || entries == ["up", "2", "3", "down"])
    }
    #expect(log.entries.count == 8)
  }

  @Test("run the finalizer when their pool is stopped, and when it was dropped")
  func ends() async throws {
    for dropped in [false, true] {
      let log = Log()
      let (stream, ended) = AsyncStream<Void>.makeStream()
      do {
        let pool = try ThreadPool(
          .init(
            maxWorkers: 1,
            finalizer: {
              log.add("down")
              ended.finish()
            }))
        try await pool.schedule {}.value
        if !dropped { pool.stop() }
      }
      for await _ in stream {}
      #expect(log.entries.map(\.text) == ["down"])
    }
  }

  @Test("that fail to be set up tell every job why, as it was thrown")
  func broken() async throws {
    let tries = Atomic(0)
    let pool = try ThreadPool(
      .init(
        maxWorkers: 1,
        initializer: {
          tries.add(1, ordering: .relaxed)
          throw UncodableError()
        }))
    let futures = try (0..<3).map { n in try pool.schedule { n } }
    for future in futures {
      let error = await #expect(throws: InitializerError.self) { try await future.value }
      #expect(error?.cause is UncodableError)
    }
    #expect(tries.load(ordering: .relaxed) >= 3)
    pool.stop()
    try await pool.joined()
  }

  @Test("are few, and so may be the jobs that wait")
  func room() async throws {
    try await withThreadPool(.init(maxWorkers: 1, maxQueued: 1)) { pool in
      let (stream, begun) = AsyncStream<Void>.makeStream()
      let first = try pool.schedule {
        begun.finish()
        while !isJobCancelled {}
      }
      for await _ in stream {}
      let second = try pool.schedule { 2 }
      #expect { try pool.schedule { 3 } } throws: { ($0 as? PebbleError)?.code == .full }
      first.cancel()
      try await pool.room()
      #expect(try await second.value == 2)
    }
  }
}

/// What was done in which thread.
private final class Log: Sendable {
  private struct State {
    var entries: [(text: String, thread: Int)] = []
    /// A thread's name may be another's when it has ended.
    var threads: [pthread_t: Int] = [:]
    var begun = 0
  }

  private let state = Mutex(State())

  func begin() {
    state.withLock { state in
      state.begun += 1
      state.threads[pthread_self()] = state.begun
    }
    add("up")
  }

  func add(_ text: String) {
    state.withLock { $0.entries.append((text, $0.threads[pthread_self()] ?? 0)) }
  }

  var entries: [(text: String, thread: Int)] { state.withLock { $0.entries } }
}
