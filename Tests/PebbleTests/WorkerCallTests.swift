// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Synchronization
import Testing

enum TableError: Error, Codable, Equatable {
  case missing(String)
}

private let table = Mutex<[String]>([])

func loadTable(_ words: [String]) {
  table.withLock { $0 = words }
}

func lookUp(_ index: Int) -> String {
  table.withLock { $0[index] }
}

func failToLoad(_ name: String) throws {
  throw TableError.missing(name)
}

func dieLoading(_ code: Int32) {
  exit(code)
}

func openFilesLimit(_ n: Int) -> Int {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  return Int(limit.rlim_cur)
}

@Suite("The workers of a pool", .timeLimit(.minutes(5)))
struct WorkerCallTests {
  private static let load = ProcessFunction(loadTable, name: "loadTable") { ProcessCall($0).run(loadTable) }
  private static let look = ProcessFunction(lookUp, name: "lookUp") { ProcessCall($0).run(lookUp) }
  private static let fail = ProcessFunction(failToLoad, name: "failToLoad") { ProcessCall($0).run(failToLoad) }
  private static let die = ProcessFunction(dieLoading, name: "dieLoading") { ProcessCall($0).run(dieLoading) }
  private static let limit = ProcessFunction(openFilesLimit, name: "limit") { ProcessCall($0).run(openFilesLimit) }

  @Test("wait for a debugger as long as they are told", arguments: StartMethod.allCases)
  func debugger(method: StartMethod) async throws {
    let begin = ContinuousClock.now
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, debuggerTime: .milliseconds(100))) { pool in
      try await expect(try pool.schedule(Calls.square, 3), 9)
    }
    #expect(ContinuousClock.now - begin >= .milliseconds(100))
    #expect { try ProcessPool(.init(debuggerTime: .zero)) } throws: { ($0 as? PebbleError)?.code == .invalidArgument }
  }

  @Test("are set up by the initializer, each of them", arguments: StartMethod.allCases)
  func initializer(method: StartMethod) async throws {
    let configuration = ProcessPool.Configuration(
      maxWorkers: 1, maxTasks: 1, startMethod: method, initializer: try WorkerCall(Self.load, ["zero", "one"]))
    try await withProcessPool(configuration) { pool in
      try await expect(try pool.schedule(Self.look, 1), "one")
      try await expect(try pool.schedule(Self.look, 0), "zero")
    }
    #expect(table.withLock { $0.isEmpty })
  }

  @Test("that fail to be set up tell every job why", arguments: StartMethod.allCases)
  func failing(method: StartMethod) async throws {
    let configuration = ProcessPool.Configuration(
      maxWorkers: 1, startMethod: method, initializer: try WorkerCall(Self.fail, "table.bin"))
    try await withProcessPool(configuration) { pool in
      for future in [try pool.schedule(Self.look, 0), try pool.schedule(Self.look, 1)] {
        let error = await #expect(throws: InitializerError.self) { _ = try await future.value }
        #expect(error?.cause as? TableError == .missing("table.bin"))
      }
    }
  }

  @Test("that die as they are set up tell how", arguments: StartMethod.allCases)
  func dying(method: StartMethod) async throws {
    let configuration = ProcessPool.Configuration(
      maxWorkers: 1, startMethod: method, initializer: try WorkerCall(Self.die, 7))
    try await withProcessPool(configuration) { pool in
      let future = try pool.schedule(Self.look, 0)
      let error = await #expect(throws: InitializerError.self) { _ = try await future.value }
      #expect((error?.cause as? ProcessExpired)?.exitCode == 7)
    }
  }

  @Test("have the limits that the pool sets", arguments: StartMethod.allCases)
  func limits(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, limits: .init(openFiles: 60))) { pool in
      try await expect(try pool.schedule(Self.limit, 0), 60)
    }
  }

  @Test("can become more and fewer")
  func resize() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      try pool.resize(maxWorkers: 3)
      #expect(pool.maxWorkers == 3)
      #expect { try pool.resize(maxWorkers: 0) } throws: { ($0 as? PebbleError)?.code == .invalidArgument }
      try await expect(try pool.schedule(Calls.square, 3), 9)
    }
  }
}
