// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Synchronization

/// Runs a command for each line of input.
final class Runner: Sendable {
  struct Plan: Sendable {
    var template: [String]
    var timeout: Duration?
    var retries = 0
    var failFast = false
    var isQuiet = false
  }

  private let plan: Plan
  private let template: CommandTemplate
  private let pool: ProcessPool
  private let reader: LineReader
  private let output: JobOutput
  private let report: Report
  private let console: Console
  private let progress: ProgressDisplay
  private let isStopping = Atomic(false)

  init(
    _ plan: Plan, pool: ProcessPool, reader: LineReader, output: JobOutput, report: Report, console: Console,
    progress: ProgressDisplay
  ) {
    self.plan = plan
    template = CommandTemplate(words: plan.template)
    self.pool = pool
    self.reader = reader
    self.output = output
    self.report = report
    self.console = console
    self.progress = progress
  }

  /// Ends the run: what runs is killed, what is not begun is left.
  func stop() {
    isStopping.store(true, ordering: .relaxed)
    reader.lines.close()
    pool.stop()
  }

  /// Runs all lines. Two for each worker are under way at a time, so that the next one is there when a worker is free.
  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var number = 0
      var underWay = 0
      while let line = try await reader.lines.get(), !isStopping.load(ordering: .relaxed) {
        let line = try line.get()
        number += 1
        progress.update { $0.read += 1 }
        if underWay == 2 * pool.maxWorkers { try await group.next() } else { underWay += 1 }
        let record = Record(
          line: number, input: line, command: template.command(line: line, number: number), outcome: .cancelled)
        // Here and not in the task: lines begin in their order.
        let first = Result { try schedule(record) }
        group.addTask { try await self.run(record, first) }
      }
      progress.update({ $0.isComplete = true })
      try await group.waitForAll()
    }
  }

  private func run(_ begun: Record, _ first: Result<ProcessFuture<ShellEnd>, any Error>) async throws {
    var record = begun
    let number = record.line
    for attempt in 1...plan.retries + 1 {
      record.attempts = attempt
      let job = attempt == 1 ? first : Result { try schedule(record) }
      do { record.set(try await end(of: job.get())) } catch { record.set(error) }
      if [.succeeded, .cancelled].contains(record.outcome) || attempt > plan.retries { break }
      output.discard(number)
    }
    output.finish(number)
    try report.add(record)
    let failed = record.outcome != .succeeded
    if failed, !plan.isQuiet, record.outcome != .cancelled {
      console.complain("line \(number): \(record.reason): \(record.command)")
    }
    progress.update {
      $0.done += 1
      if failed { $0.failed += 1 }
    }
    if failed, plan.failFast { stop() }
  }

  private func schedule(_ record: Record) throws -> ProcessFuture<ShellEnd> {
    try pool.schedule(
      shellFunction, record.command, timeout: plan.timeout,
      name: JobOutput.name(number: record.line, line: record.input))
  }

  /// What a command ended with, when all that it wrote was taken.
  private func end(of job: ProcessFuture<ShellEnd>) async throws -> ShellEnd {
    try await withCheckedThrowingContinuation { continuation in
      do { try job.onDone { continuation.resume(with: $0) } } catch { continuation.resume(throwing: error) }
    }
  }
}
