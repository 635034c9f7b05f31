// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

@Suite("A process pool", .timeLimit(.minutes(5)))
struct ProcessPoolTests {
  @Test("runs functions of any arity", arguments: StartMethod.allCases)
  func arity(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Calls.greet), "hello")
      try await expect(try pool.schedule(Calls.square, 7), 49)
      try await expect(try pool.schedule(Calls.add, 3, 4), 7)
      try await expect(try pool.schedule(Calls.join3, "a", 1, 2.5), "a 1 2.5")
      try await pool.schedule(Calls.nothing, 1).value
    }
  }

  @Test("runs many jobs", arguments: StartMethod.allCases)
  func many(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let futures = try (0..<1000).map { try pool.schedule(Calls.square, $0) }
      var sum = 0
      for future in futures { sum += try await future.value }
      #expect(sum == (0..<1000).reduce(0) { $0 + $1 * $1 })
    }
  }

  @Test("begins jobs of a higher priority first", arguments: StartMethod.allCases)
  func priorities(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let meeting = Meeting()
      let first = try pool.schedule(Calls.arriveAndHang, meeting.path)
      meeting.wait()
      let finished = try Queue<Int>()
      for priority in [0, -16, 15, 3] {
        let job = try pool.schedule(Calls.square, priority, priority: priority)
        try job.onDone { _ in _ = try? finished.offer(priority) }
      }
      first.cancel()
      for priority in [15, 3, 0, -16] { #expect(try await finished.get() == priority) }
      #expect { try pool.schedule(Calls.square, 1, priority: 16) } throws: {
        ($0 as? PebbleError)?.code == .invalidArgument
      }
    }
  }

  @Test("replaces a worker after maxTasks jobs", arguments: StartMethod.allCases)
  func maxTasks(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, maxTasks: 2, startMethod: method)) { pool in
      var ids: [Int32] = []
      for n in 0..<4 { ids.append(try await pool.schedule(Calls.processID, n).value) }
      #expect(Set(ids).count == 2)
      #expect(ids[0] == ids[1] && ids[2] == ids[3])
    }
  }

  @Test("runs async functions, with tasks, actors and sleeps", arguments: StartMethod.allCases)
  func asynchronous(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Calls.sumInTasks, 100), 5050)
      try await expect(try pool.schedule(Calls.sumInTasks, 10), 55)
    }
  }

  @Test("serves the main actor on the worker's main thread", arguments: StartMethod.allCases)
  func mainActor(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Calls.hopToMainActor, 1), true)
    }
  }

  @Test("can be made inside a job", arguments: StartMethod.allCases)
  func inside(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Calls.poolInside, 5), 30)
    }
  }

  @Test("carries large arguments and results", arguments: StartMethod.allCases)
  func large(method: StartMethod) async throws {
    let bytes = [UInt8](unsafeUninitializedCapacity: 107 << 20) { buffer, count in
      for i in buffer.indices { buffer[i] = UInt8(truncatingIfNeeded: i &* 31) }
      count = buffer.count
    }
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Calls.echo, bytes), bytes)
      // From the second on they go another way, and lie in huge pages.
      for count in [5_242_881, 34_603_007, bytes.count] {
        let some = Array(bytes.prefix(count))
        try await expect(try pool.schedule(Calls.echo, some), some)
      }
      let halves = (0..<100_000).map { Double($0) / 2 }
      try await expect(try pool.schedule(Calls.around, Array(bytes.prefix(200_000)), 3, halves), halves + [200_003])
    }
  }

  @Test("refuses arguments above maxPayload")
  func tooLarge() async throws {
    try await withProcessPool(.init(maxWorkers: 1, maxPayload: 1000)) { pool in
      #expect { try pool.schedule(Calls.echo, Array(repeating: 1, count: 2000)) } throws: {
        ($0 as? PebbleError)?.code == .tooLarge
      }
      try await expect(try pool.schedule(Calls.square, 2), 4)
    }
  }

  @Test("is active until it is closed and done")
  func active() async throws {
    let pool = try ProcessPool(maxWorkers: 1)
    #expect(pool.isActive)
    let future = try pool.schedule(Calls.square, 1)
    pool.close()
    _ = try await future.value
    try await pool.joined()
    #expect(!pool.isActive)
    #expect { try pool.schedule(Calls.square, 1) } throws: { ($0 as? PebbleError)?.code == .closed }
  }

  @Test("finishes its jobs when closed", arguments: StartMethod.allCases)
  func close(method: StartMethod) async throws {
    let pool = try ProcessPool(.init(maxWorkers: 2, startMethod: method))
    let futures = try (0..<10).map { try pool.schedule(Calls.square, $0) }
    pool.close()
    try await pool.joined()
    let allDone = futures.allSatisfy(\.isDone)
    #expect(allDone)
    #expect(pool.statistics.workers == 0)
    #expect(pool.statistics.done == 10)
  }

  @Test("resolves every future when stopped", arguments: StartMethod.allCases)
  func stop(method: StartMethod) async throws {
    let pool = try ProcessPool(.init(maxWorkers: 2, startMethod: method))
    let futures = try (0..<10).map { try pool.schedule(Calls.hang, $0) }
    pool.stop()
    try await pool.joined()
    #expect(!pool.isActive)
    for future in futures {
      #expect(future.isDone)
      await #expect { try await future.value } throws: {
        $0 is CancellationError || ($0 as? PebbleError)?.code == .stopped
      }
    }
    #expect(pool.statistics.workers == 0)
  }

  @Test("cannot be joined while open, and join can run out of time")
  func join() throws {
    let pool = try ProcessPool(maxWorkers: 1)
    #expect { try pool.join() } throws: { ($0 as? PebbleError)?.code == .stillOpen }
    let meeting = Meeting()
    let future = try pool.schedule(Calls.arriveAndHang, meeting.path)
    meeting.wait()
    pool.close()
    #expect { try pool.join(timeout: .milliseconds(50)) } throws: { ($0 as? TimeoutError)?.limit == .wait }
    pool.stop()
    try pool.join(timeout: .seconds(30))
    #expect(throws: CancellationError.self) { try future.result() }
  }

  @Test("is stopped by an error that leaves its scope")
  func scopeError() async throws {
    let kept = Kept()
    await #expect(throws: OrderError.missing("scope")) {
      try await withProcessPool(maxWorkers: 1) { pool in
        kept.future = try pool.schedule(Calls.hang, 0)
        throw OrderError.missing("scope")
      }
    }
    #expect(kept.future?.isDone == true)
  }

  @Test(
    "checks its configuration",
    arguments: [
      ProcessPool.Configuration(maxWorkers: 0), .init(maxWorkers: -1), .init(maxWorkers: 70_000), .init(maxTasks: 0),
      .init(maxPayload: 0), .init(startTimeout: .zero), .init(maxAge: .zero), .init(maxMemory: 0),
      .init(idleTimeout: .seconds(-1)), .init(limits: .init(openFiles: 0)), .init(limits: .init(nice: 20)),
      .init(grace: .zero), .init(maxQueued: 0), .init(spareWorkers: -1),
    ])
  func configuration(_ configuration: ProcessPool.Configuration) {
    #expect { try ProcessPool(configuration) } throws: { ($0 as? PebbleError)?.code == .invalidArgument }
  }

  @Test("stays hidden from the program's own wait", arguments: StartMethod.allCases)
  func hidden(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let worker = try await pool.schedule(Calls.processID, 0).value
      #expect(waitpid(worker, nil, WNOHANG) == -1 && errno == ECHILD)
    }
  }
}

private final class Kept: @unchecked Sendable {  // used by one task at a time
  var future: ProcessFuture<Int>?
}
