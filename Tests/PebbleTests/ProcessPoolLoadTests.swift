// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

func arriveAndTell(_ meeting: String) -> Int32 {
  Meeting.arrive(at: meeting)
  return getpid()
}

/// What a process that the job starts exits with.
func startChild(_ code: Int32) -> Int32 {
  let child = ["/bin/sh", "-c", "exit \(code)"].withCStrings { arguments in
    var child: pid_t = 0
    return posix_spawn(&child, "/bin/sh", nil, nil, arguments, nil) == 0 ? child : -1
  }
  var status: Int32 = 0
  return waitpid(child, &status, 0) == child ? (status >> 8) & 0xff : -1
}

extension [String] {
  fileprivate func withCStrings<R>(_ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let copies = map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}

@Suite("A process pool at work", .timeLimit(.minutes(5)))
struct ProcessPoolLoadTests {
  private static let tell = ProcessFunction(arriveAndTell) { ProcessCall($0).run(arriveAndTell) }
  private static let child = ProcessFunction(startChild) { ProcessCall($0).run(startChild) }

  @Test("runs two jobs at once in two processes, and no more than that", arguments: StartMethod.allCases)
  func processes(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 2, startMethod: method)) { pool in
      let first = Meeting()
      let second = Meeting()
      let futures = [try pool.schedule(Self.tell, first.path), try pool.schedule(Self.tell, second.path)]
      second.wait()  // while the first job still waits for its turn
      first.wait()
      var seen: Set<Int32> = []
      for future in futures { seen.insert(try await future.value) }
      for n in 0..<5 { seen.insert(try await pool.schedule(Calls.processID, n).value) }
      #expect(seen.count == 2)
      #expect(pool.statistics.started == 2)
    }
  }

  @Test("has jobs that start processes of their own", arguments: StartMethod.allCases)
  func children(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Self.child, 7), 7)
    }
  }

  @Test("can be stopped with large arguments under way", arguments: StartMethod.allCases)
  func stopLarge(method: StartMethod) async throws {
    let pool = try ProcessPool(.init(maxWorkers: 1, startMethod: method))
    let large = [UInt8](repeating: 7, count: 32 << 20)
    let futures = try (0..<4).map { _ in try pool.schedule(Calls.echo, large) }
    pool.stop()
    try await pool.joined()
    #expect(!pool.isActive && futures.allSatisfy { $0.isDone })
  }

  @Test("can have all of its jobs cancelled after the first of large ones", arguments: StartMethod.allCases)
  func cancelLarge(method: StartMethod) async throws {
    let large = [UInt8](repeating: 7, count: 16 << 20)
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let futures = try (0..<10).map { _ in try pool.schedule(Calls.echo, large) }
      #expect(try await wait(for: futures, .first).count >= 1)
      for future in futures { future.cancel() }
      pool.stop()
      #expect(try await wait(for: futures).count == 10)
    }
  }

  @Test("goes on after a worker was killed while it had nothing to do", arguments: StartMethod.allCases)
  func idleDeath(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let worker = try await pool.schedule(Calls.processID, 0).value
      kill(worker, SIGKILL)
      var (next, tries) = (worker, 0)
      while next == worker, tries < 100 {  // a job may be given to a worker that is dying
        next = (try? await pool.schedule(Calls.processID, 0).value) ?? worker
        tries += 1
      }
      #expect(next != worker)
    }
  }
}
