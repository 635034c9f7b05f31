// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc

struct Top: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the workers of the pools on this machine, and what they do.",
    discussion: "Of programs of other users only root sees which program a pool belongs to.")

  @Argument(help: "Only the workers of these programs.")
  var pid: [Int32] = []

  @Option(name: .shortAndLong, help: ArgumentHelp("How often to look: 2, 500ms.", valueName: "time"))
  var interval = Length(argument: "1s")!

  @Flag(name: [.customShort("1"), .customLong("once")], help: "Print once. (default where standard output is no terminal)")
  var once = false

  func run() async throws {
    var table = WorkerTable()
    let isTerminal = isatty(STDOUT_FILENO) == 1
    while true {
      let servers = poolsOnThisMachine().filter { pid.isEmpty || $0.hostID.map(pid.contains) ?? false }
      let lines = table.lines(servers, at: .now, width: isTerminal ? Console.width : .max)
      if once || !isTerminal { return print(lines.joined(separator: "\n")) }
      print("\u{1b}[H\u{1b}[2J" + lines.joined(separator: "\n"))
      try await Task.sleep(for: interval.duration)
    }
  }
}
