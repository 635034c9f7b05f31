// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

/// Nodes that are all this machine: agents that are started by plain commands.
@Suite("A pool with nodes", .timeLimit(.minutes(5)))
struct NodeTests {
  private static func configuration(
    _ nodes: [String] = ["n1"], command: [String] = ["env"], maxWorkers: Int = 1
  ) -> ProcessPool.Configuration {
    .init(maxWorkers: maxWorkers, execution: .nodes(nodes, command: command))
  }

  @Test("runs jobs there, with their results and errors")
  func jobs() async throws {
    try await withProcessPool(Self.configuration(["n1", "n2"], maxWorkers: 2)) { pool in
      #expect(pool.nodeStatistics.map(\.name) == ["n1", "n2"])
      #expect(pool.nodeStatistics.allSatisfy { $0.state == .down })
      try await expect(try pool.schedule(Calls.join3, "a", 1, 2.5), "a 1 2.5")
      let bytes = [UInt8](repeating: 7, count: 3_000_000)
      try await expect(try pool.schedule(Calls.echo, bytes), bytes)
      let processID = try await pool.schedule(Calls.processID, 0).value
      #expect(processID != getpid())
      await #expect(throws: OrderError.tooMany(11, of: "apples")) { try await pool.schedule(Calls.order, 11).value }
      await #expect(throws: RemoteError.self) { try await pool.schedule(Calls.throwUncodable, 0).value }
    }
  }

  @Test("tells of a crash and a timeout there as of those here")
  func ends() async throws {
    try await withProcessPool(Self.configuration()) { pool in
      let crash = try pool.schedule(Calls.die, SIGSEGV)
      let died = await #expect(throws: ProcessExpired.self) { _ = try await crash.value }
      #expect(died?.signal == "SIGSEGV")
      #expect(died?.node == "n1")
      #expect(died?.description.contains(" on n1 crashed: SIGSEGV") == true)
      let late = try pool.schedule(Calls.hang, 0, timeout: .milliseconds(300))
      await #expect(throws: TimeoutError.self) { _ = try await late.value }
      try await expect(try pool.schedule(Calls.square, 3), 9)
    }
  }

  @Test("maps over several machines")
  func map() async throws {
    try await withProcessPool(Self.configuration(["n1", "n2"], maxWorkers: 2)) { pool in
      var squares: [Int] = []
      for try await square in try pool.map(Calls.square, 0..<100, chunkSize: 3) { squares.append(square) }
      #expect(squares == (0..<100).map { $0 * $0 })
    }
  }

  @Test("tells that a node was lost, and goes on")
  func loss() async throws {
    let meeting = Meeting()
    let file = meeting.path + ".pid"
    defer { unlink(file) }
    let command = ["sh", "-c", "echo $$ >\(file); exec \"$0\" \"$@\""]
    try await withProcessPool(Self.configuration(command: command)) { pool in
      let job = try pool.schedule(Calls.arriveAndHang, meeting.path)
      meeting.wait()
      let agent = try #require(Self.number(in: file))
      kill(agent, SIGKILL)
      let lost = await #expect(throws: NodeLost.self) { _ = try await job.value }
      #expect(lost?.node == "n1")
      #expect(lost?.description.hasPrefix("node n1 was lost with") == true)
      try await expect(try pool.schedule(Calls.square, 3), 9)
      let nodesLost = pool.statistics.outcomes.nodesLost
      #expect(nodesLost == 1)
      let node = try #require(pool.nodeStatistics.first)
      #expect(node.name == "n1" && node.state == .up && node.slots == 1 && node.running == 0)
      #expect(node.joined == 2 && node.losses == 1 && node.lostJobs == 1 && node.done == 1)
    }
  }

  private static func number(in path: String) -> Int32? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 32)
    guard fgets(&text, 32, file) != nil else { return nil }
    return Int32(atoi(text))
  }

  @Test("refuses jobs when no node can be started")
  func unreachable() async throws {
    try await withProcessPool(Self.configuration(command: ["/nowhere/at/all"])) { pool in
      let job = try pool.schedule(Calls.square, 3)
      await #expect { try await job.value } throws: { ($0 as? PebbleError)?.code == .nodeStart }
    }
  }

  @Test(
    "checks what it is given",
    arguments: [
      JobExecution.nodes([], command: ["env"]), .nodes(["n1"], command: []), .slurm(nodes: 0), .slurm(nodes: 65_537),
      .slurm(contact: .init(joinTimeout: .zero)), .slurm(contact: .init(beat: .zero)),
      .nodes(["n1"], command: ["env"], contact: .init(beat: .seconds(2), lostAfter: .seconds(2))),
    ])
  func arguments(_ execution: JobExecution) {
    #expect { try ProcessPool(.init(execution: execution)) } throws: {
      ($0 as? PebbleError)?.code == .invalidArgument
    }
  }
}
