// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The fork servers and workers on this machine whose titles may be read.
///
/// A worker is a child of its server; a server holds a pidfd of its program, which its fdinfo names. What ends while it
/// is read is left out.
func poolsOnThisMachine() -> [ServerEntry] {
  var servers: [Int32: ServerEntry] = [:]
  var workers: [Int32: [WorkerEntry]] = [:]
  for pid in numbers(in: "/proc") {
    guard let title = text(of: "/proc/\(pid)/cmdline")?.prefix(while: { $0 != "\0" }), title.hasPrefix("pebble: ") else {
      continue
    }
    if title.trimmed == "pebble: fork server" {
      servers[pid] = ServerEntry(processID: pid, hostID: nil, hostName: "", workers: [])
    } else if let name = WorkerEntry.parse(title: title.trimmed), let stat = ProcessStat(pid) {
      workers[stat.parent, default: []].append(
        WorkerEntry(
          processID: pid, pool: name.pool, number: name.number, job: name.job, state: stat.state,
          cpuSeconds: stat.cpuSeconds, residentBytes: stat.residentBytes))
    }
  }
  return servers.values.sorted { $0.processID < $1.processID }.map { server in
    var server = server
    server.workers = (workers[server.processID] ?? []).sorted { ($0.pool, $0.number) < ($1.pool, $1.number) }
    server.hostID = host(of: server)
    server.hostName = server.hostID.flatMap { text(of: "/proc/\($0)/comm") }?[...].trimmed ?? ""
    return server
  }
}

/// The program of a server: of the processes that it holds a pidfd of, the one that is no child of it.
private func host(of server: ServerEntry) -> Int32? {
  for descriptor in numbers(in: "/proc/\(server.processID)/fdinfo") {
    guard let lines = text(of: "/proc/\(server.processID)/fdinfo/\(descriptor)")?.split(separator: "\n"),
      let line = lines.first(where: { $0.hasPrefix("Pid:") }), let pid = Int32(line.dropFirst(4)[...].trimmed), pid > 0,
      let stat = ProcessStat(pid), stat.parent != server.processID
    else { continue }
    return pid
  }
  return nil
}

/// What is wanted of /proc/PID/stat, see proc(5).
private struct ProcessStat {
  let state: Character
  let parent: Int32
  let cpuSeconds: Double
  let residentBytes: Int

  init?(_ pid: Int32) {
    // The name of the program, in parentheses, may have spaces and parentheses itself.
    guard let stat = text(of: "/proc/\(pid)/stat"), let name = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: name)...].split(separator: " ")
    guard fields.count > 21, let state = fields[0].first, let parent = Int32(fields[1]), let user = Double(fields[11]),
      let system = Double(fields[12]), let pages = Int(fields[21])
    else { return nil }
    self.state = state
    self.parent = parent
    cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    residentBytes = pages * sysconf(Int32(_SC_PAGESIZE))
  }
}

private func numbers(in folder: String) -> [Int32] {
  guard let directory = opendir(folder) else { return [] }
  defer { closedir(directory) }
  var numbers: [Int32] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if let number = Int32(name) { numbers.append(number) }
  }
  return numbers
}

private func text(of path: String) -> String? {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var bytes = [UInt8](repeating: 0, count: 16_384)
  let count = read(file, &bytes, bytes.count)
  return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
}

extension Substring {
  fileprivate var trimmed: String {
    let front = drop { $0.isWhitespace }
    return String(front[..<(front.lastIndex { !$0.isWhitespace }.map { front.index(after: $0) } ?? front.startIndex)])
  }
}
