// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
import Pebble
import Synchronization
import Testing

/// What a job waits for: until a test opens it, or the job is not wanted any more.
private final class Gate: Sendable {
  private let isOpen = Mutex(false)
  private let arrivals = DispatchSemaphore(value: 0)

  func open() { isOpen.withLock { $0 = true } }

  /// In a job.
  func wait() {
    arrivals.signal()
    while !isOpen.withLock({ $0 }) && !isJobCancelled { sched_yield() }
  }

  /// In a job, which does not look at whether it is wanted.
  func waitStubbornly() {
    arrivals.signal()
    while !isOpen.withLock({ $0 }) { sched_yield() }
  }

  func arrival() async {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "gate").async { [arrivals] in
        arrivals.wait()
        continuation.resume()
      }
    }
  }
}

private final class Uncodable: Sendable {
  let value: Int
  init(_ value: Int) { self.value = value }
}

@Suite("A thread pool", .timeLimit(.minutes(5)))
struct ThreadPoolTests {
  @Test("runs closures, which may capture and return anything")
  func values() async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      let captured = Uncodable(20)
      let futures = try (0..<100).map { n in try pool.schedule { Uncodable(captured.value + n) } }
      var sum = 0
      for future in futures { sum += try await future.value.value }
      #expect(sum == 100 * 20 + 99 * 50)
      #expect(try blockingResult(of: try pool.schedule { getpid() }) == getpid())
      #expect(pool.statistics.done == 101)
    }
  }

  @Test("throws what was thrown, and the next job is unharmed")
  func errors() async throws {
    try await withThreadPool(maxWorkers: 1) { pool in
      let failing: Future<Int> = try pool.schedule { throw UncodableError() }
      let error = await #expect(throws: UncodableError.self) { try await failing.value }
      #expect(error?.description == "not to be copied")
      try await expect(try pool.schedule { 3 }, 3)
    }
  }

  @Test("runs as many jobs at once as it has threads")
  func threads() async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      let gates = [Gate(), Gate()]
      let futures = try gates.map { gate in
        try pool.schedule {
          gate.wait()
          return pthread_self()
        }
      }
      for gate in gates { await gate.arrival() }
      for gate in gates { gate.open() }
      let first = try await futures[0].value
      let second = try await futures[1].value
      #expect(first != second)
      #expect(pool.statistics.started == 2)
    }
  }

  @Test("replaces a thread after maxTasks jobs")
  func maxTasks() async throws {
    try await withThreadPool(maxWorkers: 1, maxTasks: 2) { pool in
      for n in 0..<4 { try await expect(try pool.schedule { n }, n) }
      #expect(pool.statistics.started == 2)
    }
  }

  @Test("never runs a job that is cancelled while it waits, and frees it")
  func cancelWaiting() async throws {
    try await withThreadPool(maxWorkers: 1) { pool in
      let gate = Gate()
      let busy = try pool.schedule { gate.wait() }
      await gate.arrival()
      weak var kept: Uncodable?
      let ran = Mutex(false)
      do {
        let captured = Uncodable(1)
        kept = captured
        let waiting = try pool.schedule { ran.withLock { $0 = captured.value == 1 } }
        #expect(waiting.state == .pending)
        #expect(waiting.cancel() == .neverStarted)
        await #expect(throws: CancellationError.self) { try await waiting.value }
      }
      gate.open()
      try await busy.value
      #expect(!ran.withLock { $0 })
      #expect(kept == nil)
    }
  }

  @Test("tells a running job that it is cancelled, and waits for its end")
  func cancelRunning() async throws {
    try await withThreadPool(maxWorkers: 1) { pool in
      let gate = Gate()
      let sawIt = Mutex(false)
      let future = try pool.schedule {
        gate.wait()
        sawIt.withLock { $0 = isJobCancelled }
      }
      await gate.arrival()
      #expect(future.cancel() == .wasRunning)
      await #expect(throws: CancellationError.self) { try await future.value }
      await future.gone()
      #expect(sawIt.withLock { $0 })
      #expect(!isJobCancelled)
    }
  }

  @Test("ends a future at its limit, though the job goes on")
  func timeout() async throws {
    try await withThreadPool(maxWorkers: 1) { pool in
      let gate = Gate()
      let future = try pool.schedule(timeout: .milliseconds(20)) { gate.waitStubbornly() }
      await #expect { try await future.value } throws: { ($0 as? TimeoutError)?.limit == .timeout }
      let next = try pool.schedule { 1 }
      #expect(next.state == .pending)
      gate.open()
      try await expect(next, 1)
    }
  }

  @Test("is cancelled with the task that awaits it")
  func cancelTask() async throws {
    try await withThreadPool(maxWorkers: 1) { pool in
      let gate = Gate()
      let task = Task { try await pool.schedule { gate.wait() }.value }
      await gate.arrival()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  @Test("calls back, and may be stopped from a callback or a job")
  func stopInside() async throws {
    for inJob in [true, false] {
      let pool = try ThreadPool(maxWorkers: 1)
      let called = AsyncStream<Int>.makeStream()
      let future = try pool.schedule {
        if inJob { pool.stop() }
        return 7
      }
      try future.onDone { result in
        if !inJob { pool.stop() }
        called.continuation.yield((try? result.get()) ?? 0)
        called.continuation.finish()
      }
      // Whether the job that stops its pool has its value or is cancelled depends on who is faster.
      for await value in called.stream { #expect(value == 7 || inJob) }
      #expect { try pool.schedule { 1 } } throws: { ($0 as? PebbleError)?.code == .closed }
      try await pool.joined()
      #expect(!pool.isActive)
    }
  }

  @Test("finishes its jobs when closed, resolves them when stopped")
  func ends() async throws {
    let closed = try ThreadPool(maxWorkers: 2)
    let futures = try (0..<10).map { n in try closed.schedule { n } }
    closed.close()
    try await closed.joined()
    #expect(futures.allSatisfy { $0.isDone } && closed.statistics.workers == 0)

    let stopped = try ThreadPool(maxWorkers: 1)
    let gate = Gate()
    let hanging = try (0..<10).map { _ in try stopped.schedule { gate.wait() } }
    stopped.stop()
    try await stopped.joined()
    for future in hanging { #expect(throws: (any Error).self) { try blockingResult(of: future) } }
    #expect(!stopped.isActive && stopped.statistics.workers == 0)
  }

  @Test("cannot be joined while open, and join can run out of time")
  func join() async throws {
    let pool = try ThreadPool(maxWorkers: 1)
    #expect { try blockingJoin(pool, nil) } throws: { ($0 as? PebbleError)?.code == .stillOpen }
    let gate = Gate()
    let future = try pool.schedule { gate.waitStubbornly() }
    await gate.arrival()
    pool.close()
    #expect { try blockingJoin(pool, .milliseconds(20)) } throws: { ($0 as? TimeoutError)?.limit == .wait }
    pool.stop()
    #expect(throws: CancellationError.self) { try blockingResult(of: future) }  // while it still runs
    gate.open()
    try await pool.joined()
  }

  @Test("has futures that can be waited for with those of processes")
  func mixed() async throws {
    try await withThreadPool(maxWorkers: 1) { threads in
      try await withProcessPool(maxWorkers: 1) { processes in
        let futures = [try threads.schedule { 1 }, try processes.schedule(Calls.square, 2)]
        #expect(try await wait(for: futures).count == 2)
        var values: Set<Int> = []
        for await future in asCompleted(futures) { values.insert(try await future.value) }
        #expect(values == [1, 4])
      }
    }
  }

  @Test(
    "checks its configuration",
    arguments: [ThreadPool.Configuration(maxWorkers: 0), .init(maxTasks: 0), .init(maxQueued: 0)])
  func configuration(_ configuration: ThreadPool.Configuration) {
    #expect { try ThreadPool(configuration) } throws: { ($0 as? PebbleError)?.code == .invalidArgument }
  }

  @Test("has one outcome when cancelling races with completion")
  func race() async throws {
    try await withThreadPool(maxWorkers: 2) { pool in
      for n in 0..<1000 {
        let future = try pool.schedule { n }
        switch await Task.detached(operation: { future.cancel() }).value {
        case .tooLate: try await expect(future, n)
        default: await #expect(throws: CancellationError.self) { try await future.value }
        }
      }
    }
  }
}

private func blockingJoin(_ pool: ThreadPool, _ timeout: Duration?) throws {
  try pool.join(timeout: timeout)
}
