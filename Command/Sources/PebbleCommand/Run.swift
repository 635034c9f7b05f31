// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Pebble

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a shell command for each line of input, several at a time.",
    discussion: """
      In the command {} stands for the line, quoted as one word, and {#} for its number; without {} the line comes last.

        ls *.png | pebble run --timeout 10s 'convert {} -resize 64x64 {}.thumb'

      A command over its time is killed with all it started, in whatever session. What a command writes is put out when \
      it is done. The exit status is 0 when all lines succeeded, 1 when some did not, 64 for a wrong use, 128 and the \
      number of the signal that stopped the run.
      """)

  @Argument(parsing: .captureForPassthrough, help: "The command; its words are joined with spaces.")
  var command: [String] = []

  @Option(name: .shortAndLong, help: ArgumentHelp("The most commands at a time. (default: one for each CPU)", valueName: "n"))
  var jobs: Int?

  @Option(name: .shortAndLong, help: ArgumentHelp("How long each command may run: 2, 500ms, 3m, 1h.", valueName: "time"))
  var timeout: Length?

  @Option(name: .shortAndLong, help: ArgumentHelp("How often a command that did not succeed is run again.", valueName: "n"))
  var retries = 0

  @Option(help: ArgumentHelp("The address space that each process of a command may have: 512M, 2G.", valueName: "size"))
  var memory: Size?

  @Option(name: [.customShort("a"), .customLong("arg-file")], help: ArgumentHelp("Read the lines from a file.", valueName: "file"))
  var argFile: String?

  @Flag(name: [.customShort("0"), .customLong("null")], help: "Lines end with a zero byte.")
  var null = false

  @Flag(name: .shortAndLong, help: "Put what commands write out in the order of the lines.")
  var keepOrder = false

  @Flag(help: "Put out each line that a command writes as it comes.")
  var lineBuffer = false

  @Flag(help: "Begin each line of output with the line of input, and a tab.")
  var tag = false

  @Flag(help: "Stop at the first line that does not succeed.")
  var failFast = false

  @Flag(name: .shortAndLong, help: "Say nothing of lines that did not succeed.")
  var quiet = false

  @Flag(inversion: .prefixedNo, help: "Show how far it is. (default: when standard error is a terminal)")
  var progress: Bool?

  @Flag(help: "Only print the commands.")
  var dryRun = false

  @Option(help: ArgumentHelp("Write what became of each line, as lines of JSON, and a summary.", valueName: "file"))
  var report: String?

  mutating func validate() throws {
    // What stands before the command and is no option that there is, is taken for its first word.
    switch command.first {
    case "-h"?, "--help"?: throw CleanExit.helpRequest(Self.self)
    case "--version"?: throw CleanExit.message(PebbleCommand.configuration.version)
    case "--"?: command.removeFirst()
    case let word? where word.hasPrefix("-"): throw ValidationError("There is no option \(word).")
    default: break
    }
    guard !command.isEmpty else { throw ValidationError("Which command is to be run?") }
    guard (1...65_536).contains(jobs ?? 1) else { throw ValidationError("--jobs wants a number from 1 to 65536.") }
    guard (0...1_000_000).contains(retries) else { throw ValidationError("--retries wants a number from 0 to 1000000.") }
    guard !(keepOrder && lineBuffer) else { throw ValidationError("--keep-order and --line-buffer exclude each other.") }
  }

  func run() async throws {
    let console = Console()
    let reader: LineReader
    let report: Report
    do {
      reader = try LineReader(path: argFile, nullSeparated: null)
      report = try Report(path: self.report)
    } catch {
      throw ValidationError("\(error)")
    }
    if dryRun { return try await print(reader) }

    let begin = ContinuousClock.now
    let output = JobOutput(
      console: console, order: lineBuffer ? .live : keepOrder ? .ordered : .grouped, tagged: tag)
    let display = ProgressDisplay(console: console, isShown: progress ?? (isatty(STDERR_FILENO) == 1))
    let signal = try await withProcessPool(
      .init(
        maxWorkers: jobs, name: "run", standardOutput: .capture, standardError: .capture,
        limits: WorkerLimits(addressSpace: memory?.bytes), onOutput: output.take)
    ) { pool in
      try await run(
        Runner(
          .init(
            template: command, timeout: timeout?.duration, retries: retries, failFast: failFast, isQuiet: quiet),
          pool: pool, reader: reader, output: output, report: report, console: console, progress: display))
    }
    display.finish()
    let summary = try report.finish(after: ContinuousClock.now - begin)
    if let signal { throw ExitCode(128 + signal) }
    if summary.succeeded < summary.lines { throw ExitCode(1) }
  }

  /// Runs all lines; a signal stops that, and is returned.
  private func run(_ runner: Runner) async throws -> Int32? {
    try await withSignals(SIGINT, SIGTERM, SIGHUP) { signals in
      try await withThrowingTaskGroup(of: Int32?.self) { group in
        group.addTask {
          try await runner.run()
          return nil
        }
        group.addTask {
          for await signal in signals {
            runner.stop()
            return signal
          }
          return nil
        }
        // Of the two the run ends always, the wait for a signal when there is one or it is cancelled.
        guard let signal = try await group.next() ?? nil else {
          group.cancelAll()
          return nil
        }
        try await group.waitForAll()
        return signal
      }
    }
  }

  private func print(_ reader: LineReader) async throws {
    let template = CommandTemplate(words: command)
    var number = 0
    while let line = try await reader.lines.get() {
      number += 1
      Swift.print(template.command(line: try line.get(), number: number))
    }
  }
}
