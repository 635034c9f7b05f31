// SPDX-License-Identifier: Apache-2.0

/// A worker process, as /proc shows it.
struct WorkerEntry: Equatable {
  var processID: Int32
  var pool: String
  var number: Int
  /// Nil when it has none.
  var job: String?
  /// As in /proc/PID/stat: R, S, D, T, Z.
  var state: Character
  var cpuSeconds: Double
  var residentBytes: Int

  /// Reads a process title: "pebble: POOL worker N" or "pebble: POOL worker N: JOB".
  static func parse(title: String) -> (pool: String, number: Int, job: String?)? {
    let prefix = "pebble: "
    guard title.hasPrefix(prefix), let range = title.firstRange(of: " worker ") else { return nil }
    let pool = title[title.index(title.startIndex, offsetBy: prefix.count)..<range.lowerBound]
    let rest = title[range.upperBound...].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let number = Int(rest[0]) else { return nil }
    return (String(pool), number, rest.count > 1 ? String(rest[1].drop { $0 == " " }) : nil)
  }
}

/// The workers of one program, and their fork server.
struct ServerEntry {
  var processID: Int32
  /// The program; nil when that cannot be seen.
  var hostID: Int32?
  var hostName: String
  var workers: [WorkerEntry]
}

/// A table for a terminal; the load of a worker is that between two readings.
struct WorkerTable {
  private var before: [Int32: Double] = [:]
  private var readAt: ContinuousClock.Instant?

  mutating func lines(_ servers: [ServerEntry], at now: ContinuousClock.Instant, width: Int) -> [String] {
    let passed = readAt.map { (now - $0) / .seconds(1) }
    var lines: [String] = []
    for server in servers {
      let host = server.hostID.map { "\(server.hostName) (\($0))" } ?? "a program"
      let busy = server.workers.count { $0.job != nil }
      lines.append("\(host): \(server.workers.count) \(server.workers.count == 1 ? "worker" : "workers"), \(busy) busy")
      if !server.workers.isEmpty { lines.append(row("PID", "POOL", "N", "S", "CPU %", "CPU s", "MiB", "JOB")) }
      for worker in server.workers {
        var load = "-"
        if let passed, passed > 0, let before = before[worker.processID] {
          load = String(Int((100 * (worker.cpuSeconds - before) / passed).rounded()))
        }
        lines.append(
          row(
            String(worker.processID), worker.pool, String(worker.number), String(worker.state), load,
            String((worker.cpuSeconds * 10).rounded() / 10), String(worker.residentBytes >> 20), worker.job ?? ""))
      }
    }
    before = Dictionary(
      servers.flatMap(\.workers).map { ($0.processID, $0.cpuSeconds) }, uniquingKeysWith: { $1 })
    readAt = now
    return lines.isEmpty ? ["no pools"] : lines.map { String($0.prefix(width)) }
  }

  private func row(
    _ pid: String, _ pool: String, _ number: String, _ state: String, _ load: String, _ cpu: String, _ memory: String,
    _ job: String
  ) -> String {
    right(pid, 9) + "  " + left(pool, 14) + right(number, 5) + " " + left(state, 2) + right(load, 6) + right(cpu, 9)
      + right(memory, 7) + "  " + job
  }

  private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
