// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Synchronization
import Testing

@Suite("A process future", .timeLimit(.minutes(5)))
struct ProcessFutureTests {
  @Test("gives its value to blocking and to asynchronous callers")
  func values() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let future = try pool.schedule(Calls.square, 3)
      #expect(try blockingResult(of: future) == 9)
      try await expect(future, 9)
      #expect(future.isDone && !future.isRunning)
    }
  }

  @Test("throws a Codable error as the same type", arguments: StartMethod.allCases)
  func sameError(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      await #expect(throws: OrderError.tooMany(11, of: "apples")) { try await pool.schedule(Calls.order, 11).value }
      try await expect(try pool.schedule(Calls.order, 10), 10)
    }
  }

  @Test("throws any other error as a RemoteError")
  func remoteError() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      await #expect {
        try await pool.schedule(Calls.throwUncodable, 0).value
      } throws: {
        let error = $0 as? RemoteError
        return error?.typeName == "PebbleTests.UncodableError" && error?.description == "not to be copied"
      }
      await #expect(throws: CancellationError.self) { try await pool.schedule(Calls.throwCancellation, 0).value }
    }
  }

  @Test("has an error that was returned as its value")
  func returnedError() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      try await expect(try pool.schedule(Calls.returnError, 4), .missing("4"))
    }
  }

  @Test("fails alone when something cannot be coded", arguments: StartMethod.allCases)
  func undecodable(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      for failing in [
        { _ = try await pool.schedule(Calls.makeUndecodable, 1).value },
        { _ = try await pool.schedule(Calls.makeUnencodable, 1).value },
        { _ = try await pool.schedule(Calls.takeUndecodable, Undecodable(value: 1)).value },
      ] as [() async throws -> Void] {
        await #expect { try await failing() } throws: { ($0 as? PebbleError)?.code == .undecodable }
      }
      try await expect(try pool.schedule(Calls.square, 2), 4)
      #expect(pool.statistics.started == 1)
    }
  }

  @Test("times out when its job runs too long, and the worker is replaced", arguments: StartMethod.allCases)
  func timeout(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let before = try await pool.schedule(Calls.processID, 0).value
      for function in [Calls.hang, Calls.spin, Calls.ignoreTerm] {
        let future = try pool.schedule(function, 0, timeout: .milliseconds(100))
        await #expect { try await future.value } throws: {
          guard let error = $0 as? TimeoutError else { return false }
          return error.limit == .timeout && error.length == .milliseconds(100) && error.runTime >= error.length
        }
        #expect(waitUntilGone(future))
      }
      #expect(kill(before, 0) == -1 && errno == ESRCH)
      let after = try await pool.schedule(Calls.processID, 0).value
      #expect(after != before)
    }
  }

  @Test("times out while its job waits")
  func queueTimeout() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let busy = try pool.schedule(Calls.hang, 0)
      let waiting = try pool.schedule(Calls.square, 1, queueTimeout: .milliseconds(50))
      await #expect { try await waiting.value } throws: { ($0 as? TimeoutError)?.limit == .queueTimeout }
      let late = try pool.schedule(Calls.square, 1, deadline: .milliseconds(50))
      await #expect { try await late.value } throws: { ($0 as? TimeoutError)?.limit == .deadline }
      busy.cancel()
    }
  }

  @Test("refuses limits that are not positive", arguments: [Duration.zero, .seconds(-1)])
  func badLimit(limit: Duration) async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      #expect { try pool.schedule(Calls.square, 1, timeout: limit) } throws: {
        ($0 as? PebbleError)?.code == .invalidArgument
      }
    }
  }

  @Test("lets a caller stop waiting while the job goes on")
  func waitLimit() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let future = try pool.schedule(Calls.hang, 1)
      #expect { try blockingResult(of: future, timeout: .milliseconds(20)) } throws: {
        ($0 as? TimeoutError)?.limit == .wait
      }
      #expect(!future.isDone)
      future.cancel()
    }
  }

  @Test("can be cancelled while it runs, and its worker goes", arguments: StartMethod.allCases)
  func cancelRunning(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let before = try await pool.schedule(Calls.processID, 0).value
      let meeting = Meeting()
      let future = try pool.schedule(Calls.arriveAndHang, meeting.path)
      meeting.wait()
      #expect(future.isRunning)
      #expect(future.cancel() == .wasRunning)
      await #expect(throws: CancellationError.self) { try await future.value }
      #expect(future.cancel() == .tooLate)
      #expect(waitUntilGone(future))
      #expect(kill(before, 0) == -1 && errno == ESRCH)
      let after = try await pool.schedule(Calls.processID, 0).value
      #expect(after != before)
    }
  }

  @Test("never runs when it is cancelled while it waits")
  func cancelWaiting() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let busy = try pool.schedule(Calls.hang, 0)
      let waiting = try (0..<100).map { try pool.schedule(Calls.die, Int32($0)) }
      for future in waiting { #expect(future.cancel() == .neverStarted) }
      busy.cancel()
      try await expect(try pool.schedule(Calls.square, 3), 9)
      #expect(pool.statistics.expired == 0)
    }
  }

  @Test("has its job run again when the worker died, up to a bound", arguments: StartMethod.allCases)
  func retries(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, maxDeaths: 2)) { pool in
      let few = try pool.schedule(Calls.die, SIGKILL, retries: 1)
      let once = try pool.schedule(Calls.die, SIGKILL)
      let many = try pool.schedule(Calls.die, SIGKILL, retries: 100)
      let first = await #expect(throws: ProcessExpired.self) { _ = try await few.value }
      #expect(first?.deaths == 2 && first?.isPoisonous == false)
      let second = await #expect(throws: ProcessExpired.self) { _ = try await once.value }
      #expect(second?.deaths == 1 && second?.isPoisonous == false)
      let third = await #expect(throws: ProcessExpired.self) { _ = try await many.value }
      #expect(third?.deaths == 2 && third?.isPoisonous == true)
      #expect(pool.statistics.retried == 2)
      #expect { try pool.schedule(Calls.die, SIGKILL, retries: -1) } throws: {
        ($0 as? PebbleError)?.code == .invalidArgument
      }
    }
  }

  @Test("is cancelled with the task that awaits it", arguments: StartMethod.allCases)
  func cancelTask(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let meeting = Meeting()
      let future = try pool.schedule(Calls.arriveAndSpin, meeting.path)
      let task = Task { try await future.value }
      meeting.wait()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(waitUntilGone(future))
      try await expect(try pool.schedule(Calls.square, 3), 9)
    }
  }

  @Test("tells how its worker died", arguments: StartMethod.allCases)
  func expired(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      for code in [0, 1, 123] as [Int32] {
        await #expect { try await pool.schedule(Calls.leave, code).value } throws: {
          let error = $0 as? ProcessExpired
          return error?.exitCode == code && error?.signal == nil && (error?.processID ?? 0) > 0
        }
      }
      for (signal, name) in [(SIGKILL, "SIGKILL"), (SIGSEGV, "SIGSEGV"), (SIGABRT, "SIGABRT")] {
        await #expect { try await pool.schedule(Calls.die, signal).value } throws: {
          let error = $0 as? ProcessExpired
          return error?.exitCode == nil && error?.signal == name
        }
      }
      await #expect { try await pool.schedule(Calls.element, 5).value } throws: {
        let error = $0 as? ProcessExpired
        return ["SIGILL", "SIGTRAP"].contains(error?.signal) && error?.function == "element"
      }
      try await expect(try pool.schedule(Calls.square, 2), 4)
    }
  }

  @Test("calls back once, with value, error, timeout and cancellation")
  func callbacks() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      for (function, argument, limit) in [
        (Calls.square, 3, nil), (Calls.order, 11, nil), (Calls.hang, 0, Duration.milliseconds(50)),
      ] {
        let future = try pool.schedule(function, argument, timeout: limit)
        let results = AsyncStream<String>.makeStream()
        try future.onDone { result in
          switch result {
          case .success(let value): results.continuation.yield("\(value)")
          case .failure(let error): results.continuation.yield("\(type(of: error))")
          }
          results.continuation.finish()
        }
        var seen: [String] = []
        for await result in results.stream { seen.append(result) }
        #expect(seen.count == 1)
        #expect(["9", "OrderError", "TimeoutError"].contains(seen[0]))
      }
    }
  }

  @Test("may stop its pool from a callback, which may block")
  func stopInCallback() async throws {
    let pool = try ProcessPool(maxWorkers: 1)
    let stopped = AsyncStream<Void>.makeStream()
    try pool.schedule(Calls.square, 1).onDone { _ in
      pool.stop()
      stopped.continuation.finish()
    }
    for await _ in stopped.stream {}
    #expect { try pool.schedule(Calls.square, 1) } throws: { ($0 as? PebbleError)?.code == .closed }
    try await pool.joined()
    #expect(!pool.isActive)
  }

  @Test("has one outcome when cancelling races with completion")
  func race() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      for _ in 0..<300 {
        let future = try pool.schedule(Calls.square, 3)
        let answer = await Task.detached { future.cancel() }.value
        switch answer {
        case .tooLate: try await expect(future, 9)
        default: await #expect(throws: CancellationError.self) { try await future.value }
        }
      }
    }
  }
}

// The blocking forms, from asynchronous tests.
func blockingResult<Value>(of future: ProcessFuture<Value>, timeout: Duration? = nil) throws -> Value {
  try future.result(timeout: timeout)
}

func waitUntilGone<Value>(_ future: ProcessFuture<Value>) -> Bool {
  future.waitUntilGone(timeout: .seconds(30))
}
