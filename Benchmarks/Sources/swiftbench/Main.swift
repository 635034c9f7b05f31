// SPDX-License-Identifier: Apache-2.0
import CBench
import Pebble

/// The rows of the table for the Swift library: `swiftbench blocking|async|task ROW`.
///
/// The asynchronous rows begin on the main actor, as programs do: a hop is one to another thread and back.
@main @MainActor struct Main {
  static func main() async throws {
    guard CommandLine.arguments.count == 3 else { fatalError("usage: swiftbench blocking|async|task ROW") }
    bench_open_costs()
    let row = CommandLine.arguments[2]
    switch CommandLine.arguments[1] {
    case "blocking": try runBlocking(row)
    case "async": try await runAsync(row)
    case "task": row == "throughput" ? await Async.taskThroughput() : await Async.hops(row)
    default: fatalError("no such way")
    }
  }

  static let megabyte = 1 << 20

  static func runBlocking(_ row: String) throws {
    switch row {
    case "throughput": try Blocking.throughput()
    case "echo-1m": try Blocking.echo(megabyte, count(300, 60))
    case "echo-64m": try Blocking.echo(64 * megabyte, count(6, 2))
    case "per-call": try Blocking.calls(count(500, 150))
    case "max-tasks-1": try Blocking.replacements(count(1000, 200), Functions.nothing, maxTasks: 1)
    case "crashes": try Blocking.replacements(count(1000, 200), Functions.crash, maxTasks: nil)
    case "cancel": try Blocking.cancel()
    case "throw": try Crashes.throwing(backtraces: true)
    case "throw-plain": try Crashes.throwing(backtraces: false)
    case "memory": try Blocking.memory()
    case "idle": try Blocking.idle()
    default: try Blocking.trips(row)
    }
  }

  static func runAsync(_ row: String) async throws {
    switch row {
    case "throughput": try await Async.throughput()
    case "map-1m": try await Async.map(1_000_000, 125_000)
    case "map-50k": try await Async.map(50_000, 1)
    case "map-50k-auto": try await Async.map(50_000, .automatic)
    case "echo-1m": try await Async.echo(megabyte, count(300, 60))
    case "echo-64m": try await Async.echo(64 * megabyte, count(6, 2))
    case "per-call": try await Async.calls(count(500, 150))
    case "timeout": try await Async.limits()
    case "crash-cost": try await Crashes.crashing()
    default: try await Async.trips(row)
    }
  }
}
