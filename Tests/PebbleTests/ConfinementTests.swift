// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

/// What comes of opening a file: 0, or the error's number.
func openFile(_ path: String) -> Int32 {
  let descriptor = open(path, O_RDONLY)
  defer { close(descriptor) }
  return descriptor < 0 ? errno : 0
}

/// The same on threads of the Swift runtime.
func openFiles(_ path: String, _ count: Int) async -> [Int32] {
  await withTaskGroup(of: Int32.self) { group in
    for _ in 0..<count {
      group.addTask {
        try? await Task.sleep(for: .milliseconds(1))
        return openFile(path)
      }
    }
    return await group.reduce(into: []) { $0.append($1) }
  }
}

func giveUp(_ why: String) -> Int {
  fatalError(why)
}

func setNothingUp() async {
  await Task.yield()
  try? await Task.sleep(for: .milliseconds(1))
}

@Suite(
  "Confined workers", .timeLimit(.minutes(5)),
  .disabled(if: Tool.current == .threadSanitizer, "it has a thread in each process, which would not be confined"))
struct ConfinementTests {
  private static let open = ProcessFunction(openFile, name: "open") { ProcessCall($0).run(openFile) }
  private static let openMany = ProcessFunction(openFiles, name: "openMany") { ProcessCall($0).run(openFiles) }
  private static let crash = ProcessFunction(giveUp, name: "crash") { ProcessCall($0).run(giveUp) }
  private static let setUp = ProcessFunction(setNothingUp, name: "setUp") { ProcessCall($0).run(setNothingUp) }

  private func configuration(_ paths: [String], _ method: StartMethod) -> ProcessPool.Configuration {
    .init(maxWorkers: 1, startMethod: method, confinement: .init(readablePaths: paths))
  }

  @Test("that compute open no files, on any thread", arguments: StartMethod.allCases)
  func computing(method: StartMethod) async throws {
    try await withProcessPool(configuration([], method)) { pool in
      try await expect(try pool.schedule(Self.open, "/etc/passwd"), EACCES)
      let all = try await pool.schedule(Self.openMany, "/etc/passwd", 20).value
      #expect(all == Array(repeating: EACCES, count: 20))
    }
  }

  @Test("that read open what they may", arguments: StartMethod.allCases)
  func reading(method: StartMethod) async throws {
    try await withProcessPool(configuration(["/usr", "/etc/passwd"], method)) { pool in
      try await expect(try pool.schedule(Self.open, "/etc/passwd"), 0)
      try await expect(try pool.schedule(Self.open, "/usr/include/stdio.h"), 0)
      try await expect(try pool.schedule(Self.open, "/etc/group"), EACCES)
      let all = try await pool.schedule(Self.openMany, "/etc/group", 20).value
      #expect(all == Array(repeating: EACCES, count: 20))
    }
  }

  @Test("tell why they crashed", arguments: StartMethod.allCases)
  func crashing(method: StartMethod) async throws {
    var quiet = configuration([], method)
    quiet.standardError = .discard
    try await withProcessPool(quiet) { pool in
      let error = await #expect(throws: ProcessExpired.self) { try await pool.schedule(Self.crash, "no way").value }
      #expect(error?.description.contains("no way") == true)
    }
  }

  @Test("cannot have threads from before", arguments: StartMethod.allCases)
  func initializers(method: StartMethod) async throws {
    var threaded = configuration([], method)
    threaded.initializer = try WorkerCall(Self.setUp)
    try await withProcessPool(threaded) { pool in
      let error = await #expect(throws: PebbleError.self) { try await pool.schedule(Self.open, "/usr").value }
      #expect(error?.code == .confinement)
      #expect(error?.errno == EBUSY)
    }
  }

  @Test("that cannot be so are not made, or say so", arguments: StartMethod.allCases)
  func impossible(method: StartMethod) async throws {
    let error = #expect(throws: PebbleError.self) { try ProcessPool(configuration(["usr"], method)) }
    #expect(error?.code == .invalidArgument)
    try await withProcessPool(configuration(["/no/such/file"], method)) { pool in
      let error = await #expect(throws: PebbleError.self) { try await pool.schedule(Self.open, "/usr").value }
      #expect(error?.code == .confinement)
      #expect(error?.errno == ENOENT)
    }
  }
}
