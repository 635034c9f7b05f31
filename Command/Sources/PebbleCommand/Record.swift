// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc
import Pebble
import Synchronization

/// What became of one line, as the report has it.
struct Record: Codable, Sendable {
  enum Outcome: String, Codable, CaseIterable {
    case succeeded
    /// It exited with another code than 0, or a signal ended it.
    case failed
    case timedOut
    /// The worker died: for example since the memory was used up.
    case crashed
    /// The run was stopped before it was done.
    case cancelled
  }

  let line: Int
  let input: String
  let command: String
  var outcome: Outcome
  var exitCode: Int32?
  var signal: Int32?
  /// What went wrong, where neither exit code nor signal says it.
  var error: String?
  var attempts = 1
  var runSeconds = 0.0
  var cpuSeconds: Double?
  var peakMemory: Int?

  /// For a complaint: what happened.
  var reason: String {
    if let exitCode { return "exited with \(exitCode)" }
    if let signal { return "ended by signal \(signal) (\(String(cString: strsignal(signal))))" }
    return error ?? outcome.rawValue
  }

  mutating func set(_ end: ShellEnd) {
    outcome = end.succeeded ? .succeeded : .failed
    exitCode = end.exitCode
    signal = end.signal
    error = nil
    runSeconds = end.runSeconds
    cpuSeconds = end.cpuSeconds
    peakMemory = end.peakMemory
  }

  mutating func set(_ problem: any Error) {
    (exitCode, signal, cpuSeconds, peakMemory) = (nil, nil, nil, nil)
    error = String(describing: problem)
    switch problem {
    case let problem as TimeoutError:
      outcome = .timedOut
      runSeconds = problem.runTime / .seconds(1)
    case let problem as ProcessExpired:
      outcome = .crashed
      runSeconds = problem.runTime / .seconds(1)
    case is CancellationError: outcome = .cancelled
    case let problem as PebbleError where [.stopped, .closed].contains(problem.code): outcome = .cancelled
    default: outcome = .crashed
    }
  }
}

/// How many lines had which outcome.
struct Summary: Codable, Sendable {
  var lines = 0
  var succeeded = 0
  var failed = 0
  var timedOut = 0
  var crashed = 0
  var cancelled = 0
  var seconds = 0.0

  mutating func count(_ record: Record) {
    lines += 1
    switch record.outcome {
    case .succeeded: succeeded += 1
    case .failed: failed += 1
    case .timedOut: timedOut += 1
    case .crashed: crashed += 1
    case .cancelled: cancelled += 1
    }
  }
}

/// The report: a JSON object for each line as it is done, and the summary as the last, each on a line of its own.
final class Report: Sendable {
  private struct Last: Encodable {
    let summary: Summary
  }

  private let state: Mutex<(file: Int32?, summary: Summary)>

  /// - Parameter path: nil for none.
  init(path: String?) throws {
    var file: Int32?
    if let path {
      file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
      if file == -1 { throw UnreadableInput(name: path, reason: String(cString: strerror(errno))) }
    }
    state = Mutex((file, Summary()))
  }

  func add(_ record: Record) throws {
    try state.withLock { state in
      state.summary.count(record)
      try write(record, state.file)
    }
  }

  func finish(after elapsed: Duration) throws -> Summary {
    try state.withLock { state in
      state.summary.seconds = elapsed / .seconds(1)
      try write(Last(summary: state.summary), state.file)
      return state.summary
    }
  }

  private func write(_ value: some Encodable, _ file: Int32?) throws {
    guard let file else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    writeAll(Array(try encoder.encode(value)) + [10], to: file)
  }
}
