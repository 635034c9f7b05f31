// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Pebble

/// The parser, the checks and the checksum are plain code that trusts its input, and some of the
/// documents end it or keep it busy for ever: nested too deep, a number too large for an `Int` or
/// far outside a table, a text on which the regular expression runs for minutes. In a worker that
/// costs one document. With `--in-process` it costs the program.
@main
struct Ingest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reads a folder of JSON documents in a pool of worker processes.")

  @Argument(help: "The folder with the documents.")
  var folder: String

  @Option(help: ArgumentHelp("The time that each document may take.", valueName: "seconds"))
  var timeout = 2.0

  @Option(help: ArgumentHelp("How many processes to use. (default: one for each CPU)", valueName: "n"))
  var workers: Int?

  @Option(help: ArgumentHelp("Use nodes of a Slurm cluster, so many.", valueName: "nodes"))
  var slurm: Int?

  @Flag(help: "Start each worker afresh instead of forking it.")
  var spawn = false

  @Flag(help: "Keep workers from everything but computing and reading the folder.")
  var confined = false

  @Flag(help: "Do without Pebble, and see what happens.")
  var inProcess = false

  func validate() throws {
    guard timeout > 0, timeout <= 1e9 else {
      throw ValidationError("--timeout wants a number of seconds above 0.")
    }
    for (name, value) in [("--workers", workers), ("--slurm", slurm)] {
      guard (1...65_536).contains(value ?? 1) else { throw ValidationError("\(name) wants a number from 1 to 65536.") }
    }
  }

  func run() async throws {
    guard let files = documentNames(inFolder: folder) else { throw ValidationError("\(folder): \(lastError())") }
    let report = inProcess ? try ingestInProcess(files) : try await ingestInPool(files)
    report.print()
  }

  private func ingestInPool(_ files: [String]) async throws -> Report {
    // The table says what happened: what the Swift runtime writes when it traps would only stand in between.
    var configuration = ProcessPool.Configuration(
      maxWorkers: workers, name: "ingest", startMethod: spawn ? .spawn : .forkServer, standardError: .discard,
      execution: slurm.map { .slurm(nodes: $0) } ?? .processes)
    if confined { configuration.confinement = WorkerConfinement(readablePaths: [absolutePath(of: folder)]) }
    let progress = ProgressBar(total: files.count)

    return try await withProcessPool(configuration) { pool in
      let jobs = try files.map { file in
        let job = try pool.schedule(#process(ingest), "\(folder)/\(file)", timeout: .seconds(timeout), name: file)
        try job.onDone { _ in progress.advance() }
        return job
      }

      var report = Report()
      for (file, job) in zip(files, jobs) {
        do {
          report.add(try await job.value)
        } catch let error as InvalidDocument {
          report.reject(file, .invalid, reason: error.reason)
        } catch let error as TimeoutError {
          report.reject(file, .timedOut, reason: error.description)
        } catch let error as ProcessExpired {
          report.reject(file, .crashed, reason: error.description)
        }  // what a node or the pool cannot do is not the document's doing
      }
      return report
    }
  }

  private func ingestInProcess(_ files: [String]) throws -> Report {
    let progress = ProgressBar(total: files.count)
    var report = Report()
    for file in files {
      do {
        report.add(try ingest("\(folder)/\(file)"))
      } catch let error as InvalidDocument {
        report.reject(file, .invalid, reason: error.reason)
      }
      progress.advance()
    }
    return report
  }

  /// As ArgumentParser's own, but bad arguments exit with 2.
  static func main() async {
    do {
      let command = try parse()
      try await command.run()
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      writeToStandardError(fullMessage(for: error) + "\n")
      Glibc.exit(2)
    }
  }
}
