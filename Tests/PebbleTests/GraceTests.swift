// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

/// Runs until nobody waits for it any more, and then meets the test.
func runUntilUnwanted(_ begin: String, _ end: String) -> Int {
  Meeting.arrive(at: begin)
  while !isJobCancelled { usleep(100) }
  Meeting.arrive(at: end)
  return 0
}

func awaitUntilUnwanted(_ begin: String, _ end: String) async -> Int {
  Meeting.arrive(at: begin)
  // Sleeping ends at once when the task is cancelled.
  do { try await Task.sleep(for: .seconds(1000)) } catch { if Task.isCancelled { Meeting.arrive(at: end) } }
  return 0
}

@Suite("A job that nobody waits for", .timeLimit(.minutes(5)))
struct GraceTests {
  private static let synchronous = ProcessFunction(runUntilUnwanted, name: "runUntilUnwanted") {
    ProcessCall($0).run(runUntilUnwanted)
  }
  private static let asynchronous = ProcessFunction(awaitUntilUnwanted, name: "awaitUntilUnwanted") {
    ProcessCall($0).run(awaitUntilUnwanted)
  }

  @Test("learns of it within its grace, and its worker lives on", arguments: StartMethod.allCases, [true, false])
  func grace(method: StartMethod, isAsync: Bool) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, grace: .seconds(50), spareWorkers: 0)) { pool in
      let worker = try await pool.schedule(Calls.processID, 0).value
      let begin = Meeting()
      let end = Meeting()
      let function = isAsync ? Self.asynchronous : Self.synchronous
      let future = try pool.schedule(function, begin.path, end.path)
      begin.wait()
      #expect(future.cancel() == .wasRunning)
      await #expect(throws: CancellationError.self) { _ = try await future.value }
      end.wait()
      await future.gone()
      #expect(kill(worker, 0) == 0)
      #expect(pool.statistics.killed == 0)
    }
  }

  @Test("is told when its time is over", arguments: StartMethod.allCases)
  func timeout(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, grace: .seconds(50))) { pool in
      let begin = Meeting()
      let end = Meeting()
      let future = try pool.schedule(Self.synchronous, begin.path, end.path, timeout: .milliseconds(200))
      begin.wait()
      await #expect(throws: TimeoutError.self) { _ = try await future.value }
      end.wait()
    }
  }

  @Test("is killed when it does not listen", arguments: StartMethod.allCases)
  func deaf(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, grace: .milliseconds(20))) { pool in
      let meeting = Meeting()
      let future = try pool.schedule(Calls.arriveAndSpin, meeting.path)
      meeting.wait()
      future.cancel()
      await future.gone()
      try await expect(try pool.schedule(Calls.square, 3), 9)
    }
  }
}

@Suite("A bounded pool", .timeLimit(.minutes(5)))
struct BoundedPoolTests {
  @Test("refuses jobs when it is full, and tells when there is room", arguments: StartMethod.allCases)
  func full(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, maxQueued: 1)) { pool in
      let meeting = Meeting()
      let running = try pool.schedule(Calls.arriveAndHang, meeting.path)
      meeting.wait()
      let waiting = try pool.schedule(Calls.square, 2)
      #expect { try pool.schedule(Calls.square, 3) } throws: { ($0 as? PebbleError)?.code == .full }
      async let room: Void = pool.room()
      running.cancel()
      try await room
      try await expect(waiting, 4)
      try await pool.room()
      try await expect(try pool.schedule(Calls.square, 3), 9)
    }
  }

  @Test("counts outcomes by their kind, and times")
  func statistics() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      for n in 0..<5 { try await expect(try pool.schedule(Calls.square, n), n * n) }
      await #expect(throws: ProcessExpired.self) { _ = try await pool.schedule(Calls.leave, 3).value }
      await #expect(throws: TimeoutError.self) {
        _ = try await pool.schedule(Calls.hang, 1, timeout: .milliseconds(20)).value
      }
      let outcomes = pool.statistics.outcomes
      #expect(outcomes.succeeded == 5 && outcomes.expired == 1 && outcomes.timedOut == 1)
      #expect(outcomes.failed == 0 && outcomes.cancelled == 0 && outcomes.notRun == 0)
      let times = pool.statistics.runTimes
      #expect(times.median > .zero && times.median <= times.p90 && times.p99 <= times.longest)
    }
  }
}
